package loginsvc

import "time"

// skew is how far apart the clocks of two instances may be.
const skew = time.Minute

// within tells whether now lies in the life of something. The beginning counts
// too: a clock that was set back does not bring it back to life.
func within(now, createdAt, expiresAt time.Time) bool {
	return now.Before(expiresAt) && now.After(createdAt.Add(-skew))
}

package grant

import "time"

// Skew is how far the clocks of two instances can be apart.
const Skew = time.Minute

// Alive tells whether now lies between the two instants. The first one counts
// too, less [Skew]: a clock that was set back revives nothing.
func Alive(now, createdAt, expiresAt time.Time) bool {
	return now.Before(expiresAt) && now.After(createdAt.Add(-Skew))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

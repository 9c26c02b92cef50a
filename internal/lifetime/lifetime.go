// Package lifetime holds the default lifetimes of what Gatehouse issues.
// gatehouse.yml changes them under "lifetimes". This package is wiring; other
// modules cannot import it.
package lifetime

import "time"

// The lifetimes that hold where gatehouse.yml sets none.
const (
	AccessToken = 10 * time.Minute // also of ID tokens
	Code        = time.Minute      // authorization codes

	Session     = 30 * 24 * time.Hour // from the sign-in
	SessionIdle = 7 * 24 * time.Hour  // since the session was last used

	RefreshToken = 30 * 24 * time.Hour // from the sign-in at a client
	RefreshIdle  = 7 * 24 * time.Hour  // since the last renewal

	RefreshGrace = time.Minute // in which a renewal can be repeated
)

package usersvc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// The user's row says which sessions have ended. It is written in one transaction
// with the reason, however many sessions there are. A sign-in checks the version
// of that row in its own transaction, so no session can start unnoticed beside it.

// cutoff ends the sessions of one identity that began before a version of the user.
type cutoff struct {
	identity string
	version  int64
}

// maxCutoffs bounds how many a user's row holds.
const maxCutoffs = 20

// endAllSessions ends every session of the user.
func (u *User) endAllSessions() {
	u.epoch++
	u.cutoffs = nil
}

// endSessionsOf ends the sessions that began with an identity before the version
// of u that is about to be written.
func (u *User) endSessionsOf(identityID string) {
	cutoffs := []cutoff{{identityID, u.Version + 1}}
	for _, c := range u.cutoffs {
		if c.identity != identityID {
			cutoffs = append(cutoffs, c)
		}
	}
	u.cutoffs = cutoffs
	if len(cutoffs) > maxCutoffs { // only an attempt to fill the row gets here
		u.endAllSessions()
	}
}

// live tells whether s, which has not expired, has not ended either. A session
// without an identity, which an older version wrote, ends with any identity.
func (u User) live(s Session) bool {
	if u.epoch != s.epoch {
		return false
	}
	if len(u.cutoffs) > 0 && s.identity == "" {
		return false
	}
	return !slices.ContainsFunc(u.cutoffs, func(c cutoff) bool { return c.identity == s.identity && s.version < c.version })
}

// liveSessions is the same rule as a condition on the session's row, for lists.
func (u User) liveSessions() table.Cond {
	live := table.All{table.Equal{Name: "epoch", Value: u.epoch}}
	if len(u.cutoffs) > 0 {
		live = append(live, table.Has{Name: "identity"}, table.Not{Cond: table.Equal{Name: "identity", Value: ""}})
	}
	for _, c := range u.cutoffs {
		live = append(live, table.Not{Cond: table.All{
			table.Equal{Name: "identity", Value: c.identity}, table.Less{Name: "user_version", Value: c.version},
		}})
	}
	return live
}

// cutoffsText is how the row holds cutoffs: "identity:version", separated by spaces.
func cutoffsText(cutoffs []cutoff) string {
	var all []string
	for _, c := range cutoffs {
		all = append(all, c.identity+":"+strconv.FormatInt(c.version, 10))
	}
	return strings.Join(all, " ")
}

// parseCutoffs is the inverse of cutoffsText. A text that it cannot read is an error:
// it must not count as no cutoff.
func parseCutoffs(text string) ([]cutoff, error) {
	var cutoffs []cutoff
	for _, c := range strings.Fields(text) {
		identity, version, _ := strings.Cut(c, ":")
		n, err := strconv.ParseInt(version, 10, 64)
		if err != nil || identity == "" {
			return nil, fmt.Errorf("%w: attribute cuts of user", table.ErrDamaged)
		}
		cutoffs = append(cutoffs, cutoff{identity, n})
	}
	return cutoffs, nil
}

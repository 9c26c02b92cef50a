package usersvc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Sessions end by what the user's row says, which is written in one transaction
// with the reason, however many sessions there are. A sign-in checks the version
// of that row in its own transaction, so that none slips through beside it.

// cut ends the sessions of one identity that began before a version of the user.
type cut struct {
	identity string
	version  int64
}

// maxCuts bounds how many a user's row holds.
const maxCuts = 20

// beginEpoch ends every session of the user.
func (u *User) beginEpoch() {
	u.epoch++
	u.cuts = nil
}

// endSessionsOf ends the sessions that began with an identity before the version
// of u that is about to be written.
func (u *User) endSessionsOf(identityID string) {
	cuts := []cut{{identityID, u.Version + 1}}
	for _, c := range u.cuts {
		if c.identity != identityID {
			cuts = append(cuts, c)
		}
	}
	u.cuts = cuts
	if len(cuts) > maxCuts { // nobody unlinks as many but to fill the row
		u.beginEpoch()
	}
}

// live tells whether s, which has not expired, has not ended either.
func (u User) live(s Session) bool {
	return u.epoch == s.epoch && (len(u.cuts) == 0 || table.Holds(u.liveSessions(), s.item()))
}

// liveSessions is the same as a condition on the session's row. A row that does
// not say with which identity it began ends with any.
func (u User) liveSessions() table.Cond {
	live := table.All{table.Equal{Name: "epoch", Value: u.epoch}}
	if len(u.cuts) > 0 {
		live = append(live, table.Has{Name: "identity"}, table.Not{Cond: table.Equal{Name: "identity", Value: ""}})
	}
	for _, c := range u.cuts {
		live = append(live, table.Not{Cond: table.All{
			table.Equal{Name: "identity", Value: c.identity}, table.Less{Name: "user_version", Value: c.version},
		}})
	}
	return live
}

// cutsText is how the row holds cuts: "identity:version", apart by spaces.
func cutsText(cuts []cut) string {
	var all []string
	for _, c := range cuts {
		all = append(all, c.identity+":"+strconv.FormatInt(c.version, 10))
	}
	return strings.Join(all, " ")
}

// parseCuts is the inverse of cutsText. What it cannot read is an error, because
// it must not pass for nothing.
func parseCuts(text string) ([]cut, error) {
	var cuts []cut
	for _, c := range strings.Fields(text) {
		identity, version, _ := strings.Cut(c, ":")
		n, err := strconv.ParseInt(version, 10, 64)
		if err != nil || identity == "" {
			return nil, fmt.Errorf("%w: attribute cuts of user", table.ErrDamaged)
		}
		cuts = append(cuts, cut{identity, n})
	}
	return cuts, nil
}

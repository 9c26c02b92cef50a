package usersvc

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Unchanged returns checks for a transaction of the caller that issues tokens in a
// session of a user at a time. It fails with [ErrVersion] unless the user still has
// this version, and no tokens of that time were revoked since the user was read;
// and with [ErrNoSession] unless the session is there. A caller that has read user
// and session with [Users.SessionByID] acts on the present state, because each
// change of a user, also a suspension, is a new version. After a failure it reads
// them again.
func Unchanged(user User, sessionID string, issuedAt time.Time) []table.Write {
	considered := later(issuedAt, user.ledger.latest()).Unix()
	return []table.Write{
		table.Check(userKey(user.ID), table.All{
			table.Equal{Name: "version", Value: user.Version},
			table.Any{table.Not{Cond: table.Has{Name: latestAttribute}}, table.Less{Name: latestAttribute, Value: considered + 1}},
		}).Else(ErrVersion),
		table.Check(sessionKey(user.ID, sessionID), table.Exists{}).Else(ErrNoSession),
	}
}

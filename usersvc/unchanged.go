package usersvc

import (
	"context"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Unchanged returns checks for a transaction of the caller that issues tokens of a
// user to a client: the user still has the version, else the transaction fails with
// [ErrVersion]; the session has not ended, and tokens of the client that are issued
// at the time are not revoked, else it fails with [ErrNoSession]. A caller that has
// read user and session with [Users.SessionByID] acts on the present state, because
// each change of a user, also a suspension, is a new version.
func Unchanged(t Tokens, version int64, issuedAt time.Time) []table.Write {
	revoked := clientAttribute(t.ClientID)
	return []table.Write{
		table.Check(userKey(t.Subject), table.Equal{Name: "version", Value: version}).Else(ErrVersion),
		table.Check(sessionKey(t.Subject, t.SessionID), table.All{table.Exists{}, table.Any{
			table.Not{Cond: table.Has{Name: revoked}}, table.Less{Name: revoked, Value: issuedAt.Unix() + 1},
		}}).Else(ErrNoSession),
	}
}

// RevokeTokens revokes every access token that the user has been given until
// now, in one transaction with writes, whose conditions must hold. Sessions go
// on, and give new tokens.
func (u *Users) RevokeTokens(ctx context.Context, userID string, writes ...table.Write) error {
	_, err := u.change(ctx, By{UserID: userID}, userID, 0, func(next *User) ([]table.Write, error) {
		u.revokeUser(next)
		return writes, nil
	})
	return err
}

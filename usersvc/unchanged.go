package usersvc

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Unchanged returns checks for a transaction of the caller: the user still has
// the version, else the transaction fails with [ErrVersion], and the session has
// not ended, else it fails with [ErrNoSession]. A caller that has read both with
// [Users.SessionByID] and writes with these checks acts on the present state,
// because each change of a user, also a suspension, is a new version.
func Unchanged(userID, sid string, version int64) []table.Write {
	return []table.Write{
		table.Check(userKey(userID), table.Equal{Name: "version", Value: version}).Else(ErrVersion),
		table.Check(sessionKey(userID, sid), table.Exists{}).Else(ErrNoSession),
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

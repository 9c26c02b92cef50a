package usersvc

import "github.com/gatehouse-auth/gatehouse/internal/table"

// Unchanged are checks for a transaction of the caller: the user still has the
// version, and the session has not ended. They come in this order. Who read both
// with [Users.SessionByID] and writes with these checks has acted on what is so
// now, because each change of a user, also a suspension, is a new version.
func Unchanged(userID, sid string, version int64) []table.Write {
	return []table.Write{
		table.Check(userKey(userID), table.Equal{Name: "version", Value: version}),
		table.Check(sessionKey(userID, sid), table.Exists{}),
	}
}

// RevokeTokens is the row of the revocation feed that makes every access token
// of the user dead that was issued until now. It belongs into the transaction
// that ends what the tokens came from. Sessions go on, and give new tokens.
func (u *Users) RevokeTokens(userID string) table.Write { return u.revokeUser(userID) }

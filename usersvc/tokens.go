package usersvc

import (
	"context"
	"errors"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Tokens names access tokens that have been issued so far:
//
//	{Subject}                      all of a user; or, if it is the id of a client, the client's own
//	{Subject, SessionID}           all of one session
//	{Subject, SessionID, ClientID} those that one client has from one session
//	{ClientID}                     all of a client: its own, and those it has from users
type Tokens struct {
	Subject   string // a user's id, or a client's for tokens of client_credentials
	SessionID string
	ClientID  string
}

// Revoke makes tokens dead in one transaction with writes: both happen or
// neither. What is revoked by it needs not be live: a user who is suspended or
// deleted, or a session that has ended, is no error.
//
// If a condition of writes does not hold, errors.Is finds in the error what its
// Else named, and [table.ErrConditionFailed]. Writes must not name rows of users
// or sessions, which Revoke may write itself.
func (u *Users) Revoke(ctx context.Context, t Tokens, writes ...table.Write) error {
	switch {
	case t.Subject != "" && t.SessionID != "" && t.ClientID == "":
		return u.Table.Write(ctx, append([]table.Write{u.revokeSession(t.Subject, t.SessionID)}, writes...)...)
	case IsID(t.Subject):
		err := u.RevokeTokens(ctx, t.Subject, writes...)
		if !errors.Is(err, ErrForbidden) && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if len(writes) == 0 {
		return nil
	}
	return u.Table.Write(ctx, writes...)
}

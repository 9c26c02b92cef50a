package usersvc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Tokens names access tokens that have been issued so far:
//
//	{Subject}                      all of a user; or, if it is the id of a client, the client's own
//	{Subject, SessionID}           all of one session
//	{Subject, SessionID, ClientID} those that one client has from one session
//	{Subject, ClientID}            those that one client has from all sessions of a user
//	{ClientID}                     all of a client: its own, and those it has from users
type Tokens struct {
	Subject   string // a user's id, or a client's for tokens of client_credentials
	SessionID string
	ClientID  string
}

// ErrNoTokens says that no tokens have such a name.
var ErrNoTokens = errors.New("no such tokens")

// Revoke makes tokens dead in one transaction with writes: both happen or
// neither. What is revoked by it needs not be live: a user who is suspended or
// deleted, or a session that has ended, is no error.
//
// If a condition of writes does not hold, errors.Is finds in the error what its
// Else named, and [table.ErrConditionFailed]. Writes must not name rows of users
// or sessions, which Revoke may write itself.
func (u *Users) Revoke(ctx context.Context, t Tokens, writes ...table.Write) error {
	if isUser(t.Subject) && t.SessionID == "" && t.ClientID == "" {
		err := u.RevokeTokens(ctx, t.Subject, writes...)
		if errors.Is(err, ErrForbidden) || errors.Is(err, ErrNotFound) {
			return u.writeAll(ctx, writes) // suspended or deleted: the tokens are dead
		}
		return err
	}
	h, entry, err := t.entry()
	if err != nil {
		return err
	}
	ended := false // the session, as far as is known
	for range attempts {
		entry.before = u.tokensFrom()
		began := u.now()
		all, err := u.revoke(ctx, h, entry)
		if err != nil {
			return err
		}
		if t.SessionID != "" && t.ClientID != "" && !ended {
			all = append(all, endClient(t, entry.before))
		}
		all = append(all, writes...)
		err = u.Table.Write(ctx, all...)
		switch {
		case errors.Is(err, errSessionGone):
			ended = true
		case errors.Is(err, errLedger):
		case err != nil:
			return fmt.Errorf("revoking tokens: %w", err)
		default:
			return u.onTime(ctx, began, all)
		}
	}
	return errContended
}

// isUser tells whether a subject is a user. The id of a client, which is the
// subject of its own tokens, does not begin so.
func isUser(subject string) bool { return IsID(subject) && strings.HasPrefix(subject, "u_") }

func (u *Users) writeAll(ctx context.Context, writes []table.Write) error {
	if len(writes) == 0 {
		return nil
	}
	return u.Table.Write(ctx, writes...)
}

// entry returns the entry of the tokens, and who holds them.
func (t Tokens) entry() (holder, item, error) {
	switch {
	case isUser(t.Subject) && IsID(t.SessionID) && t.ClientID != "":
		return userHolder(t.Subject), item{
			entry: revocation.ClientInSession(t.SessionID, t.ClientID), bucket: revocation.BucketOf(t.Subject),
			cover: revocation.ClientAtSubject(t.Subject, t.ClientID),
		}, nil
	case isUser(t.Subject) && t.SessionID == "" && t.ClientID != "":
		return userHolder(t.Subject), item{entry: revocation.ClientAtSubject(t.Subject, t.ClientID), bucket: revocation.BucketOf(t.Subject)}, nil
	case isUser(t.Subject) && IsID(t.SessionID):
		return userHolder(t.Subject), item{entry: revocation.Session(t.SessionID), bucket: revocation.BucketOf(t.Subject)}, nil
	case t.Subject != "" && !isUser(t.Subject) && t.SessionID == "" && t.ClientID == "":
		return clientHolder(t.Subject), item{entry: revocation.Subject(t.Subject), bucket: revocation.BucketOf(t.Subject)}, nil
	case t.Subject == "" && t.SessionID == "" && t.ClientID != "":
		h := clientHolder(t.ClientID)
		return h, h.all, nil
	}
	return holder{}, item{}, ErrNoTokens
}

// errSessionGone says that the session has ended, so that nothing need be noted
// on it.
var errSessionGone = errors.New("session has ended")

// endClient notes on the session that the client's tokens of before are dead, for
// [Users.Live].
func endClient(t Tokens, before time.Time) table.Write {
	set := map[string]any{clientAttribute(t.ClientID): before.Unix()}
	return table.Update(sessionKey(t.Subject, t.SessionID), set).If(table.Exists{}).Else(errSessionGone)
}

package usersvc

import (
	"context"
	"errors"
	"strings"

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
// Else named, and [table.ErrConditionFailed]. Writes must not name the row of the
// user, which Revoke writes itself.
func (u *Users) Revoke(ctx context.Context, t Tokens, writes ...table.Write) error {
	h, entry, err := t.entry()
	if err != nil {
		return err
	}
	err = u.putEntry(ctx, h, entry, writes...)
	if errors.Is(err, ErrNotFound) && len(writes) > 0 {
		return u.Table.Write(ctx, writes...)
	}
	if errors.Is(err, ErrNotFound) {
		return nil // of a user who never was
	}
	return err
}

// isUser tells whether a subject is a user. The id of a client, which is the
// subject of its own tokens, does not begin so.
func isUser(subject string) bool { return IsID(subject) && strings.HasPrefix(subject, "u_") }

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
	case isUser(t.Subject) && t.SessionID == "":
		h := userHolder(t.Subject)
		return h, h.all, nil
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

package usersvc

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Live tells whether an access token is alive by what the table says now: its
// session, its user and the user's ledger, or what is revoked of the client, if it
// acts for itself. It reads three rows at most, and never the feed. The token must have been
// verified. It returns the user, which is zero for a client, or [ErrNoSession].
func (u *Users) Live(ctx context.Context, t Tokens, issuedAt time.Time) (User, error) {
	if !isUser(t.Subject) {
		return User{}, u.liveClient(ctx, t.Subject, issuedAt)
	}
	s, user, err := u.SessionByID(ctx, t.Subject, t.SessionID)
	if err != nil {
		return User{}, err
	}
	if issuedAt.Before(user.TokensFrom) || issuedAt.Before(s.TokensFrom(t.ClientID)) {
		return User{}, fmt.Errorf("%w: the token was revoked", ErrNoSession)
	}
	l, err := u.readLedger(ctx, userHolder(t.Subject))
	if err != nil {
		return User{}, err
	}
	if l.revokes(t, issuedAt) {
		return User{}, fmt.Errorf("%w: the token was revoked", ErrNoSession)
	}
	return user, nil
}

func (u *Users) liveClient(ctx context.Context, clientID string, issuedAt time.Time) error {
	l, err := u.readLedger(ctx, clientHolder(clientID))
	if err != nil {
		return err
	}
	for _, i := range l.items { // of the client as such, or of its own tokens
		if issuedAt.Before(i.before) {
			return fmt.Errorf("%w: the token was revoked", ErrNoSession)
		}
	}
	return nil
}

// TokensFrom is the second from which on the client's tokens of this session are
// alive. It is zero unless some have been revoked.
func (s Session) TokensFrom(clientID string) time.Time {
	return s.tokensFrom[clientAttribute(clientID)]
}

// clientPrefix begins the attributes of a session that say from when on a
// client's tokens are alive.
const clientPrefix = "tokens_from_"

func clientAttribute(clientID string) string {
	e := revocation.Client(clientID)
	return clientPrefix + base64.RawURLEncoding.EncodeToString(e[:])
}

// clientsFrom reads these attributes. What cannot be read is an error, because it
// must not pass for nothing.
func clientsFrom(r *table.Reader) map[string]time.Time {
	var from map[string]time.Time
	for name := range r.Item {
		if strings.HasPrefix(name, clientPrefix) {
			if from == nil {
				from = map[string]time.Time{}
			}
			from[name] = r.Seconds(name)
		}
	}
	return from
}

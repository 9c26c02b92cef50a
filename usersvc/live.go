package usersvc

import (
	"context"
	"fmt"
	"time"
)

// Live tells whether an access token is alive by what the table says now: its
// session and its user, or what is revoked of the client, if it acts for itself. It
// reads two rows, and never the feed; a third one for a session that began with an
// earlier version. The token must have been verified. It returns the user, which is
// zero for a client, or [ErrNoSession].
func (u *Users) Live(ctx context.Context, t Tokens, issuedAt time.Time) (User, error) {
	if !isUser(t.Subject) {
		return User{}, u.liveClient(ctx, t.Subject, issuedAt)
	}
	s, user, err := u.SessionByID(ctx, t.Subject, t.SessionID)
	if err != nil {
		return User{}, err
	}
	from := user.AliveFrom(t.SessionID, t.ClientID)
	if s.oldLedger {
		old, err := u.readOldUserLedger(ctx, t.Subject)
		if err != nil {
			return User{}, err
		}
		from = later(from, old.aliveFrom(t))
	}
	if issuedAt.Before(from) {
		return User{}, fmt.Errorf("%w: the token was revoked", ErrNoSession)
	}
	return user, nil
}

func (u *Users) liveClient(ctx context.Context, clientID string, issuedAt time.Time) error {
	l, err := u.readLedger(ctx, clientHolder(clientID))
	if err != nil {
		return err
	}
	if issuedAt.Before(l.latest()) { // of the client as such, or of its own tokens
		return fmt.Errorf("%w: the token was revoked", ErrNoSession)
	}
	return nil
}

// AliveFrom is the second from which on the access tokens are alive that a client
// has from a session of the user: every one with an earlier iat has been revoked.
// The service waits before it issues one sooner, for less than two seconds. The
// user must have been read, not remembered.
func (u User) AliveFrom(sessionID, clientID string) time.Time {
	return later(u.TokensFrom, u.ledger.aliveFrom(Tokens{Subject: u.ID, SessionID: sessionID, ClientID: clientID}))
}

package usersvc

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Sessions returns the live sessions of the user, newest first, at most 200.
func (u *Users) Sessions(ctx context.Context, userID string) ([]Session, error) {
	user, err := u.Get(ctx, userID)
	if err != nil || user.Status != Active {
		return []Session{}, err
	}
	page, err := list(ctx, u.Table, table.Query{
		PK: userKey(userID).PK, Prefix: sessionPrefix, Descending: true, Limit: MaxLimit,
		Filter: table.All{
			user.liveSessions(),
			table.Not{Cond: table.Less{Name: "expires_at", Value: u.now().UnixMilli() + 1}},
		},
	}, sessionFrom)
	return page.Items, err
}

// EndSession ends a session of the user, who asks for it, and revokes its
// tokens. It succeeds if there is no such session.
func (u *Users) EndSession(ctx context.Context, userID, sid string) error {
	err := u.EndSessionBy(ctx, By{UserID: userID}, userID, sid)
	if err != nil && !errors.Is(err, ErrNoSession) {
		return fmt.Errorf("ending session: %w", err)
	}
	return nil
}

// EndSessionBy ends one session of the user and revokes its tokens. It returns
// [ErrNoSession] if there is none.
func (u *Users) EndSessionBy(ctx context.Context, by By, userID, sid string) error {
	if !IsID(userID) || !IsID(sid) {
		return ErrNoSession
	}
	h, entry, err := Tokens{Subject: userID, SessionID: sid}.entry()
	if err != nil {
		return err
	}
	writes, err := u.mayChange(by, userID)
	if err != nil {
		return err
	}
	writes = append(writes, table.Delete(sessionKey(userID, sid)).If(table.Exists{}).Else(ErrNoSession), u.audit(SessionEnded, userID, by, sid))
	err = u.putEntry(ctx, h, entry, writes...)
	for _, known := range []error{ErrForbidden, ErrNoSession} {
		if errors.Is(err, known) {
			return known
		}
	}
	if errors.Is(err, ErrNotFound) {
		return ErrNoSession
	}
	return err
}

// EndSessions ends the sessions of the user at once, however many, and revokes
// their tokens. The session keep, unless it is "", is spared: then the user has
// to be signed in with it, or the error is [ErrNoSession]. Its tokens are
// revoked, too, but it gets new ones.
func (u *Users) EndSessions(ctx context.Context, by By, userID, keep string) error {
	_, err := u.change(ctx, by, userID, 0, func(next *User) ([]table.Write, error) {
		u.revokeUser(next)
		writes := []table.Write{u.audit(SessionsEnded, userID, by, keep)}
		if keep != "" {
			s, err := u.readSession(ctx, userID, keep)
			if err != nil {
				return nil, err
			}
			if !next.live(s) {
				return nil, ErrNoSession
			}
			writes = append(writes, table.Update(sessionKey(userID, keep), map[string]any{"epoch": next.epoch + 1}).If(table.Exists{}))
		}
		next.endAllSessions()
		return writes, nil
	})
	return err
}

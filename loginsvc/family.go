package loginsvc

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// family is the refresh tokens that follow one another from one sign-in at one
// app. At any time one of them is live. Its row, among those of the user, has
// fingerprints and a salt: the successor of a token is derived from the token
// itself and the salt, so that whoever repeats a renewal whose answer was lost
// gets the same successor, and whoever reads the table gets nothing.
//
// The row remembers the user as they were at a version. A renewal checks in its
// write that the user still has this version, which spares it a read.
type family struct {
	ID        string
	UserID    string
	SessionID string
	Client    string   // its Ref
	Audiences []string // the APIs that tokens may be for; nil: the house's
	Scopes    []string // asked for at the sign-in: the most that a renewal can get
	Nonce     string   // of the authorization request
	AuthTime  time.Time
	CreatedAt time.Time
	ExpiresAt time.Time // however often it is renewed
	IdleUntil time.Time // unless it is renewed before

	Current   string // fingerprint of the live token's secret
	Previous  string // of its predecessor's; "" if it has none
	Salt      string // from which the live token was derived
	RotatedAt time.Time

	User usersvc.User
}

var (
	errFamilyUnknown = errors.New("refresh token is unknown, or its family has ended")
	errFamilyExpired = errors.New("refresh token has expired")
	errFamilyReused  = errors.New("refresh token was used before: its family ends")
)

func familyKey(userID, id string) table.Key {
	return schema.Refresh(userID, id)
}

// newFamily returns a family for a session, and its first token.
func (s *Service) newFamily(c client.Client, a approval, user usersvc.User, session usersvc.Session, now time.Time) (family, refreshToken) {
	life := s.lifetimes(c)
	first := refreshToken{userID: user.ID, family: newFamilyID(), secret: newSecret()}
	f := family{
		ID: first.family, UserID: user.ID, SessionID: session.ID, Client: c.Ref(), Audiences: a.Audiences, Scopes: a.Scopes, Nonce: a.Nonce,
		AuthTime: a.AuthTime, CreatedAt: now, ExpiresAt: earlier(now.Add(life.RefreshToken), session.ExpiresAt),
		Current: fingerprint(first.secret), RotatedAt: now, User: user,
	}
	f.IdleUntil = earlier(now.Add(life.RefreshIdle), f.ExpiresAt)
	return f, first
}

// item is the row of a new family.
func (f family) item() table.Item {
	key := familyKey(f.UserID, f.ID)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: f.ExpiresAt.Unix(),
		"id": f.ID, "user_id": f.UserID, "sid": f.SessionID, "client_id": f.Client, "scope": strings.Join(f.Scopes, " "), "nonce": f.Nonce,
		"auth_time": f.AuthTime.UnixMilli(), "created_at": f.CreatedAt.UnixMilli(), "expires_at": f.ExpiresAt.UnixMilli(),
	}
	keepAudiences(item, f.Audiences)
	for _, attributes := range []map[string]any{f.rotation(), remember(f.User)} {
		for name, value := range attributes {
			item[name] = value
		}
	}
	return item
}

// rotation is what changes with every renewal.
func (f family) rotation() map[string]any {
	return map[string]any{
		"current": f.Current, "previous": f.Previous, "salt": f.Salt,
		"rotated_at": f.RotatedAt.UnixMilli(), "idle_until": f.IdleUntil.UnixMilli(),
	}
}

// remember is the user as a family keeps them.
func remember(u usersvc.User) map[string]any {
	return map[string]any{
		"user_version": u.Version, "user_roles": u.Roles, "user_name": u.Name, "user_picture": u.Picture,
		"user_email": u.Email, "user_email_verified": u.EmailVerified, "tokens_from": u.TokensFrom.Unix(),
	}
}

// readFamily returns the family of a token, whatever its state.
func readFamily(ctx context.Context, t table.Table, token refreshToken) (family, error) {
	item, err := t.Get(ctx, familyKey(token.userID, token.family))
	if errors.Is(err, table.ErrNotFound) {
		return family{}, errFamilyUnknown
	}
	if err != nil {
		return family{}, err
	}
	r := table.Reader{Item: item}
	f := family{
		ID: r.Text("id"), UserID: r.Text("user_id"), SessionID: r.Text("sid"), Client: r.Text("client_id"), Audiences: keptAudiences(&r),
		Scopes: splitScopes(r.Text("scope")), Nonce: r.Text("nonce"), AuthTime: r.Milli("auth_time"),
		CreatedAt: r.Milli("created_at"), ExpiresAt: r.Milli("expires_at"), IdleUntil: r.Milli("idle_until"),
		Current: r.Text("current"), Previous: r.Text("previous"), Salt: r.Text("salt"), RotatedAt: r.Milli("rotated_at"),
	}
	f.User = usersvc.User{
		ID: f.UserID, Version: r.Number("user_version"), Roles: r.List("user_roles"), Name: r.Text("user_name"),
		Picture: r.Text("user_picture"), Email: r.Text("user_email"), EmailVerified: r.Flag("user_email_verified"),
		TokensFrom: r.Seconds("tokens_from"),
	}
	return f, r.Err
}

// live says why no token of the family can be used now; nil means that one can.
// Both lifetimes are judged by our clock.
func (f family) live(now time.Time) error {
	if !within(now, f.CreatedAt, f.ExpiresAt) || !within(now, f.RotatedAt, f.IdleUntil) {
		return errFamilyExpired
	}
	return nil
}

// within is the family where tokens live so long by now. What was shortened
// since it began is shorter for it, too.
func (f family) within(life client.Lifetimes) family {
	f.ExpiresAt = earlier(f.ExpiresAt, f.CreatedAt.Add(life.RefreshToken))
	f.IdleUntil = earlier(earlier(f.IdleUntil, f.RotatedAt.Add(life.RefreshIdle)), f.ExpiresAt)
	return f
}

// use is what it means that somebody presents a token of a family.
type use int

const (
	useRenews  use = iota // it is the live one
	useRepeats            // its successor was issued a moment ago, and may have been lost
	useReuses             // it was used before: one of two holders is not the app
)

func (f family) use(presented refreshToken, now time.Time, grace time.Duration) use {
	h := fingerprint(presented.secret)
	switch {
	case same(h, f.Current):
		return useRenews
	case same(h, f.Previous) && grace > 0 && now.Sub(f.RotatedAt) <= grace && same(fingerprint(derive(presented.secret, f.Salt)), f.Current):
		return useRepeats
	}
	return useReuses // also a token older than the previous one, at whatever time
}

// renewed is the family after a renewal by its live token, and the successor.
func (f family) renewed(presented refreshToken, now time.Time, idle time.Duration) (family, refreshToken) {
	f.Previous, f.Salt, f.RotatedAt = f.Current, rand.Text(), now
	next := f.successor(presented)
	f.Current = fingerprint(next.secret)
	f.IdleUntil = earlier(now.Add(idle), f.ExpiresAt)
	return f, next
}

// successor is the token that follows presented.
func (f family) successor(presented refreshToken) refreshToken {
	presented.secret = derive(presented.secret, f.Salt)
	return presented
}

// is holds if there is a family and its live token has the fingerprint.
func is(current string) table.Cond { return table.Equal{Name: "current", Value: current} }

// endFamily ends a family, and the access tokens of its user by the revocation
// feed: both, or neither. A family that has ended is forgotten, and ends nothing
// more: a code that was spent stays in histories and logs, and whoever finds it
// there could keep its user out by sending it again and again.
func (s *Service) endFamily(ctx context.Context, userID, id string) error {
	row := table.Delete(familyKey(userID, id))
	_, err := s.Table.Get(ctx, row.Key)
	if errors.Is(err, table.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = s.Users.RevokeTokens(ctx, userID, row)
	}
	if errors.Is(err, usersvc.ErrForbidden) || errors.Is(err, usersvc.ErrNotFound) {
		return s.Table.Write(ctx, row) // suspended or deleted, whose tokens are dead already
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

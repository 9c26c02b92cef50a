package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Family is the refresh tokens that follow one another from one sign-in at one
// client. At any time one of them is live. The row, among those of the user,
// holds fingerprints and a salt: a token's successor is derived from the token
// and the salt. So a client that repeats a renewal whose response was lost gets
// the same successor, and a reader of the table gets nothing.
//
// The row remembers the user as they were at a version. A renewal checks in its
// write that the user still has this version, which saves a read.
type Family struct {
	ID        string
	UserID    string
	SessionID string
	Client    string   // its Ref
	Audiences []string // the APIs that tokens can be for; nil: the default audience
	Scopes    []string // requested at the sign-in: the most that a renewal can get
	Nonce     string   // of the authorization request
	Consent   string   // id of the user's consent; "" if none was needed, or the row is older than this
	AuthTime  time.Time
	CreatedAt time.Time
	ExpiresAt time.Time // however often it is renewed
	IdleUntil time.Time // unless it is renewed before

	Current   string // fingerprint of the live token's secret
	Previous  string // of its predecessor's; "" if it has none
	Older     string // of the predecessor of Previous; "" if there is none
	Salt      string // from which the live token was derived
	RotatedAt time.Time
	// PreviousAt is when Previous took the place of Older; zero if there is none.
	PreviousAt time.Time

	User usersvc.User
}

// Why a refresh token cannot be used.
var (
	ErrFamilyUnknown = errors.New("refresh token is unknown, or its family has ended")
	ErrFamilyExpired = errors.New("refresh token has expired")
	ErrFamilyReused  = errors.New("refresh token was used before: its family ends")
)

// NewFamily returns a family for a session, and its first token. The client is
// named by its Ref.
func NewFamily(clientRef string, life client.Lifetimes, a Approval, user usersvc.User, session usersvc.Session, now time.Time) (Family, RefreshToken) {
	first := RefreshToken{UserID: user.ID, Family: newFamilyID(), secret: NewSecret()}
	f := Family{
		ID: first.Family, UserID: user.ID, SessionID: session.ID, Client: clientRef, Audiences: a.Audiences, Scopes: a.Scopes, Nonce: a.Nonce, Consent: a.Consent,
		AuthTime: a.AuthTime, CreatedAt: now, ExpiresAt: earlier(now.Add(life.RefreshToken), session.ExpiresAt),
		Current: Fingerprint(first.secret), RotatedAt: now, User: user,
	}
	f.IdleUntil = earlier(now.Add(life.RefreshIdle), f.ExpiresAt)
	return f, first
}

// Put is the write that stores a new family.
func (f Family) Put() table.Write {
	key := schema.Refresh(f.UserID, f.ID)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: f.ExpiresAt.Unix(),
		"id": f.ID, "user_id": f.UserID, "sid": f.SessionID, "client_id": f.Client, "scope": strings.Join(f.Scopes, " "), "nonce": f.Nonce,
		"auth_time": f.AuthTime.UnixMilli(), "created_at": f.CreatedAt.UnixMilli(), "expires_at": f.ExpiresAt.UnixMilli(),
	}
	setAudiences(item, f.Audiences)
	setConsent(item, f.Consent)
	maps.Copy(item, f.rotation())
	maps.Copy(item, userAttributes(f.User))
	return table.Put(item).If(table.NotExists{})
}

// rotation is what changes with every renewal.
func (f Family) rotation() map[string]any {
	changes := map[string]any{
		"current": f.Current, "previous": f.Previous, "salt": f.Salt,
		"rotated_at": f.RotatedAt.UnixMilli(), "idle_until": f.IdleUntil.UnixMilli(),
	}
	if f.Older != "" {
		changes["older"], changes["previous_at"] = f.Older, f.PreviousAt.UnixMilli()
	}
	return changes
}

// userAttributes is how a family remembers its user.
func userAttributes(u usersvc.User) map[string]any {
	return map[string]any{
		"user_version": u.Version, "user_roles": u.Roles, "user_name": u.Name, "user_picture": u.Picture,
		"user_email": u.Email, "user_email_verified": u.EmailVerified, "tokens_from": u.TokensFrom.Unix(),
	}
}

// Family returns the family of a token, live or not, or [ErrFamilyUnknown].
func (s Store) Family(ctx context.Context, token RefreshToken) (Family, error) {
	item, err := s.Table.Get(ctx, schema.Refresh(token.UserID, token.Family))
	if errors.Is(err, table.ErrNotFound) {
		return Family{}, ErrFamilyUnknown
	}
	if err != nil {
		return Family{}, err
	}
	r := table.Reader{Item: item}
	f := Family{
		ID: r.Text("id"), UserID: r.Text("user_id"), SessionID: r.Text("sid"), Client: r.Text("client_id"), Audiences: audiencesOf(&r),
		Scopes: strings.Fields(r.Text("scope")), Nonce: r.Text("nonce"), Consent: consentOf(&r), AuthTime: r.Milli("auth_time"),
		CreatedAt: r.Milli("created_at"), ExpiresAt: r.Milli("expires_at"), IdleUntil: r.Milli("idle_until"),
		Current: r.Text("current"), Previous: r.Text("previous"), Salt: r.Text("salt"), RotatedAt: r.Milli("rotated_at"),
	}
	if _, ok := item["older"]; ok {
		f.Older, f.PreviousAt = r.Text("older"), r.Milli("previous_at")
	}
	f.User = usersvc.User{
		ID: f.UserID, Version: r.Number("user_version"), Roles: r.List("user_roles"), Name: r.Text("user_name"),
		Picture: r.Text("user_picture"), Email: r.Text("user_email"), EmailVerified: r.Flag("user_email_verified"),
		TokensFrom: r.Seconds("tokens_from"),
	}
	return f, r.Err
}

// Live says why no token of the family can be used now; nil means that one can.
// Both lifetimes are judged by our clock.
func (f Family) Live(now time.Time) error {
	if !Alive(now, f.CreatedAt, f.ExpiresAt) || !Alive(now, f.RotatedAt, f.IdleUntil) {
		return ErrFamilyExpired
	}
	return nil
}

// Shortened is the family with lifetimes of at most life: what was configured
// shorter since it began holds for it, too.
func (f Family) Shortened(life client.Lifetimes) Family {
	f.ExpiresAt = earlier(f.ExpiresAt, f.CreatedAt.Add(life.RefreshToken))
	f.IdleUntil = earlier(earlier(f.IdleUntil, f.RotatedAt.Add(life.RefreshIdle)), f.ExpiresAt)
	return f
}

// Use is what it means that a token of a family is presented.
type Use int

const (
	// Renews: it is the live token.
	Renews Use = iota
	// Repeats: its successor was issued a moment ago, and may have been lost.
	Repeats
	// Overtaken: its successor was used a moment ago. The holder was too slow, and
	// gets nothing.
	Overtaken
	// Reuses: it was used before, and one of two holders is not the client.
	Reuses
)

// Use judges a presented token. Grace is how long a renewal can be repeated, from
// the time when the token was replaced; 0 or less: not at all.
func (f Family) Use(presented RefreshToken, now time.Time, grace time.Duration) Use {
	h := Fingerprint(presented.secret)
	switch {
	case EqualConstantTime(h, f.Current):
		return Renews
	case EqualConstantTime(h, f.Previous) && grace > 0 && now.Sub(f.RotatedAt) <= grace &&
		EqualConstantTime(Fingerprint(Derive(presented.secret, f.Salt)), f.Current):
		return Repeats
	case EqualConstantTime(h, f.Older) && grace > 0 && now.Sub(f.PreviousAt) <= grace:
		return Overtaken
	}
	return Reuses // also a token that is older still, at whatever time
}

// Renewed is the family after a renewal by its live token, and the successor.
func (f Family) Renewed(presented RefreshToken, now time.Time, idle time.Duration) (Family, RefreshToken) {
	if f.Previous != "" {
		f.Older, f.PreviousAt = f.Previous, f.RotatedAt
	}
	f.Previous, f.Salt, f.RotatedAt = f.Current, rand.Text(), now
	next := f.Successor(presented)
	f.Current = Fingerprint(next.secret)
	f.IdleUntil = earlier(now.Add(idle), f.ExpiresAt)
	return f, next
}

// Successor is the token that follows presented.
func (f Family) Successor(presented RefreshToken) RefreshToken {
	presented.secret = Derive(presented.secret, f.Salt)
	return presented
}

// Rotate is the write that puts after in place of f, if the live token is still
// the one of f; otherwise it fails with [ErrChanged]. A user other than nil replaces the one that the row remembers.
func (f Family) Rotate(after Family, user *usersvc.User) table.Write {
	set := after.rotation()
	if user != nil {
		maps.Copy(set, userAttributes(*user))
	}
	return table.Update(schema.Refresh(f.UserID, f.ID), set).If(table.Equal{Name: "current", Value: f.Current}).Else(ErrChanged)
}

// StillThere is a check that the family has not ended; otherwise it fails with
// [ErrChanged].
func (f Family) StillThere() table.Write {
	return table.Check(schema.Refresh(f.UserID, f.ID), table.Exists{}).Else(ErrChanged)
}

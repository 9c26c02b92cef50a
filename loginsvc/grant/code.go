package grant

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Code is an authorization code and what it stands for.
type Code struct {
	Approval
	Client      string // its Ref
	RedirectURI string
	Challenge   string // of PKCE; "" by an exception of the client
	CreatedAt   time.Time
	ExpiresAt   time.Time

	Spent  bool   // redeemed
	Tries  int64  // wrong verifiers so far
	Family string // id of the family that it was redeemed for; "" if none

	row table.Key
}

// maxTries is how many wrong verifiers make a code useless.
const maxTries = 5

// Why a code cannot be redeemed.
var (
	ErrCodeUnknown = errors.New("code is unknown")
	ErrCodeSpent   = errors.New("code was redeemed before")
	ErrCodeBurnt   = errors.New("code had too many wrong verifiers")
	ErrCodeExpired = errors.New("code has expired")
)

func codeKey(rawCode string) table.Key {
	return schema.Code(Fingerprint(rawCode))
}

// PutCode stores c under a new code, which it returns.
func (s Store) PutCode(ctx context.Context, c Code) (rawCode string, err error) {
	rawCode = NewSecret()
	key := codeKey(rawCode)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: c.ExpiresAt.Unix(),
		"client_id": c.Client, "redirect_uri": c.RedirectURI, "challenge": c.Challenge, "nonce": c.Nonce,
		"scope": strings.Join(c.Scopes, " "), "user_id": c.UserID, "sid": c.SessionID, "auth_time": c.AuthTime.Unix(),
		"created_at": c.CreatedAt.Unix(), "expires_at": c.ExpiresAt.Unix(),
		"spent": false, "tries": int64(0), "family": "",
	}
	setAudiences(item, c.Audiences)
	setConsent(item, c.Consent)
	return rawCode, s.Table.Write(ctx, table.Put(item).If(table.NotExists{}))
}

// Code returns the code, live or not, or [ErrCodeUnknown].
func (s Store) Code(ctx context.Context, rawCode string) (Code, error) {
	key := codeKey(rawCode)
	item, err := s.Table.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		return Code{}, ErrCodeUnknown
	}
	if err != nil {
		return Code{}, err
	}
	r := table.Reader{Item: item}
	c := Code{
		Approval: Approval{
			UserID: r.Text("user_id"), SessionID: r.Text("sid"), AuthTime: r.Seconds("auth_time"),
			Scopes: strings.Fields(r.Text("scope")), Audiences: audiencesOf(&r), Nonce: r.Text("nonce"), Consent: consentOf(&r), At: r.Seconds("created_at"),
		},
		Client: r.Text("client_id"), RedirectURI: r.Text("redirect_uri"), Challenge: r.Text("challenge"),
		CreatedAt: r.Seconds("created_at"), ExpiresAt: r.Seconds("expires_at"),
		Spent: r.Flag("spent"), Tries: r.Number("tries"), Family: r.Text("family"),
		row: key,
	}
	return c, r.Err
}

// Live says why the code cannot be redeemed now; nil means that it can.
func (c Code) Live(now time.Time) error {
	switch {
	case c.Spent:
		return ErrCodeSpent
	case c.Tries >= maxTries:
		return ErrCodeBurnt
	case !Alive(now, c.CreatedAt, c.ExpiresAt):
		return ErrCodeExpired
	}
	return nil
}

// Spend is the write that redeems the code. Of several that race, its condition
// lets one through; the others fail with [ErrSpent]. It does not judge expiry: the same request did, a
// moment ago. The family is the one that the code is redeemed for, or "".
func (c Code) Spend(family string) table.Write {
	return table.Update(c.row, map[string]any{"spent": true, "family": family}).If(table.All{
		table.Equal{Name: "spent", Value: false},
		table.Less{Name: "tries", Value: int64(maxTries)},
	}).Else(ErrSpent)
}

// CountFailedVerifier counts a wrong verifier against the code.
func (s Store) CountFailedVerifier(ctx context.Context, c Code) error {
	err := s.Table.Write(ctx, table.Update(c.row, nil).Adding("tries", 1).If(table.Exists{}))
	if errors.Is(err, table.ErrConditionFailed) {
		return nil // it was deleted meanwhile
	}
	return err
}

package loginsvc

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// code is an authorization code and what it stands for. Its row is kept under
// the code's fingerprint, so that a dump of the table redeems nothing.
type code struct {
	approval
	Client      string // its Ref
	RedirectURI string
	Challenge   string
	CreatedAt   time.Time
	ExpiresAt   time.Time

	Spent  bool   // redeemed
	Tries  int64  // wrong verifiers so far
	Family string // the refresh tokens that it was redeemed for; "" if none
}

// maxCodeTries is how many wrong verifiers burn a code.
const maxCodeTries = 5

var (
	errCodeUnknown = errors.New("code is unknown")
	errCodeSpent   = errors.New("code was redeemed before")
	errCodeBurnt   = errors.New("code had too many wrong verifiers")
	errCodeExpired = errors.New("code has expired")
)

func codeKey(rawCode string) table.Key {
	return schema.Code(fingerprint(rawCode))
}

// putCode stores c under a new code, which it returns.
func putCode(ctx context.Context, t table.Table, c code) (rawCode string, err error) {
	rawCode = newSecret()
	key := codeKey(rawCode)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: c.ExpiresAt.Unix(),
		"client_id": c.Client, "redirect_uri": c.RedirectURI, "challenge": c.Challenge, "nonce": c.Nonce,
		"scope": strings.Join(c.Scopes, " "), "user_id": c.UserID, "sid": c.SessionID, "auth_time": c.AuthTime.Unix(),
		"created_at": c.CreatedAt.Unix(), "expires_at": c.ExpiresAt.Unix(),
		"spent": false, "tries": int64(0), "family": "",
	}
	keepAudiences(item, c.Audiences)
	return rawCode, t.Write(ctx, table.Put(item).If(table.NotExists{}))
}

// readCode returns the code as it is kept, live or not.
func readCode(ctx context.Context, t table.Table, rawCode string) (code, error) {
	item, err := t.Get(ctx, codeKey(rawCode))
	if errors.Is(err, table.ErrNotFound) {
		return code{}, errCodeUnknown
	}
	if err != nil {
		return code{}, err
	}
	r := table.Reader{Item: item}
	c := code{
		approval: approval{
			UserID: r.Text("user_id"), SessionID: r.Text("sid"), AuthTime: r.Seconds("auth_time"),
			Scopes: splitScopes(r.Text("scope")), Audiences: keptAudiences(&r), Nonce: r.Text("nonce"),
		},
		Client: r.Text("client_id"), RedirectURI: r.Text("redirect_uri"), Challenge: r.Text("challenge"),
		CreatedAt: r.Seconds("created_at"), ExpiresAt: r.Seconds("expires_at"),
		Spent: r.Flag("spent"), Tries: r.Number("tries"), Family: r.Text("family"),
	}
	return c, r.Err
}

// live says why the code cannot be redeemed now; nil means that it can. A clock
// that was set back does not bring codes back to life.
func (c code) live(now time.Time) error {
	switch {
	case c.Spent:
		return errCodeSpent
	case c.Tries >= maxCodeTries:
		return errCodeBurnt
	case !within(now, c.CreatedAt, c.ExpiresAt):
		return errCodeExpired
	}
	return nil
}

// spend is the one write that redeems a code: of any number that race, the
// condition lets one through. It cannot expire between the check and the write,
// which are of one request. The family is that of the refresh token that is
// issued for the code, or "".
func spend(rawCode, family string) table.Write {
	return table.Update(codeKey(rawCode), map[string]any{"spent": true, "family": family}).If(table.All{
		table.Equal{Name: "spent", Value: false},
		table.Less{Name: "tries", Value: int64(maxCodeTries)},
	})
}

// blame counts a wrong verifier against the code.
func blame(ctx context.Context, t table.Table, rawCode string) error {
	err := t.Write(ctx, table.Update(codeKey(rawCode), nil).Adding("tries", 1).If(table.Exists{}))
	if errors.Is(err, table.ErrConditionFailed) {
		return nil // it was deleted meanwhile
	}
	return err
}

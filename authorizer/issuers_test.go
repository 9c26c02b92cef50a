package authorizer_test

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

const pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E"

// cognitoToken is an access token of the pool, signed by k.
func (w *world) cognitoToken(k tokentest.Key, issuer, sub string) string {
	now := w.clock.Now().Unix()
	return tokentest.Sign(k, fmt.Sprintf(`{"alg":"RS256","kid":%q}`, k.ID()),
		fmt.Sprintf(`{"iss":%q,"sub":%q,"token_use":"access","client_id":"web","scope":"orders/read","cognito:groups":["admins","x"],"username":"n","jti":"j","iat":%d,"exp":%d}`, issuer, sub, now, now+3600))
}

func withPool(keys func(context.Context, string) (*rsa.PublicKey, error)) func(*authorizer.Config) {
	return func(c *authorizer.Config) {
		c.Issuers = []authorizer.Issuer{{URL: pool, Profile: "cognito", Audiences: []string{"web"}, Keys: keys, Roles: map[string]string{"admins": "admin"}}}
	}
}

func TestIssuers(t *testing.T) {
	rules := []policy.Rule{{Route: "GET /admin", Roles: []string{"admin"}}, {Route: "POST /pay", Fresh: true}}
	s := serveFeed(t)
	w := newWorld(t, rules, withPool(token.Keys(tokentest.Foreign().Public())), func(c *authorizer.Config) {
		c.Revocations, _ = authorizer.NewFeed(authorizer.FeedConfig{URL: s.URL, Now: c.Now, Log: silent})
	})
	theirs := w.cognitoToken(tokentest.Foreign(), pool, "n1")
	w.expect(t, "GET /admin", theirs, allowed, "")
	w.expect(t, "GET /admin", theirs, allowed, "") // as it is remembered
	answer, err := w.ask(t, httpAPI("Bearer "+theirs))
	if got := object(answer, "context"); err != nil || got["sub"] != pool+"#n1" || got["roles"] != "admin" || got["client_id"] != "web" || got["scope"] != "orders/read" {
		t.Errorf("%v, %v", got, err)
	}
	w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), allowed, "")
	// Each issuer's keys are for its own tokens.
	w.expect(t, "GET /", w.cognitoToken(tokentest.Ours(), pool, "n1"), refused, token.ReasonKeyUnknown)
	w.expect(t, "GET /", w.cognitoToken(tokentest.Foreign(), issuer, "n1"), refused, token.ReasonType)
	w.expect(t, "GET /", w.cognitoToken(tokentest.Foreign(), pool+"x", "n1"), refused, token.ReasonType)
	// Nothing is fresh about what the login service does not know.
	w.expect(t, "POST /pay", theirs, refused, token.ReasonIssuer)
	// Our revocation ends their tokens.
	w.expect(t, "GET /", w.cognitoToken(tokentest.Foreign(), pool, "n2"), allowed, "")
	s.change(func(s *feedServer) { s.revokeSubject(pool+"#n1", w.clock.Now().Add(time.Second)) })
	w.clock.Pass(4 * time.Second)
	w.expect(t, "GET /", theirs, refused, authorizer.ReasonRevoked)
	w.expect(t, "GET /", w.cognitoToken(tokentest.Foreign(), pool, "n2"), allowed, "")

	t.Run("a token that is older than max_age is refused, also if it is remembered", func(t *testing.T) {
		w := newWorld(t, nil, withPool(token.Keys(tokentest.Foreign().Public())))
		theirs := w.cognitoToken(tokentest.Foreign(), pool, "n1")
		w.clock.Pass(time.Hour - time.Second)
		w.expect(t, "GET /", theirs, allowed, "")
		w.clock.Pass(time.Second)
		w.expect(t, "GET /", theirs, refused, token.ReasonTooOld)
	})
	t.Run("an issuer that is down refuses its own tokens alone", func(t *testing.T) {
		w := newWorld(t, nil, withPool(func(context.Context, string) (*rsa.PublicKey, error) { return nil, errors.New("down") }))
		w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), allowed, "")
		if answer, err := w.ask(t, httpAPI("Bearer "+w.cognitoToken(tokentest.Foreign(), pool, "n1"))); err == nil {
			t.Error(answer)
		}
		w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), allowed, "")
	})
}

func TestIssuersRefused(t *testing.T) {
	good := authorizer.Issuer{URL: pool, Profile: "cognito", Audiences: []string{"web"}, Keys: token.Keys()}
	for name, test := range map[string]struct {
		change func(*authorizer.Issuer)
		want   string
	}{
		"an unknown profile":      {func(i *authorizer.Issuer) { i.Profile = "google" }, "want one of rfc9068, cognito, auth0"},
		"another form of address": {func(i *authorizer.Issuer) { i.URL += "/" }, "letter for letter"},
		"no audience":             {func(i *authorizer.Issuer) { i.Audiences = nil }, "tokens for any API would be accepted"},
		"an empty audience":       {func(i *authorizer.Issuer) { i.Audiences = []string{"web", ""} }, "tokens for any API would be accepted"},
		"a realm's account": {func(i *authorizer.Issuer) {
			*i = authorizer.Issuer{URL: "https://k.test/realms/a", Profile: "keycloak", Audiences: []string{"account"}, Keys: token.Keys()}
		}, "name your API"},
		"our own address": {func(i *authorizer.Issuer) {
			*i = authorizer.Issuer{URL: issuer, Profile: "rfc9068", Audiences: []string{"a"}, Keys: token.Keys()}
		}, "two issuers with this address"},
		"an age of days": {func(i *authorizer.Issuer) { i.MaxAge = 48 * time.Hour }, "at most 24h"},
		"no keys":        {func(i *authorizer.Issuer) { i.Keys = nil }, "Keys is nil"},
	} {
		one := good
		test.change(&one)
		c := authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys(), Issuers: []authorizer.Issuer{one}}
		if a, err := authorizer.New(c); err == nil || a != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	many := authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys(), Issuers: []authorizer.Issuer{good, good}}
	if _, err := authorizer.New(many); err == nil || !strings.Contains(err.Error(), "two issuers") {
		t.Error(err)
	}
	many.Issuers = nil
	for i := range 11 {
		one := good
		one.URL += fmt.Sprint(i)
		many.Issuers = append(many.Issuers, one)
	}
	if _, err := authorizer.New(many); err == nil || !strings.Contains(err.Error(), "at most 10") {
		t.Error(err)
	}
}

package explain_test

import (
	"context"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/explain"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

const (
	issuer   = "https://auth.example.com"
	audience = issuer + "/api"
)

var now = time.Unix(1_800_000_000, 0)

func TestAsk(t *testing.T) {
	key, err := localkey.Generate()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Compile([]policy.Rule{
		{Route: "GET /users", Roles: []string{"admin", "support"}},
		{Route: "GET /", Roles: []string{"admin"}},
		{Route: "GET /orders", AllScopes: []string{"orders:read", "profile"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	access := func(change func(*token.Access)) string {
		a := token.Access{Issuer: issuer, Subject: "u_1", Audience: audience, ClientID: "app", SessionID: "s_1", Scopes: []string{"openid"},
			Roles: []string{"user"}, IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute)}
		change(&a)
		rawToken, err := a.Sign(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return rawToken
	}
	good := access(func(*token.Access) {})
	idToken, err := token.ID{Issuer: issuer, Subject: "u_1", Audience: "app", IssuedAt: now, ExpiresAt: now.Add(time.Minute)}.Sign(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, rawToken, route, reason, because string
	}{
		{"good", good, "GET /me", "", "the token is good, and the route lets its bearer in"},
		{"a route without a rule", good, "", "", "the token is good, and the route lets its bearer in"},
		{"no route", good, "nonsense", "route", "there is no such route: write a method and a path, such as 'GET /users'"},
		{"without the role", good, "GET /users", "role", "the route wants the role admin or support"},
		{"without the scopes", good, "GET /orders", "scope", "the route wants all of the scopes orders:read and profile"},
		{"an ID token", idToken, "GET /me", "typ", "it is no access token (typ at+jwt): an ID token tells an app who signed in, and opens no API"},
		{"expired", access(func(a *token.Access) { a.IssuedAt, a.ExpiresAt = now.Add(-time.Hour), now.Add(-time.Minute) }), "GET /me", "expired", "it expired 30s ago: get a new one"},
		{"for another API", access(func(a *token.Access) { a.Audience = "x" }), "GET /me", "audience", "it is for another API (aud)"},
		{"of another issuer", access(func(a *token.Access) { a.Issuer = "https://x.example" }), "GET /me", "issuer", "another issuer issued it (iss)"},
		{"changed", good[:len(good)-20] + "AAAA" + good[len(good)-16:], "GET /me", "signature", "the key did not sign this: it has been changed"},
		{"half a token", good[:100], "GET /me", "malformed", "it is not three parts of base64url with JSON in them: was all of it copied?"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, err := explain.Ask(t.Context(), explain.Question{
				RawToken: row.rawToken, Route: row.route, Issuer: issuer, Audience: audience, Keys: token.Keys(key.Public()), Policy: rules,
				Now: func() time.Time { return now },
			})
			if err != nil {
				t.Fatal(err)
			}
			if a.Reason != row.reason || a.Because != row.because || a.Allowed != (row.reason == "") {
				t.Errorf("%+v", a)
			}
			if a.Allowed && a.Identity["sub"] != "u_1" {
				t.Errorf("identity %v", a.Identity)
			}
			if row.name != "half a token" && a.UnverifiedClaims["sub"] != "u_1" {
				t.Errorf("claims %v", a.UnverifiedClaims)
			}
		})
	}
}

// Keys that cannot be had say nothing about the token.
func TestTrouble(t *testing.T) {
	key, err := localkey.Generate()
	if err != nil {
		t.Fatal(err)
	}
	rawToken, err := token.Access{Issuer: issuer, Subject: "u_1", Audience: audience, ClientID: "app", IssuedAt: now, ExpiresAt: now.Add(time.Minute)}.Sign(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	down := func(context.Context, string) (*rsa.PublicKey, error) {
		return nil, errors.New("the keys are out of reach")
	}
	_, err = explain.Ask(t.Context(), explain.Question{RawToken: rawToken, Issuer: issuer, Audience: audience, Keys: down})
	if err == nil || !strings.Contains(err.Error(), "out of reach") {
		t.Errorf("%v", err)
	}
}

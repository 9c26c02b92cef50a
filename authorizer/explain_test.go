package authorizer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// tampered is the token with one byte of its signature changed.
func tampered(rawToken string) string {
	i := len(rawToken) - 20
	c := "A"
	if rawToken[i:i+1] == c {
		c = "B"
	}
	return rawToken[:i] + c + rawToken[i+1:]
}

func TestExplain(t *testing.T) {
	w := newWorld(t, []policy.Rule{
		{Route: "GET /admin", Roles: []string{"admin", "owner"}, AllScopes: []string{"openid"}},
		{Route: "GET /me"},
	})
	lin, ada := w.rawToken(t, "u_lin", "user|openid notes"), w.rawToken(t, "u_ada", "admin|openid")
	for _, test := range []struct {
		rawToken, route string
		want            authorizer.Reason
		detail          string
	}{
		{ada, "GET /admin", "", `the rule for "GET /admin" requires one of the roles admin, owner and the scope openid, which it has`},
		{lin, "GET /me", "", `the rule for "GET /me" requires nothing else`},
		{lin, "GET /other", "", "the token is valid, and the route has no rule"},
		{lin, "GET /admin", authorizer.ReasonRole, `requires one of the roles admin, owner and the scope openid; the token has the roles [user] and the scopes [openid notes]`},
		{lin, "GET", authorizer.ReasonRoute, "GET /users/{id}"},
		{"", "GET /me", authorizer.ReasonTokenMissing, "no token"},
		{lin + " " + ada, "GET /me", authorizer.ReasonTokenDoubled, "exactly one"},
		{tampered(lin), "GET /me", token.ReasonSignature, "the token was changed"},
	} {
		e, err := w.Explain(t.Context(), test.rawToken, test.route)
		if err != nil || e.Allowed != (test.want == "") || e.Reason != test.want || !strings.Contains(e.Detail, test.detail) {
			t.Errorf("%s: %+v, %v, want %q: %s", test.route, e, err, test.want, test.detail)
		}
		if known := test.want == "" || test.want == authorizer.ReasonRole || test.want == authorizer.ReasonRoute; known != (e.Identity["sub"] != nil) {
			t.Errorf("%s: identity %v", test.route, e.Identity)
		}
	}
	t.Run("without a route key, the route has no rule", func(t *testing.T) {
		e, err := w.Explain(t.Context(), lin, "")
		if err != nil || !e.Allowed || e.Status != 200 || e.Rule != nil || e.Route != "" {
			t.Errorf("%+v, %v", e, err)
		}
	})
	t.Run("an expired token, by how much", func(t *testing.T) {
		w.clock.Pass(11 * time.Minute)
		e, err := w.Explain(t.Context(), lin, "GET /me")
		if err != nil || e.Detail != "it expired, and the leeway ended 30s ago: get a new one" || e.Identity != nil {
			t.Errorf("%+v, %v", e, err)
		}
	})
	if line := w.logged(); line != "" {
		t.Errorf("logged %q", line)
	}
}

// Explain and the authorizer are one: they say the same about every token.
func TestExplainAgrees(t *testing.T) {
	w := newWorld(t, nil)
	known := map[authorizer.Reason]bool{}
	for _, reason := range authorizer.Reasons() {
		known[reason] = true
	}
	for _, row := range tokens() {
		e, err := w.Explain(t.Context(), row.RawToken, "GET /notes/{id}")
		got, why := w.call(t, "GET /notes/{id}", row.RawToken)
		if err != nil || e.Allowed != (got == allowed) || e.Reason != why {
			t.Errorf("%s: %+v, %v; the authorizer says %d %q", row.Name, e, err, got, why)
		}
		if !e.Allowed && (!known[e.Reason] || e.Detail == "" || strings.Contains(e.Detail, "%!")) {
			t.Errorf("%s: %q, %q", row.Name, e.Reason, e.Detail)
		}
		silentAbout(t, row.RawToken, e.Detail)
	}
}

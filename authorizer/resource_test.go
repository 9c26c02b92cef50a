package authorizer_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
)

func TestResourceMetadata(t *testing.T) {
	t.Parallel()
	m := authorizer.ResourceMetadata{Resource: "https://api.example.com/mcp", Issuer: "https://auth.example.com", Scopes: []string{"notes:read"}, Name: "Notes"}
	for resource, want := range map[string]string{
		"https://api.example.com/mcp": "https://api.example.com/.well-known/oauth-protected-resource/mcp", "https://api.example.com": "https://api.example.com/.well-known/oauth-protected-resource",
		"https://api.example.com/": "https://api.example.com/.well-known/oauth-protected-resource", "https://api.example.com:8443/a/b%20c": "https://api.example.com:8443/.well-known/oauth-protected-resource/a/b%20c",
		"notes": "",
	} {
		if got := (authorizer.ResourceMetadata{Resource: resource}).URL(); got != want {
			t.Errorf("%s: %s", resource, got)
		}
	}
	serve := func(method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		return w
	}
	got := serve(http.MethodGet)
	var described map[string]any
	if err := json.Unmarshal(got.Body.Bytes(), &described); err != nil || got.Code != http.StatusOK || described["resource"] != m.Resource ||
		described["authorization_servers"].([]any)[0] != m.Issuer || described["scopes_supported"].([]any)[0] != "notes:read" || described["resource_name"] != "Notes" {
		t.Errorf("%d %s %v", got.Code, got.Body, err)
	}
	if got.Header().Get("Access-Control-Allow-Origin") != "*" || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%v", got.Header())
	}
	if w := serve(http.MethodOptions); w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") != "*" {
		t.Errorf("a preflight: %d %v", w.Code, w.Header())
	}
	if w := serve(http.MethodPost); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

// TestChallenges: a client learns where the login service is and which scopes to ask for.
func TestChallenges(t *testing.T) {
	t.Parallel()
	const metadata = `resource_metadata="https://api.test/.well-known/oauth-protected-resource/mcp"`
	rules := []policy.Rule{
		{Route: "POST /mcp", Scopes: []string{"notes:read", "notes:write"}, AllScopes: []string{"mcp"}}, {Route: "GET /admin", Roles: []string{"admin"}},
		{Route: "GET /plain"}, {Route: "POST /pay", MaxAuthAge: policy.Span(time.Minute)},
	}
	w := newWorld(t, rules, func(c *authorizer.Config) {
		c.Resource = &authorizer.ResourceMetadata{Resource: "https://api.test/mcp", Scopes: []string{"all"}}
	})
	lin := "Bearer " + w.rawToken(t, "u_lin", "user") // of a sign-in a minute before
	w.clock.Pass(time.Second)
	for _, test := range []struct {
		name, pattern, token string
		status               int
		want                 string
	}{
		{"no token", "POST /mcp", "", 401, `Bearer scope="notes:read mcp", ` + metadata},
		{"an expired or foreign token", "POST /mcp", "Bearer x.y.z", 401, `Bearer error="invalid_token", scope="notes:read mcp", ` + metadata},
		{"a missing scope", "POST /mcp", lin, 403, `Bearer error="insufficient_scope", scope="notes:read mcp", ` + metadata},
		{"a missing role, which no scope gives", "GET /admin", lin, 403, `Bearer error="insufficient_scope", ` + metadata},
		{"a route whose rule names no scope", "GET /plain", "", 401, `Bearer scope="all", ` + metadata},
		{"a route without a rule", "GET /other", "", 401, `Bearer scope="all", ` + metadata},
		{"an old sign-in", "POST /pay", lin, 401, `Bearer error="insufficient_user_authentication", error_description="A more recent sign-in is required", max_age="60", ` + metadata},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if test.token != "" {
			r.Header.Set("Authorization", test.token)
		}
		rw := httptest.NewRecorder()
		w.Guard(test.pattern, http.NotFoundHandler()).ServeHTTP(rw, r)
		if rw.Code != test.status || rw.Header().Get("WWW-Authenticate") != test.want {
			t.Errorf("%s: %d %s", test.name, rw.Code, rw.Header().Get("WWW-Authenticate"))
		}
	}
}

package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

// TestUpstreamForPages has a page on its own origin call an API that knows no
// CORS, and one that does.
func TestUpstreamForPages(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/own":
			w.Header().Set("Access-Control-Allow-Origin", "https://own.example")
		case r.Method == http.MethodOptions:
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
	t.Cleanup(api.Close)
	dir := t.TempDir()
	put(t, dir, "gatehouse.yml", `
routes: [{route: 'ANY /orders/{proxy+}', roles: [user]}, {route: GET /docs, public: true}, {route: $default, roles: [user]}, {route: $connect}]
clients:
  - {id: spa, redirect_uris: [https://app.example/], origins: [https://app.example], scopes: [openid]}
`)
	s := running(t, server.Options{Upstream: api.URL, Config: filepath.Join(dir, "gatehouse.yml")})
	lin := tokens(t, s, "lin").AccessToken
	for _, tc := range []struct {
		method, path, origin string
		status               int
		allowed              string
	}{
		{"GET", "/docs", "https://app.example", 200, "https://app.example"},
		{"OPTIONS", "/orders/7", "https://app.example", 204, "https://app.example"},
		{"OPTIONS", "/anything", "https://app.example", 204, "https://app.example"},
		{"OPTIONS", "/anything", "https://evil.example", 405, ""},
		{"OPTIONS", "/own", "https://app.example", 200, "https://own.example"},
		{"GET", "/orders/7", "https://app.example", 200, "https://app.example"},
		{"GET", "/orders/7", "https://evil.example", 200, ""},
		{"GET", "/own", "https://app.example", 200, "https://own.example"},
	} {
		rawToken := lin
		if tc.method == "OPTIONS" || tc.path == "/docs" {
			rawToken = ""
		}
		got := ask(t, tc.method, s.Issuer+tc.path, rawToken, "Origin", tc.origin, "Access-Control-Request-Method", "GET")
		if got.status != tc.status || got.header.Get("Access-Control-Allow-Origin") != tc.allowed {
			t.Errorf("%+v: %d %v", tc, got.status, got.header)
		}
	}
	for origin, allowed := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": ""} {
		if got := ask(t, "GET", s.Issuer+"/orders/7", "", "Origin", origin); got.status != 401 || got.header.Get("Access-Control-Allow-Origin") != allowed {
			t.Errorf("without a token, from %s: %d %v", origin, got.status, got.header)
		}
	}
}

// TestUpstream puts an API that echoes its requests behind the authorizer.
func TestUpstream(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Own", "kept")
		json.NewEncoder(w).Encode(map[string]any{"header": r.Header, "target": r.RequestURI, "method": r.Method, "body": string(body)})
	}))
	t.Cleanup(api.Close)
	rules := filepath.Join(t.TempDir(), "gatehouse.yml")
	if err := os.WriteFile(rules, []byte("routes:\n  - route: DELETE /orders/{id}\n    roles: [admin]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := running(t, server.Options{Upstream: api.URL, Config: rules})
	lin, ada := tokens(t, s, "lin").AccessToken, tokens(t, s, "ada").AccessToken
	me := ask(t, "GET", s.Issuer+"/me", lin).json(t)

	t.Run("it is told who calls", func(t *testing.T) {
		got := ask(t, "GET", s.Issuer+"/orders/7?page=2", lin)
		echo := got.json(t)
		h := echo["header"].(map[string]any)
		for name, want := range map[string]string{
			"X-Gatehouse-Sub": me["id"].(string), "X-Gatehouse-Name": "Lin", "X-Gatehouse-Email": "lin@example.com",
			"X-Gatehouse-Roles": "user", "X-Gatehouse-Scope": "openid profile email", "X-Gatehouse-Client-Id": "demo-spa",
		} {
			if values, _ := h[name].([]any); len(values) != 1 || values[0] != want {
				t.Errorf("%s: %v, want %s", name, h[name], want)
			}
		}
		if echo["target"] != "/orders/7?page=2" || got.header.Get("X-Own") != "kept" {
			t.Errorf("%v %v", echo["target"], got.header)
		}
	})
	t.Run("nobody can pretend, and no token or cookie gets there", func(t *testing.T) {
		echo := ask(t, "GET", s.Issuer+"/orders", lin, "X-Gatehouse-Sub", "u_ada", "X_gatehouse_roles", "admin", "x-GATEHOUSE-Admin", "1",
			"Cookie", "gatehouse_session=s3cret").json(t)
		text, err := json.Marshal(echo)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"u_ada", "admin", "Admin", "s3cret", "Bearer", lin} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%q got through: %s", bad, text)
			}
		}
	})
	t.Run("a stranger does not reach it", func(t *testing.T) {
		if got := ask(t, "GET", s.Issuer+"/orders", ""); got.status != 401 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("rules of gatehouse.yml hold for it", func(t *testing.T) {
		if got := ask(t, "DELETE", s.Issuer+"/orders/7", lin); got.status != 403 {
			t.Errorf("Lin: %+v", got)
		}
		if got := ask(t, "DELETE", s.Issuer+"/orders/7", ada); got.status != 200 {
			t.Errorf("Ada: %+v", got)
		}
	})
	t.Run("when it is down, one is told so", func(t *testing.T) {
		api.Close()
		if got := ask(t, "GET", s.Issuer+"/orders", lin); got.status != 502 || !strings.Contains(got.body, "is your API running there?") {
			t.Errorf("%+v", got)
		}
	})
}

// TestUpstreamBehindMiddleware has a Go server find the caller in the headers that dev
// sends, as it does behind a gateway's HTTP_PROXY integration.
func TestUpstreamBehindMiddleware(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	handler, err := identity.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := identity.FromContext(r.Context())
		json.NewEncoder(w).Encode(who.Map())
	}), secret)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(handler)
	t.Cleanup(api.Close)
	s := running(t, server.Options{Upstream: api.URL, Getenv: func(name string) string {
		return map[string]string{"GATEHOUSE_UPSTREAM_SECRET": secret}[name]
	}})
	lin := tokens(t, s, "lin").AccessToken
	me := ask(t, "GET", s.Issuer+"/me", lin).json(t)
	for name, headers := range map[string][]string{
		"as it comes":        nil,
		"with a forged name": {"X-Gatehouse-Sub", "u_ada", "X_Gatehouse_Roles", "admin", "X-Gatehouse-Secret", "guess"},
	} {
		got := ask(t, "GET", s.Issuer+"/orders", lin, headers...).json(t)
		if got["sub"] != me["id"] || got["roles"] != "user" || got["email"] != "lin@example.com" || got["first_party"] != "true" || got["exp"] == "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := ask(t, "GET", api.URL+"/orders", "", "X-Gatehouse-Sub", "u_ada"); got.status != 403 {
		t.Errorf("past the gateway: %+v", got)
	}
}

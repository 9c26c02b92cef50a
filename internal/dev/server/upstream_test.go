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

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

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

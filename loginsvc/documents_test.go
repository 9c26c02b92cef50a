package loginsvc_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.RoleScopes = map[string][]string{"user": {"notes:read"}, "admin": {"notes:write", "notes:read"}}
	w.rebuild()
	p := w.program()
	const path = "/.well-known/openid-configuration"
	doc := p.get(path).json(t)
	t.Run("S94 the issuer", func(t *testing.T) {
		if doc["issuer"] != issuer {
			t.Errorf("%v", doc["issuer"])
		}
	})
	list := func(name string) []string {
		var values []string
		all, _ := doc[name].([]any)
		for _, v := range all {
			s, _ := v.(string)
			values = append(values, s)
		}
		return values
	}
	t.Run("S95 what is listed works", func(t *testing.T) {
		for name, want := range map[string]any{
			"authorization_response_iss_parameter_supported": true, "request_parameter_supported": false, "request_uri_parameter_supported": false,
			"claims_parameter_supported": false, "end_session_endpoint": issuer + "/logout", "userinfo_endpoint": issuer + "/userinfo",
		} {
			if doc[name] != want {
				t.Errorf("%s: %v", name, doc[name])
			}
		}
		for name, want := range map[string][]string{
			"code_challenge_methods_supported": {"S256"}, "subject_types_supported": {"public"}, "id_token_signing_alg_values_supported": {"RS256"},
			"response_types_supported": {"code"}, "response_modes_supported": {"query", "form_post"},
			"token_endpoint_auth_methods_supported": {"none", "client_secret_basic", "client_secret_post"},
		} {
			if got := list(name); !slices.Equal(got, want) {
				t.Errorf("%s: %v", name, got)
			}
		}
		for _, endpoint := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri"} {
			url, _ := doc[endpoint].(string)
			if a := p.get(url); !strings.HasPrefix(url, issuer+"/") || a.StatusCode == http.StatusNotFound {
				t.Errorf("%s: %s: %d", endpoint, url, a.StatusCode)
			}
		}
		for _, grant := range list("grant_types_supported") {
			if got := p.post("/token", redemption("x", "grant_type", grant)).json(t)["error"]; got == "unsupported_grant_type" {
				t.Errorf("grant %s: %v", grant, got)
			}
		}
		for _, scope := range list("scopes_supported") {
			if !slices.Contains([]string{"openid", "profile", "email", "offline_access", "notes:read", "notes:write"}, scope) {
				t.Errorf("scope %s", scope)
			}
		}
		for _, prompt := range list("prompt_values_supported") {
			if got := w.browser().get("/authorize?" + authorize("prompt", prompt).Encode()).location(); got != nil && got.Query().Get("error") == "invalid_request" {
				t.Errorf("prompt %s: %v", prompt, got)
			}
		}
		claims := w.idToken(w.tokens(w.browser().code("lin"))["id_token"], "spa").Claims
		for _, claim := range []string{"name", "email", "email_verified"} {
			if _, ok := claims[claim]; !ok || !slices.Contains(list("claims_supported"), claim) {
				t.Errorf("claim %s", claim)
			}
		}
	})
	t.Run("S95 what is listed is deployed", func(t *testing.T) {
		deployed, err := os.ReadFile("../serverless.yml")
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range doc {
			url, _ := value.(string)
			path, ours := strings.CutPrefix(url, issuer)
			if ours && path != "" && !strings.Contains(string(deployed), " "+path+"\n") {
				t.Errorf("%s: no route %s", name, path)
			}
		}
	})
	t.Run("S96 both documents agree", func(t *testing.T) {
		if a, b := p.get(path).body, p.get("/.well-known/oauth-authorization-server").body; a != b {
			t.Errorf("%s\n%s", a, b)
		}
	})
	t.Run("it can be cached and read by scripts", func(t *testing.T) { cacheable(t, p, path) })
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	const path = "/.well-known/jwks.json"
	w := newWorld(t)
	p := w.program()
	t.Run("S97 public RSA keys for signatures", func(t *testing.T) {
		var set struct{ Keys []map[string]any }
		if err := json.Unmarshal([]byte(p.get(path).body), &set); err != nil {
			t.Fatal(err)
		}
		if len(set.Keys) != 1 {
			t.Fatalf("%d keys", len(set.Keys))
		}
		for _, k := range set.Keys {
			n, _ := k["n"].(string)
			if k["kty"] != "RSA" || k["use"] != "sig" || k["alg"] != "RS256" || k["kid"] != keys.Thumbprint(signer().Public()) || len(n) < 342 || len(k) != 6 {
				t.Errorf("%v", k)
			}
		}
	})
	t.Run("S98 it can be cached", func(t *testing.T) {
		cacheable(t, p, path)
		if got := p.get(path).Header.Get("Content-Type"); got != "application/jwk-set+json" {
			t.Errorf("Content-Type %q", got)
		}
	})
	t.Run("S102 never an empty set", func(t *testing.T) {
		for name, source := range map[string]func(context.Context) (keys.Set, error){
			"no key":      func(context.Context) (keys.Set, error) { return keys.Set{}, nil },
			"unavailable": keys.Static(nil),
		} {
			w.config.Keys = source
			w.rebuild()
			if a := p.get(path); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store" || strings.Contains(a.body, `"keys"`) {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
		w.config.Keys = func(context.Context) (keys.Set, error) { return keys.Set{}, errors.New("secret words") }
		w.rebuild()
		if a := p.get(path); a.StatusCode != http.StatusInternalServerError || strings.Contains(a.body, "secret") {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}

// cacheable asserts what a public document promises to caches and scripts.
func cacheable(t *testing.T, p *browser, path string) {
	t.Helper()
	a := p.get(path)
	control := a.Header.Get("Cache-Control")
	for _, want := range []string{"public", "max-age=900", "stale-while-revalidate=", "stale-if-error="} {
		if !strings.Contains(control, want) {
			t.Errorf("Cache-Control %q", control)
		}
	}
	if a.StatusCode != http.StatusOK || a.Header.Get("Access-Control-Allow-Origin") != "*" || len(a.body) > 150_000 {
		t.Errorf("%d, %v", a.StatusCode, a.Header)
	}
	etag := a.Header.Get("ETag")
	if again := p.get(path, "If-None-Match", etag); etag == "" || again.StatusCode != http.StatusNotModified || again.body != "" || again.Header.Get("ETag") != etag {
		t.Errorf("If-None-Match: %d, ETag %q", again.StatusCode, etag)
	}
	if again := p.get(path, "If-None-Match", `"other"`); again.StatusCode != http.StatusOK || again.body != a.body {
		t.Errorf("another ETag: %d", again.StatusCode)
	}
	if head := p.do(http.MethodHead, path, nil); head.StatusCode != http.StatusOK || head.body != "" || head.Header.Get("ETag") != etag {
		t.Errorf("HEAD: %d %q", head.StatusCode, head.body)
	}
	if post := p.do(http.MethodPost, path, nil); post.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", post.StatusCode)
	}
}

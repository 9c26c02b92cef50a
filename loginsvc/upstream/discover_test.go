package upstream_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

// discoveryWithout is the provider's own document without a member.
func (h *house) discoveryWithout(name string) http.HandlerFunc {
	return h.discovery(func(d map[string]any) { delete(d, name) })
}

func (h *house) discovery(change func(map[string]any)) http.HandlerFunc {
	own := h.document("/.well-known/openid-configuration")
	return func(w http.ResponseWriter, _ *http.Request) {
		d := own()
		change(d)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(d)
	}
}

// document returns a reader of what the provider says at path by itself.
func (h *house) document(path string) func() map[string]any {
	w := httptest.NewRecorder()
	h.demo.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return func() map[string]any {
		var d map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
			h.t.Error(err)
		}
		return d
	}
}

func TestDiscovery(t *testing.T) {
	ask := func(h *house) error {
		_, err := h.upstream.AuthURL(t.Context(), upstream.Request{State: "s", Nonce: nonce, Verifier: verifier})
		return err
	}
	for name, change := range map[string]func(d map[string]any){
		"another issuer":               func(d map[string]any) { d["issuer"] = "https://evil.test" },
		"its issuer with a slash":      func(d map[string]any) { d["issuer"] = d["issuer"].(string) + "/" },
		"a token endpoint in clear":    func(d map[string]any) { d["token_endpoint"] = "http://evil.test/token" },
		"keys in clear":                func(d map[string]any) { d["jwks_uri"] = "http://evil.test/keys" },
		"userinfo in clear":            func(d map[string]any) { d["userinfo_endpoint"] = "http://evil.test/u" },
		"no authorization endpoint":    func(d map[string]any) { delete(d, "authorization_endpoint") },
		"a script as an endpoint":      func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" },
		"a token endpoint with a user": func(d map[string]any) { d["token_endpoint"] = "https://a:b@evil.test/" },
	} {
		t.Run("S32 a document with "+name, func(t *testing.T) {
			h := open(t, nil)
			h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/.well-known/openid-configuration": h.discovery(change)}})
			wantErr(t, ask(h), upstream.ErrUnavailable)
		})
	}
	t.Run("it is read once, and again after an hour", func(t *testing.T) {
		h := open(t, nil)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := ask(h); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := h.called("/.well-known/openid-configuration"); n != 1 {
			t.Errorf("read %d times", n)
		}
		h.clock.Pass(time.Hour)
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/.well-known/openid-configuration": status(500)}})
		if err := ask(h); err != nil {
			t.Errorf("the document of an hour ago was not used: %v", err)
		}
		if n := h.called("/.well-known/openid-configuration"); n != 1 {
			t.Errorf("read %d times after an hour", n)
		}
	})
	t.Run("a provider that takes the secret in the form only", func(t *testing.T) {
		h := open(t, nil)
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/.well-known/openid-configuration": h.discovery(func(d map[string]any) {
			d["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
		})}})
		if _, err := h.signIn(lin); err != nil {
			t.Error(err)
		}
	})
	t.Run("S32 algorithms that are not the provider's own", func(t *testing.T) {
		h := open(t, nil)
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/.well-known/openid-configuration": h.discovery(func(d map[string]any) {
			d["id_token_signing_alg_values_supported"] = []string{"ES256", "HS256", "none"}
		})}})
		_, err := h.signIn(lin)
		wantErr(t, err, upstream.ErrRefused)
	})
}

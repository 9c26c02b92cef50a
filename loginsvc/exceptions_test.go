package loginsvc_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// withPKCE is a world in which the confidential client web has the exception pkce.
func withPKCE(t *testing.T, value string) *world {
	return newWorld(t, func(c *loginsvc.Config) {
		clients := slices.Clone(defaultClients)
		i := slices.IndexFunc(clients, func(c client.Client) bool { return c.ID == "web" })
		clients[i].PKCE = value
		spa := slices.IndexFunc(clients, func(c client.Client) bool { return c.ID == "spa" })
		clients[spa].PKCE = value // of a public client: never registered, and without effect
		c.Clients = client.List(clients).Lookup
	})
}

// plain is a request of web without a challenge, changed like that of authorize.
func plain(change ...string) url.Values {
	return authorize(append([]string{"client_id", "web", "redirect_uri", appURI + "2", "code_challenge", "", "code_challenge_method", ""}, change...)...)
}

func TestWaivedChallenge(t *testing.T) {
	t.Parallel()
	name, value := basic("web", webSecret)
	redeem := func(w *world, code string, change ...string) answer {
		return w.program().post("/token", webRedemption(code, change...), name, value)
	}
	codeOf := func(t *testing.T, a answer) string {
		t.Helper()
		to := a.location()
		if to == nil || to.Query().Get("code") == "" {
			t.Fatalf("no code: %d %v", a.StatusCode, to)
		}
		return to.Query().Get("code")
	}
	for _, tt := range []struct {
		name, exception string
		request         url.Values
		granted         bool
	}{
		{"without the exception", "", plain(), false},
		{"nonce, with openid and a nonce", client.PKCENonce, plain(), true},
		{"nonce, without a nonce", client.PKCENonce, plain("nonce", ""), false},
		{"nonce, without openid", client.PKCENonce, plain("scope", "profile"), false},
		{"nonce, without any scope", client.PKCENonce, plain("scope", ""), false},
		{"off, without a nonce", client.PKCEOff, plain("nonce", ""), true},
		{"off, without openid", client.PKCEOff, plain("nonce", "", "scope", "profile"), true},
		{"off, with a method whose challenge is gone", client.PKCEOff, plain("code_challenge_method", "S256"), false},
		{"off, with a plain challenge", client.PKCEOff, plain("code_challenge", challenge, "code_challenge_method", "plain"), false},
		{"off, with a malformed challenge", client.PKCEOff, plain("code_challenge", "short", "code_challenge_method", "S256"), false},
		{"a public client, nonce", client.PKCENonce, authorize("code_challenge", "", "code_challenge_method", ""), false},
		{"a public client, off", client.PKCEOff, authorize("code_challenge", "", "code_challenge_method", ""), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := withPKCE(t, tt.exception)
			a := w.browser().authorizeAs("lin", tt.request)
			if !tt.granted {
				a.refused(t, "invalid_request")
				return
			}
			got := redeem(w, codeOf(t, a), "code_verifier", "")
			if got.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", got.StatusCode, got.body)
			}
			if raw, ok := got.json(t)["id_token"]; ok && w.idToken(raw, "web").Nonce != tt.request.Get("nonce") {
				t.Error("another nonce")
			}
		})
	}
	t.Run("a code asked for with a challenge needs its verifier", func(t *testing.T) {
		t.Parallel()
		for _, exception := range []string{client.PKCENonce, client.PKCEOff} {
			w := withPKCE(t, exception)
			b := w.browser()
			code := b.webCode("lin")
			redeem(w, code, "code_verifier", "").oauthError(t, 400, "invalid_grant")
			redeem(w, code, "code_verifier", strings.Repeat("w", 43)).oauthError(t, 400, "invalid_grant")
			if a := redeem(w, code); a.StatusCode != http.StatusOK {
				t.Errorf("%s: with its verifier: %d %s", exception, a.StatusCode, a.body)
			}
		}
	})
	t.Run("a verifier for a code without a challenge is refused", func(t *testing.T) {
		t.Parallel()
		w := withPKCE(t, client.PKCEOff)
		code := codeOf(t, w.browser().authorizeAs("lin", plain()))
		redeem(w, code).oauthError(t, 400, "invalid_grant")
		redeem(w, code, "code_verifier", challengeOf("")).oauthError(t, 400, "invalid_grant")
		if a := redeem(w, code, "code_verifier", ""); a.StatusCode != http.StatusOK {
			t.Errorf("without one: %d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a code without a challenge is useless once the exception is gone", func(t *testing.T) {
		t.Parallel()
		w := withPKCE(t, client.PKCEOff)
		code := codeOf(t, w.browser().authorizeAs("lin", plain()))
		w.config.Clients = defaultClients.Lookup
		w.rebuild()
		redeem(w, code, "code_verifier", "").oauthError(t, 400, "invalid_request")
		redeem(w, code).oauthError(t, 400, "invalid_grant")
	})
	t.Run("without the exception a missing verifier is what it was", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		redeem(w, w.browser().webCode("lin"), "code_verifier", "").oauthError(t, 400, "invalid_request")
	})
}

// RFC 6749, Section 2.3.1, wants id and secret form-encoded in Basic; many clients
// do not encode a secret, and an id with a colon has to be.
func TestClientIDsWithColons(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a:b", "a@b", "https://app.example.com/x", "urn:app:1", "a+b@example.com"} {
		w := newWorld(t, func(c *loginsvc.Config) {
			c.Clients = client.List{{
				ID: id, Secret: "q+/=w: x", RedirectURIs: []string{appURI + "2"}, ThirdParty: true,
				Grants: []string{client.GrantCode, client.GrantRefresh}, Scopes: []string{"openid", "offline_access"},
			}}.Lookup
		})
		b := w.browser()
		a := b.authorizeAs("lin", plain("client_id", id, "scope", "openid offline_access", "code_challenge", challenge, "code_challenge_method", "S256"))
		code := b.follow("lin", b.answerConsent(a, "allow")).location().Query().Get("code")
		name, value := basic(id, "q+/=w: x")
		got := w.program().post("/token", webRedemption(code), name, value)
		if got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", id, got.StatusCode, got.body)
		}
		if access := w.access(got.json(t)["access_token"]); access.ClientID != id {
			t.Errorf("client_id %q, want %q", access.ClientID, id)
		}
		w.idToken(got.json(t)["id_token"], id)
		renewed := w.program().post("/token", renewal(got.json(t)["refresh_token"], "client_id", id, "client_secret", "q+/=w: x"))
		if renewed.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", id, renewed.StatusCode, renewed.body)
		}
	}
}

func TestSecretsThatAreNotEncoded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, secret := range []string{"web: secret+1", url.QueryEscape("web: secret+1")} {
		r, err := http.NewRequest(http.MethodPost, issuer, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("web", secret)
		a := w.program().post("/token", webRedemption(w.browser().webCode("lin")), "Authorization", r.Header.Get("Authorization"))
		if a.StatusCode != http.StatusOK {
			t.Errorf("%q: %d %s", secret, a.StatusCode, a.body)
		}
	}
}

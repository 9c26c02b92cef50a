package loginsvc_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// revoking are the parameters with which spa revokes.
func revoking(token any, change ...string) url.Values {
	v := renewal("", change...)
	v.Del("grant_type")
	v.Del("refresh_token")
	text, _ := token.(string)
	v.Set("token", text)
	return v
}

func (w *world) revoke(token any, change ...string) {
	w.t.Helper()
	a := w.program().post("/revoke", revoking(token, change...))
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("%d %s %s", a.StatusCode, a.Header.Get("Content-Type"), a.body)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	t.Run("S85 a refresh token ends", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		got := w.offlineTokens(b)
		access := w.access(got["access_token"])
		w.revoke(got["refresh_token"])
		w.refuses(got["refresh_token"])
		if !w.feed().Revoked(access) {
			t.Error("S87 its access token lives on")
		}
		if !b.live() {
			t.Error("so does not the session")
		}
		w.revoke(got["refresh_token"])
	})
	t.Run("S85 an older token of the family ends it, too", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		first := w.offlineTokens(b)["refresh_token"]
		second := w.renew(first)["refresh_token"]
		w.revoke(first)
		w.refuses(second)
	})
	t.Run("S85 what is no token is none afterwards", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		got := w.offlineTokens(b)
		refresh, _ := got["refresh_token"].(string)
		for _, bad := range []string{"x", refresh[:len(refresh)-1], "a.b.c", strings.Repeat("x", 9000), refresh + "\n"} {
			w.revoke(bad)
		}
		w.revoke(got["id_token"])
		w.renew(refresh)
		w.program().post("/revoke", revoking("")).oauthError(t, 400, "invalid_request")
	})
	t.Run("S86 a token of another client", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		got := w.offlineTokens(b)
		for _, name := range []string{"refresh_token", "access_token"} {
			w.program().post("/revoke", revoking(got[name], "client_id", "other")).oauthError(t, 400, "invalid_grant")
		}
		w.renew(got["refresh_token"])
	})
	t.Run("S87 an access token", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		got := w.offlineTokens(w.browser())
		access := w.access(got["access_token"])
		w.revoke(got["access_token"])
		if !w.feed().Revoked(access) {
			t.Error("it lives on")
		}
		w.refuses(got["refresh_token"])
	})
	t.Run("S85 a token of a suspended user", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		got := w.offlineTokens(w.browser())
		sub := w.access(got["access_token"]).Subject
		if _, err := w.config.Users.Suspend(t.Context(), usersvc.By{Operator: "test"}, sub); err != nil {
			t.Fatal(err)
		}
		w.revoke(got["refresh_token"])
		w.revoke(got["access_token"])
		if page, err := w.table.Query(t.Context(), table.Query{PK: "user#" + sub, Prefix: "refresh#", Limit: 1}); err != nil || len(page.Items) != 0 {
			t.Errorf("%d rows, %v", len(page.Items), err)
		}
	})
	t.Run("S88 a wrong hint does no harm", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		for _, hint := range []string{"access_token", "refresh_token", "nonsense"} {
			w.jump(t, time.Second)
			got := w.offlineTokens(b)["refresh_token"]
			w.revoke(got, "token_type_hint", hint)
			w.refuses(got)
		}
	})
	t.Run("S89 the table is down", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		got := w.offlineTokens(b)
		w.table.failWrite = func([]table.Write) error { return errDown }
		for _, name := range []string{"refresh_token", "access_token"} {
			a := w.program().post("/revoke", revoking(got[name]))
			a.oauthError(t, 503, "temporarily_unavailable")
			if a.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
		w.table.failWrite, w.table.failRead = nil, errDown
		w.program().post("/revoke", revoking(got["refresh_token"])).oauthError(t, 503, "temporarily_unavailable")
		w.table.failRead = nil
	})
	t.Run("S90 as careful as /token", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		p := w.program()
		if a := p.get("/revoke"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET: %d", a.StatusCode)
		}
		p.post("/revoke", revoking("x", "client_id", "nobody")).oauthError(t, 401, "invalid_client")
		p.post("/revoke", revoking("x", "client_id", "web")).oauthError(t, 401, "invalid_client")
		twice := revoking("x")
		twice.Add("token", "y")
		p.post("/revoke", twice).oauthError(t, 400, "invalid_request")
		for origin, want := range map[string]string{"https://app.test": "https://app.test", "https://evil.test": ""} {
			if got := p.post("/revoke", revoking("x"), "Origin", origin).Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s: %q", origin, got)
			}
		}
	})
	t.Run("revoked while it is renewed, no token lives", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		for range 3 {
			w.jump(t, time.Second) // until tokens are issued again
			token := w.offlineTokens(b)["refresh_token"]
			w.table.failWrite = func([]table.Write) error {
				w.table.failWrite = nil
				w.revoke(token)
				return nil
			}
			w.refuses(token)

			w.jump(t, time.Second)
			token = w.offlineTokens(b)["refresh_token"]
			w.renew(token)
			w.table.failWrite = func([]table.Write) error {
				w.table.failWrite = nil
				w.revoke(token)
				return nil
			}
			w.refuses(token) // a repeat
		}
		for range 50 {
			w.jump(t, time.Second)
			token := w.offlineTokens(b)["refresh_token"]
			var (
				wg   sync.WaitGroup
				next any
			)
			wg.Go(func() {
				if a := w.program().post("/token", renewal(token)); a.StatusCode == http.StatusOK {
					next = a.json(t)["refresh_token"]
				}
			})
			wg.Go(func() { w.revoke(token) })
			wg.Wait()
			w.refuses(token)
			if next != nil {
				w.refuses(next)
			}
		}
	})
}

func TestIntrospect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	ask := func(token any, change ...string) answer {
		t.Helper()
		return w.program().post("/introspect", revoking(token, append([]string{"client_id", "web", "client_secret", webSecret}, change...)...))
	}
	inactive := func(name string, token any) {
		t.Helper()
		if a := ask(token); a.StatusCode != http.StatusOK || strings.TrimSpace(a.body) != `{"active":false}` {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	start := func() map[string]any {
		t.Helper()
		v := webAuthorize()
		v.Set("scope", "openid offline_access")
		code := b.authorizeAs("lin", v).location().Query().Get("code")
		a := w.program().post("/token", webRedemption(code, "client_id", "web", "client_secret", webSecret))
		return a.json(t)
	}
	t.Run("S91 only for clients with a secret", func(t *testing.T) {
		got := w.offlineTokens(b)
		w.program().post("/introspect", revoking(got["access_token"])).oauthError(t, 401, "invalid_client")
		w.program().post("/introspect", url.Values{"token": {"x"}}).oauthError(t, 401, "invalid_client")
		ask("x", "client_secret", "wrong").oauthError(t, 401, "invalid_client")
		ask("").oauthError(t, 400, "invalid_request")
		if a := w.program().get("/introspect"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET: %d", a.StatusCode)
		}
	})
	t.Run("S93 a token that is good", func(t *testing.T) {
		got := start()
		access := w.access(got["access_token"])
		a := ask(got["access_token"])
		told := a.json(t)
		for name, want := range map[string]any{
			"active": true, "sub": access.Subject, "aud": audience, "client_id": "web", "scope": "openid offline_access", "iss": issuer,
			"exp": float64(access.ExpiresAt.Unix()), "iat": float64(access.IssuedAt.Unix()), "token_type": "Bearer", "jti": access.ID,
		} {
			if told[name] != want {
				t.Errorf("%s: %v, want %v", name, told[name], want)
			}
		}
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control %q", a.Header.Get("Cache-Control"))
		}
		if told := ask(got["refresh_token"]).json(t); told["active"] != true || told["sub"] != access.Subject || told["client_id"] != "web" {
			t.Errorf("%v", told)
		}
	})
	t.Run("S92 a token that is not", func(t *testing.T) {
		got, foreign := start(), w.offlineTokens(b)
		raw, _ := got["access_token"].(string)
		refresh, _ := got["refresh_token"].(string)
		inactive("malformed", "x")
		inactive("damaged", raw[:len(raw)-8]+flip(raw[len(raw)-8:]))
		inactive("damaged", refresh[:len(refresh)-1])
		inactive("an ID token", got["id_token"])
		inactive("of another client", foreign["access_token"])
		inactive("of another client", foreign["refresh_token"])
		next := w.renew(refresh, "client_id", "web", "client_secret", webSecret)
		next = w.renew(next["refresh_token"], "client_id", "web", "client_secret", webSecret)
		inactive("used before", refresh)
		if a := ask(next["refresh_token"]); a.json(t)["active"] != true {
			t.Error("asking ended the family")
		}
		w.revoke(next["refresh_token"], "client_id", "web", "client_secret", webSecret)
		inactive("S72 of an ended family", next["refresh_token"])
		inactive("S72 of an ended family", next["access_token"])

		got = w.later(start)
		w.jump(t, 11*time.Minute)
		inactive("expired", got["access_token"])
		w.jump(t, 8*24*time.Hour)
		inactive("expired", got["refresh_token"])
	})
	t.Run("S92 after the session", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b = w.browser()
		got := w.offlineTokens(b)
		access := w.access(got["access_token"])
		w.config.Clients = func(context.Context, string) (c clientClient, err error) {
			c, err = defaultClients.Lookup(t.Context(), "web")
			c.ID = "spa"
			return c, err
		}
		w.rebuild()
		if err := w.config.Users.EndSession(t.Context(), access.Subject, access.SessionID); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"access_token", "refresh_token"} {
			a := w.program().post("/introspect", revoking(got[name], "client_secret", webSecret))
			if strings.TrimSpace(a.body) != `{"active":false}` {
				t.Errorf("%s: %s", name, a.body)
			}
		}
	})
	t.Run("the table is down", func(t *testing.T) {
		w.table.failRead = errDown
		defer func() { w.table.failRead = nil }()
		raw, err := token.Access{Issuer: issuer, Subject: "u_x", Audience: audience, ClientID: "web", SessionID: "s_x", IssuedAt: w.now(), ExpiresAt: w.now().Add(time.Minute)}.Sign(t.Context(), signer())
		if err != nil {
			t.Fatal(err)
		}
		ask(raw).oauthError(t, 503, "temporarily_unavailable")
	})
}

// TestRevokeEndsOnesOwn: a client that revokes a token ends what it holds in that
// session, and nothing else.
func TestRevokeEndsOnesOwn(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"access_token", "refresh_token"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b, elsewhere := w.browser(), w.browser()
			ext := func(b *browser) map[string]any {
				a := b.authorizeAs("lin", extAuthorize())
				if a.location() == nil {
					a = b.answerConsent(a, "allow")
				}
				return w.tokens(a.location().Query().Get("code"), "client_id", "ext", "redirect_uri", "https://ext.test/cb")
			}
			ours, first, second, other := w.offlineTokens(b), ext(b), ext(b), ext(elsewhere)
			w.clock.Pass(2 * time.Second)
			for range 3 { // again and again ends nothing more
				w.revoke(first[kind], "client_id", "ext")
			}
			for _, gone := range []map[string]any{first, second} {
				w.lives(gone["access_token"], false)
				w.refuses(gone["refresh_token"], "client_id", "ext")
			}
			w.lives(ours["access_token"], true)
			w.lives(other["access_token"], true)
			w.renew(ours["refresh_token"])
			w.renew(other["refresh_token"], "client_id", "ext")

			again := ext(b) // at once
			w.lives(again["access_token"], true)
			w.renew(again["refresh_token"], "client_id", "ext")
			if !b.live() || !elsewhere.live() {
				t.Error("a session has ended")
			}
		})
	}
	t.Run("however many refresh tokens", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		var all []any
		for range 120 {
			all = append(all, w.offlineTokens(b)["refresh_token"])
		}
		w.revoke(all[60])
		if page, err := w.table.Query(t.Context(), table.Query{PK: "user#" + w.onlyUser().ID, Prefix: "refresh#", Limit: 1}); err != nil || len(page.Items) != 0 {
			t.Errorf("refresh tokens are left, %v", err)
		}
	})
	t.Run("a refresh token that is used again ends its family, and no other", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		stolen, sibling := w.offlineTokens(b)["refresh_token"], w.offlineTokens(b)["refresh_token"]
		w.renew(w.renew(stolen)["refresh_token"])
		w.refuses(stolen)
		got := w.renew(sibling) // at once
		w.lives(got["access_token"], true)
	})
}

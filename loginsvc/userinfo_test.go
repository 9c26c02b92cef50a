package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

func TestUserInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, p := w.browser(), w.program()
	tokens := w.tokens(b.code("lin"))
	raw, _ := tokens["access_token"].(string)
	ask := func(rawToken string) answer {
		t.Helper()
		return p.get("/userinfo", "Authorization", "Bearer "+rawToken)
	}
	t.Run("S104 by GET and by POST", func(t *testing.T) {
		sub := w.idToken(tokens["id_token"], "spa").Subject
		for _, a := range []answer{ask(raw), p.post("/userinfo", nil, "Authorization", "bearer "+raw)} {
			got := a.json(t)
			if a.StatusCode != http.StatusOK || got["sub"] != sub || got["name"] != "Lin" || got["email"] != "lin@example.com" || got["email_verified"] != true {
				t.Errorf("%d %v", a.StatusCode, got)
			}
		}
	})
	t.Run("S104 only what was granted", func(t *testing.T) {
		for scope, want := range map[string]string{"openid": "sub", "openid profile": "name sub", "openid email": "email email_verified sub"} {
			few, _ := w.tokens(b.code("lin", "scope", scope))["access_token"].(string)
			if got := strings.Join(sortedKeys(ask(few).json(t)), " "); got != want {
				t.Errorf("%s: %s", scope, got)
			}
		}
	})
	t.Run("the scheme in any case, and several spaces", func(t *testing.T) {
		for _, scheme := range []string{"bearer ", "BEARER  ", "Bearer   "} {
			if a := p.get("/userinfo", "Authorization", scheme+raw); a.StatusCode != http.StatusOK {
				t.Errorf("%q: %d", scheme, a.StatusCode)
			}
		}
	})
	t.Run("S105 a token that will not do", func(t *testing.T) {
		for name, bad := range map[string]string{"tampered": raw[:len(raw)-8] + flip(raw[len(raw)-8:]), "no token": "x", "none of ours": "a.b.c", "too much": raw + " " + raw} {
			a := ask(bad)
			if got := a.Header.Get("WWW-Authenticate"); a.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(got, "Bearer ") || !strings.Contains(got, `error="invalid_token"`) {
				t.Errorf("%s: %d %q", name, a.StatusCode, got)
			}
		}
		for _, headers := range [][]string{nil, {"Authorization", "Basic eDp5"}, {"Authorization", "Bearer"}, {"Authorization", "Bearer "}, {"Authorization", "Bearer " + raw, "Authorization", "Bearer " + raw}} {
			a := p.get("/userinfo", headers...)
			if got := a.Header.Get("WWW-Authenticate"); a.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(got, "Bearer ") || strings.Contains(got, "error=") {
				t.Errorf("%v: %d %q", headers, a.StatusCode, got)
			}
		}
		noOpenID, _ := w.tokens(b.code("lin", "scope", "profile"))["access_token"].(string)
		if a := ask(noOpenID); a.StatusCode != http.StatusForbidden || !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
			t.Errorf("without openid: %d %q", a.StatusCode, a.Header.Get("WWW-Authenticate"))
		}
		w.at(11 * time.Minute)
		defer w.at(0)
		if a := ask(raw); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("expired: %d", a.StatusCode)
		}
	})
	t.Run("S106 what is no access token for us", func(t *testing.T) {
		id, _ := tokens["id_token"].(string)
		if a := ask(id); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("an ID token: %d", a.StatusCode)
		}
		other, err := token.Access{Issuer: issuer, Subject: w.access(raw).Subject, Audience: "https://other.test", ClientID: "spa", SessionID: w.access(raw).SessionID,
			Scopes: []string{"openid"}, IssuedAt: w.now(), ExpiresAt: w.now().Add(time.Minute)}.Sign(t.Context(), signer())
		if err != nil {
			t.Fatal(err)
		}
		if a := ask(other); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("for another API: %d", a.StatusCode)
		}
		if a := p.get("/userinfo?access_token=" + raw); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("in the query: %d", a.StatusCode)
		}
		if a := p.post("/userinfo", url.Values{"access_token": {raw}}); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("in the body: %d", a.StatusCode)
		}
	})
	t.Run("S108 kept by nobody, read by registered origins", func(t *testing.T) {
		for origin, want := range map[string]string{"https://app.test": "https://app.test", "https://evil.test": ""} {
			a := p.get("/userinfo", "Authorization", "Bearer "+raw, "Origin", origin)
			if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Access-Control-Allow-Origin") != want {
				t.Errorf("%s: %v", origin, a.Header)
			}
			pre := p.do(http.MethodOptions, "/userinfo", nil, "Origin", origin, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
			if pre.Header.Get("Access-Control-Allow-Origin") != want || strings.Contains(pre.Header.Get("Access-Control-Allow-Headers"), "Authorization") != (want != "") {
				t.Errorf("preflight from %s: %v", origin, pre.Header)
			}
		}
	})
	t.Run("after the session has ended", func(t *testing.T) {
		access := w.access(raw)
		if err := w.config.Users.EndSession(t.Context(), access.Subject, access.SessionID); err != nil {
			t.Fatal(err)
		}
		if a := ask(raw); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%d", a.StatusCode)
		}
	})
	t.Run("S107 a suspended user", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		raw, _ := w.tokens(w.browser().code("lin"))["access_token"].(string)
		w.suspend("demo-lin")
		a := w.program().get("/userinfo", "Authorization", "Bearer "+raw)
		if a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%d", a.StatusCode)
		}
	})
	t.Run("the table is down", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		raw, _ := w.tokens(w.browser().code("lin"))["access_token"].(string)
		w.table.failRead = errDown
		w.program().get("/userinfo", "Authorization", "Bearer "+raw).oauthError(t, 503, "temporarily_unavailable")
	})
}

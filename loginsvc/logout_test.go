package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// signedIn is a browser with a session, and an ID token of it.
func (w *world) signedIn(user string) (b *browser, hint string) {
	w.t.Helper()
	b = w.browser()
	hint, _ = w.tokens(b.code(user))["id_token"].(string)
	return b, hint
}

// live tells whether the browser has a session.
func (b *browser) live() bool {
	b.w.t.Helper()
	return b.get("/authorize?"+authorize("prompt", "none").Encode()).location().Query().Get("code") != ""
}

func TestLogout(t *testing.T) {
	t.Parallel()
	const bye = "https://app.test/bye"
	w := newWorld(t)
	logout := func(b *browser, change ...string) answer {
		t.Helper()
		v := url.Values{"post_logout_redirect_uri": {bye}, "state": {"a b&c"}}
		for i := 0; i < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return b.get("/logout?" + v.Encode())
	}
	t.Run("S109 an app that proves whom it means is obeyed", func(t *testing.T) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			b, hint := w.signedIn("lin")
			v := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {bye}, "state": {"a b&c"}}
			var a answer
			if method == http.MethodGet {
				a = b.get("/logout?" + v.Encode())
			} else {
				a = b.post("/logout", v, "Sec-Fetch-Site", "cross-site", "Origin", "https://app.test")
			}
			if got := a.location(); got == nil || got.String() != bye+"?state=a%20b%26c" {
				t.Errorf("%s: %d %v", method, a.StatusCode, got)
			}
			if b.live() {
				t.Errorf("%s: the session lives", method)
			}
		}
	})
	t.Run("S109 only to a registered address", func(t *testing.T) {
		for _, uri := range []string{"https://evil.test/", bye + "/", bye + "?x", "https://web.test/bye", appURI, "javascript:alert(1)", ""} {
			b, hint := w.signedIn("lin")
			logout(b, "id_token_hint", hint, "post_logout_redirect_uri", uri).page(t, http.StatusOK, "signed out")
			if b.live() {
				t.Error("the session lives")
			}
		}
	})
	t.Run("S110 a hint that proves nothing", func(t *testing.T) {
		b, hint := w.signedIn("lin")
		foreign, err := token.ID{Issuer: "https://evil.test", Subject: "u_x", Audience: "spa", IssuedAt: w.now(), ExpiresAt: w.now().Add(time.Hour)}.Sign(t.Context(), signer())
		if err != nil {
			t.Fatal(err)
		}
		access, _ := w.tokens(b.code("lin"))["access_token"].(string)
		for name, change := range map[string][]string{
			"bad signature": {"id_token_hint", hint[:len(hint)-8] + flip(hint[len(hint)-8:])}, "other issuer": {"id_token_hint", foreign},
			"alg none": {"id_token_hint", "eyJhbGciOiJub25lIn0." + strings.Split(hint, ".")[1] + "."}, "an access token": {"id_token_hint", access},
			"client_id of another": {"id_token_hint", hint, "client_id", "web", "post_logout_redirect_uri", "https://web.test/bye"}, "nonsense": {"id_token_hint", "x"},
		} {
			a := logout(b, change...)
			a.page(t, http.StatusOK, "Lin")
			if strings.Contains(a.body, "/bye") {
				t.Errorf("%s: the page leads to the app", name)
			}
			if !b.live() {
				t.Errorf("%s: the session has ended", name)
			}
		}
		other, _ := w.signedIn("ada")
		logout(other, "id_token_hint", hint).page(t, http.StatusOK, "Ada")
		if !other.live() {
			t.Error("somebody else's hint ended the session")
		}
	})
	t.Run("S110 an expired hint still proves", func(t *testing.T) {
		b, hint := w.signedIn("lin")
		w.at(24 * time.Hour)
		defer w.at(0)
		if a := logout(b, "id_token_hint", hint); a.location() == nil || b.live() {
			t.Errorf("%d", a.StatusCode)
		}
	})
	t.Run("S111 without a hint the person is asked", func(t *testing.T) {
		b, _ := w.signedIn("lin")
		a := logout(b, "client_id", "spa")
		a.page(t, http.StatusOK, "Lin")
		if !b.live() {
			t.Fatal("the session has ended")
		}
		form := url.Values{"sign_out": {"here"}}
		for _, name := range []string{"client_id", "post_logout_redirect_uri", "state"} {
			form.Set(name, hidden(t, a.body, name))
		}
		b.post("/logout", form, "Sec-Fetch-Site", "cross-site").page(t, http.StatusOK, "Lin")
		b.get("/logout?"+form.Encode()).page(t, http.StatusOK, "Lin")
		if !b.live() {
			t.Fatal("another site ended the session")
		}
		if a := b.post("/logout", form, "Sec-Fetch-Site", "same-origin"); a.location() == nil || a.location().String() != bye+"?state=a%20b%26c" || b.live() {
			t.Errorf("%d %v", a.StatusCode, a.location())
		}
		if csp := logout(b).Header.Get("Content-Security-Policy"); csp == "" {
			t.Error("no policy")
		}
	})
	t.Run("everywhere", func(t *testing.T) {
		one, _ := w.signedIn("lin")
		two, _ := w.signedIn("lin")
		other, _ := w.signedIn("ada")
		two.get("/logout?sign_out=everywhere").page(t, http.StatusOK, "Lin")
		two.post("/logout", url.Values{"sign_out": {"everywhere"}}, "Sec-Fetch-Site", "cross-site").page(t, http.StatusOK, "Lin")
		if !one.live() || !two.live() {
			t.Fatal("another site ended the sessions")
		}
		three, hint := w.signedIn("lin")
		logout(three, "id_token_hint", hint, "sign_out", "everywhere")
		if !one.live() || three.live() {
			t.Error("an app ended more than its own session")
		}
		_, hint = w.signedIn("lin")
		w.program().post("/logout", url.Values{"id_token_hint": {hint}, "sign_out": {"everywhere"}}).redirects(t, issuer+"/logout?id_token_hint="+hint)
		two.post("/logout", url.Values{"sign_out": {"everywhere"}}).page(t, http.StatusOK, "everywhere")
		if one.live() || two.live() || !other.live() {
			t.Errorf("live: %v %v, somebody else's %v", one.live(), two.live(), other.live())
		}
		w.jump(t, 2*time.Second)
	})
	t.Run("S112 the answer is kept by nobody", func(t *testing.T) {
		b, hint := w.signedIn("lin")
		if a := logout(b, "id_token_hint", hint); a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q", a.Header.Get("Cache-Control"))
		}
	})
	t.Run("S113 the cookie is worth nothing afterwards", func(t *testing.T) {
		b, hint := w.signedIn("lin")
		u, _ := url.Parse(issuer)
		var cookie string
		for _, c := range b.jar.Cookies(u) {
			if c.Name == "__Host-gatehouse_session" {
				cookie = c.Name + "=" + c.Value
			}
		}
		logout(b, "id_token_hint", hint)
		for _, c := range b.jar.Cookies(u) {
			if strings.Contains(c.Name, "session") {
				t.Error("the browser still has it")
			}
		}
		w.program().get("/authorize?"+authorize("prompt", "none").Encode(), "Cookie", cookie).refused(t, "login_required")
	})
	t.Run("S113 the session ends even if the form brings no cookie", func(t *testing.T) {
		b, hint := w.signedIn("lin")
		a := w.program().post("/logout", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {bye}})
		if !b.live() {
			t.Error("a hint alone has ended the session")
		}
		a = b.get(a.location().String()) // a link brings the cookie
		if a.Header.Get("Location") != bye || b.live() {
			t.Errorf("%d %q, live %v", a.StatusCode, a.Header.Get("Location"), b.live())
		}
	})
	t.Run("a hint without the session's cookie ends nothing", func(t *testing.T) {
		b, hint := w.signedIn("lin")
		second, _ := w.signedIn("lin")
		for _, send := range []func() answer{
			func() answer { return w.program().get("/logout?id_token_hint=" + hint) },
			func() answer { return w.browser().get("/logout?id_token_hint=" + hint) },
			func() answer { return logout(w.program(), "id_token_hint", hint) },
			func() answer {
				return logout(w.program(), "id_token_hint", hint, "client_id", "spa", "sign_out", "everywhere")
			},
			func() answer {
				return w.program().post("/logout", url.Values{"id_token_hint": {hint}, "sign_out": {"here"}})
			},
			func() answer {
				return w.program().get("/logout?id_token_hint="+hint, "Cookie", "__Host-gatehouse_session=x")
			},
		} {
			if a := send(); a.StatusCode >= 400 || !b.live() || !second.live() {
				t.Fatalf("%d, live %v %v", a.StatusCode, b.live(), second.live())
			}
		}
		logout(second, "id_token_hint", hint)
		if second.live() || !b.live() {
			t.Error("one browser has ended the session of another")
		}
	})
	t.Run("the session is gone already, and a registered address leads back", func(t *testing.T) {
		_, hint := w.signedIn("lin")
		for _, change := range [][]string{{"client_id", "spa"}, {"id_token_hint", hint}, {"id_token_hint", "x", "client_id", "spa"}} {
			logout(w.browser(), change...).redirects(t, bye+"?state=a%20b%26c")
		}
		for _, change := range [][]string{
			{"client_id", "nobody"}, {"client_id", ""}, {"client_id", "web"}, {"client_id", "spa", "post_logout_redirect_uri", "https://evil.test/"},
			{"id_token_hint", hint, "client_id", "web", "post_logout_redirect_uri", "https://web.test/bye"},
		} {
			logout(w.browser(), change...).page(t, http.StatusOK, "")
		}
	})
	t.Run("a hint of a third-party client counts as long as its user consents", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		for _, consents := range []bool{true, false} {
			code := b.answerConsent(b.authorizeAs("lin", extAuthorize("prompt", "consent")), "allow").location().Query().Get("code")
			hint, _ := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")["id_token"].(string)
			w.clock.Pass(2 * time.Second)
			if !consents {
				if err := w.config.Users.WithdrawConsent(t.Context(), usersvc.By{UserID: b.signedInAs()}, "ext"); err != nil {
					t.Fatal(err)
				}
			}
			b.get("/logout?id_token_hint=" + hint)
			if b.live() == consents {
				t.Errorf("consents %v: live %v", consents, b.live())
			}
		}
	})
	t.Run("S114 the table is down", func(t *testing.T) {
		b, hint := w.signedIn("lin")
		w.table.failWrite = func([]table.Write) error { return errDown }
		a := logout(b, "id_token_hint", hint)
		w.table.failWrite = nil
		a.page(t, http.StatusServiceUnavailable, "")
		if len(a.Cookies()) != 0 || !b.live() {
			t.Error("it looks as if it had ended")
		}
	})
	t.Run("nobody is signed in", func(t *testing.T) {
		logout(w.browser()).page(t, http.StatusOK, "")
		twice := url.Values{"state": {"a", "b"}}
		w.browser().get("/logout?"+twice.Encode()).page(t, http.StatusBadRequest, "")
	})
}

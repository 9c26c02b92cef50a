package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc"
)

// posted returns what the page of an answer posts to the client, and checks that
// the page can be neither framed nor stored, and runs its one script alone.
func (a answer) posted(t *testing.T, status int, to string) map[string]string {
	t.Helper()
	if a.StatusCode != status || a.Header.Get("Location") != "" || strings.Contains(a.body, "http-equiv") {
		t.Fatalf("%d, Location %q: want a page of %d that posts to %s: %s", a.StatusCode, a.Header.Get("Location"), status, to, a.body)
	}
	if !strings.Contains(a.body, `<form method="post" action="`+to+`"`) {
		t.Fatalf("no form to %s: %s", to, a.body)
	}
	for name, want := range map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "strict-origin"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || strings.Count(csp, "script-src 'sha256-") != 1 {
		t.Errorf("policy %q", csp)
	}
	fields := map[string]string{}
	for _, name := range []string{"code", "state", "iss", "error", "error_description"} {
		if strings.Contains(a.body, `name="`+name+`"`) {
			fields[name] = hidden(t, a.body, name)
		}
	}
	return fields
}

func TestFormPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(change ...string) url.Values {
		return authorize(append([]string{"response_mode", "form_post", "state", `s "1" <&> é`}, change...)...)
	}
	b := w.browser()
	t.Run("a code is posted, and redeemed", func(t *testing.T) {
		got := b.authorizeAs("ada", ask()).posted(t, http.StatusOK, appURI)
		if got["state"] != `s "1" <&> é` || got["iss"] != issuer || got["error"] != "" {
			t.Errorf("posted %q", got)
		}
		w.tokens(got["code"])
	})
	t.Run("with a session, and as a form to /authorize", func(t *testing.T) {
		if got := b.get("/authorize?"+ask().Encode()).posted(t, http.StatusOK, appURI); got["code"] == "" {
			t.Errorf("posted %q", got)
		}
		if got := b.follow("ada", b.post("/authorize", ask())).posted(t, http.StatusOK, appURI); got["code"] == "" {
			t.Errorf("posted %q", got)
		}
	})
	t.Run("errors are posted too", func(t *testing.T) {
		for code, v := range map[string]url.Values{
			"login_required":            ask("prompt", "none"),
			"invalid_scope":             ask("scope", "nothing"),
			"unsupported_response_type": ask("response_type", "token"),
			"invalid_request":           ask("prompt", "strange"),
			"invalid_target":            ask("resource", "https://other.test"),
		} {
			got := w.browser().get("/authorize?"+v.Encode()).posted(t, http.StatusOK, appURI)
			if got["error"] != code || got["state"] != `s "1" <&> é` || got["iss"] != issuer || got["code"] != "" || got["error_description"] == "" {
				t.Errorf("%s: posted %q", code, got)
			}
		}
		repeated := ask()
		repeated.Add("nonce", "again")
		if got := w.browser().get("/authorize?"+repeated.Encode()).posted(t, http.StatusOK, appURI); got["error"] != "invalid_request" {
			t.Errorf("posted %q", got)
		}
	})
	t.Run("cancelling at the provider", func(t *testing.T) {
		other := w.browser()
		a := other.get("/authorize?" + ask().Encode())
		state := a.location().Query().Get("state")
		got := other.get("/callback/demo?"+url.Values{"state": {state}, "error": {"access_denied"}, "iss": {demo}}.Encode()).posted(t, http.StatusOK, appURI)
		if got["error"] != "access_denied" || got["code"] != "" {
			t.Errorf("posted %q", got)
		}
	})
	t.Run("where the form has no address to go to", func(t *testing.T) {
		for _, v := range []url.Values{
			ask("redirect_uri", "com.example.app:/cb"),
			ask("state", "a\nb"),
			ask("state", "a\xffb"),
			ask("state", "a\x00b"),
			ask("response_mode", "fragment"),
			ask("response_mode", "form_post.jwt"),
			ask("response_mode", "web_message"),
			ask("response_mode", "FORM_POST"),
			{"client_id": {"spa"}, "redirect_uri": {appURI}, "response_mode": {"form_post", "form_post"}},
		} {
			a := w.browser().get("/authorize?" + v.Encode())
			if a.StatusCode != http.StatusSeeOther {
				t.Errorf("%v: %d, want a redirect", v, a.StatusCode)
			}
			a.refused(t, "invalid_request")
		}
	})
	t.Run("an unknown client or redirect URI is posted nothing", func(t *testing.T) {
		w.browser().get("/authorize?"+ask("client_id", "nobody").Encode()).page(t, http.StatusBadRequest, "do not know this app")
		w.browser().get("/authorize?"+ask("redirect_uri", "https://evil.test/cb").Encode()).page(t, http.StatusBadRequest, "return address")
	})
	t.Run("after the form of a consent", func(t *testing.T) {
		lin := w.browser()
		asked := lin.authorizeAs("lin", authorize("client_id", "ext", "redirect_uri", "https://ext.test/cb", "scope", "openid", "response_mode", "form_post"))
		if got := lin.answerConsent(asked, "deny").posted(t, http.StatusOK, "https://ext.test/cb"); got["error"] != "access_denied" {
			t.Errorf("posted %q", got)
		}
		if got := lin.answerConsent(asked, "allow").posted(t, http.StatusOK, "https://ext.test/cb"); got["code"] == "" {
			t.Errorf("posted %q", got)
		}
	})
}

// A client that asks for a form can be told of an error by a button.
func TestFormPostFromFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *loginsvc.Config) { c.Users.TrustedProviders = []string{"demo"} })
	w.guest("lin")
	w.config.Providers = append(w.config.Providers, w.provider("other", issuer))
	w.rebuild()
	w.claims(func(c map[string]any) { c["sub"] = "another-lin" })
	a := w.browser().authorizeAs("lin", authorize("idp_hint", "other", "response_mode", "form_post"))
	if got := a.posted(t, http.StatusConflict, appURI); got["error"] != "access_denied" || got["state"] != "s-1" {
		t.Errorf("posted %q", got)
	}
	if strings.Contains(a.body, "<script") {
		t.Error("the page goes on by itself: nobody reads it")
	}
	if !strings.Contains(a.body, "Back to Shop</button>") {
		t.Errorf("no button to the app: %s", a.body)
	}
}

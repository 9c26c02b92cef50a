package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// faraway is a site that sends every visitor on to another origin, as apps and
// providers do that have moved, or that sign people in at a third place. What it is
// sent, by a link or a form, goes along in the query.
func faraway(t *testing.T, heading string) string {
	t.Helper()
	last := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>x</title><link rel="icon" href="data:,"><h1>%s</h1>`, heading)
	}))
	t.Cleanup(last.Close)
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		http.Redirect(w, r, last.URL+"/?"+r.Form.Encode(), http.StatusFound)
	}))
	t.Cleanup(first.Close)
	return first.URL
}

// farawayProvider is a provider whose sign-in page is two redirects away. No one
// gets through it: arriving there is all that these tests want.
func farawayProvider(t *testing.T, heading string) string {
	t.Helper()
	signIn := faraway(t, heading)
	var provider *httptest.Server
	provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q,"response_types_supported":["code"],
			"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}`,
			provider.URL, signIn+"/authorize", provider.URL+"/token", provider.URL+"/keys")
	}))
	t.Cleanup(provider.Close)
	return provider.URL
}

// TestFormsArrive submits each form of the pages that leads to another site, where
// that site sends the browser on to a third one, with scripts off. Chromium holds
// the whole chain against the form-action of the form's page.
func TestFormsArrive(t *testing.T) {
	if *onStack {
		t.Skip("pages are the same there, and providers are of gatehouse dev")
	}
	app, bye := faraway(t, "The far shop"), faraway(t, "Bye from afar")
	h := startService(t, "--config", configWith(t, fmt.Sprintf(`
  - id: print
    name: Print shop
    third_party: true
    redirect_uris: [%[1]s/cb]
    post_logout_redirect_uris: [%[2]s/bye]
    scopes: [openid]
providers:
  - {id: far, name: Far, issuer: %[3]q, client_id: gatehouse}
`, app, bye, farawayProvider(t, "Sign in far away"))))
	b := openBrowser(t)
	b.scripts(false)
	authorize := h.Issuer + "/authorize?client_id=print&redirect_uri=" + app + "/cb" +
		"&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

	t.Run("sign-in", func(t *testing.T) {
		b.open(authorize)
		b.arrive("Sign in")
		b.leave(provider("far"), "Sign in far away")
	})
	b.open(authorize)
	b.leave(provider("demo"), "Who are you today?")
	b.leave(`button[value="lin"]`, "Let Print shop")
	t.Run("consent, refused and given", func(t *testing.T) {
		b.leave(`button[value="deny"]`, "The far shop")
		b.open(authorize)
		b.leave(`button[value="allow"]`, "The far shop")
	})
	for name, scripts := range map[string]bool{"by script": true, "by its button": false} {
		t.Run("a posted response, "+name, func(t *testing.T) {
			b.scripts(scripts)
			defer b.scripts(false)
			goesOn := func(want string) {
				t.Helper()
				if !scripts {
					b.arrive("Going on to")
					b.do(chromedp.Click(chromedp.CSS("form button")))
				}
				b.arrive("The far shop")
				if query := b.eval("location.search"); !strings.Contains(query, want) || !strings.Contains(query, "iss=") {
					t.Errorf("the app was posted %q, want %s", query, want)
				}
			}
			b.open(authorize + "&response_mode=form_post&prompt=consent")
			b.do(chromedp.Click(chromedp.CSS(`button[value="allow"]`)))
			goesOn("code=")
			b.open(authorize + "&response_mode=form_post")
			goesOn("code=")
			b.open(authorize + "&response_mode=form_post&prompt=strange")
			goesOn("error=invalid_request")
		})
	}
	t.Run("the session that is there", func(t *testing.T) {
		b.open(authorize + "&prompt=select_account")
		b.leave(`a.option.primary`, "The far shop")
	})
	t.Run("adding a provider", func(t *testing.T) {
		b.open(h.Issuer + "/account")
		b.leave(`form:has(input[value="far"]) button[value="link"]`, "Sign in far away")
	})
	t.Run("sign-out", func(t *testing.T) {
		b.open(h.Issuer + "/logout?" + url.Values{"client_id": {"print"}, "post_logout_redirect_uri": {bye + "/bye"}}.Encode())
		b.leave(`button[value="here"]`, "Bye from afar")
	})
}

// TestFormsArriveWithoutSession submits forms whose session has ended: with one
// provider alone, the way leads there at once.
func TestFormsArriveWithoutSession(t *testing.T) {
	if *onStack {
		t.Skip("pages are the same there")
	}
	h := startService(t)
	b := openBrowser(t)
	b.scripts(false)
	forget := func() {
		t.Helper()
		if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("account", func(t *testing.T) {
		b.open(h.Issuer + "/account")
		b.leave(provider("demo"), "Who are you today?")
		b.leave(`button[value="lin"]`, "Your account")
		forget()
		b.reveal("#name")
		b.leave(`button[value="rename"]`, "Sign in")
		b.leave(provider("demo"), "Who are you today?")
		b.leave(`button[value="lin"]`, "Your account")
	})
	t.Run("device", func(t *testing.T) {
		b.open(h.Issuer + "/device")
		b.arrive("Sign in a device")
		forget()
		b.do(chromedp.SetValue(chromedp.CSS(`input[name="user_code"]`), "BCDF-GHJK"))
		b.leave(`form button`, "Who are you today?")
		b.leave(`button[value="lin"]`, "")
	})
}

// provider selects the way to sign in at a provider.
func provider(id string) string {
	return fmt.Sprintf(`a[href*="idp_hint=%s"]`, id)
}

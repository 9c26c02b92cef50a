package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Browsers hold every redirect after a form against the form-action of the form's
// page. So none of our forms is answered by a redirect to another site.
func TestFormsLeadOnByAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lin := w.guest("lin")
	consent := lin.authorizeAs("lin", extAuthorize())
	signOut := url.Values{"client_id": {"spa"}, "post_logout_redirect_uri": {"https://app.test/bye"}}
	asked := lin.get("/logout?" + signOut.Encode())
	signOut.Set("sign_out", "here")
	for _, form := range []struct {
		name, host string
		page       answer
		submit     func() answer
	}{
		{"consent refused", "ext.test", consent, func() answer { return lin.answerConsent(consent, "deny") }},
		{"consent given", "ext.test", consent, func() answer { return lin.answerConsent(consent, "allow") }},
		{"adding a provider", "127.0.0.1:8788", lin.get("/account"), func() answer { return lin.act("link", "provider", "demo") }},
		{"a device without a session", "127.0.0.1:8788", lin.get("/device"), func() answer {
			return w.browser().post("/device", url.Values{"user_code": {"BCDF-GHJK"}})
		}},
		{"sign-out", "app.test", asked, func() answer { return lin.post("/logout", signOut, "Sec-Fetch-Site", "same-origin") }},
	} {
		if csp := form.page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self';") {
			t.Errorf("%s: the policy of the form's page is %q", form.name, csp)
		}
		a := form.submit()
		to := a.location()
		if a.StatusCode != http.StatusOK || a.Header.Get("Location") != "" || to == nil || to.Host != form.host {
			t.Errorf("%s: %d, redirected to %q, led to %v; want a page that leads to %s", form.name, a.StatusCode, a.Header.Get("Location"), to, form.host)
			continue
		}
		if _, link, _ := strings.Cut(a.body, `<a class="button primary" href="`); !strings.HasPrefix(link, to.Scheme+"://"+to.Host) {
			t.Errorf("%s: the page has no link to %s", form.name, to.Host)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: the page that leads on can be kept or named: %v", form.name, a.Header)
		}
	}
}

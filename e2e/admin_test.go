package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestAdmin is an admin's day, with scripts turned off: find somebody, give a
// role and take it, suspend them and let them in again, see what was done.
func TestAdmin(t *testing.T) {
	devOnly(t) // for routes of the demo, whose reasons it sees
	h, b := startService(t), openBrowser(t)
	b.scripts(false)
	lin := tokenAs(t, h, "lin")
	h.wantCall(t, "/demo/fresh", lin, http.StatusOK)

	b.open(h.Issuer + "/admin")
	b.arrive("Sign in")
	b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	b.leave(`button[value="ada"]`, "Users")
	b.seen("admin-users")

	b.do(chromedp.SendKeys(chromedp.ID("q"), "lin@"))
	b.click(".filter button", ".filter a") // show all
	if at := b.eval("location.href"); at != h.Issuer+"/admin/users" {
		t.Errorf("the search is at %s", at)
	}
	if found := b.eval("document.querySelector('tbody').innerText"); !strings.Contains(found, "lin@example.com") || strings.Contains(found, "ada@") {
		t.Errorf("found %q", found)
	}
	b.seen("admin-users-searched")
	b.leave("tbody a", "Lin")
	b.seen("admin-user")

	click := `.check input[value="admin"]`
	for _, has := range []string{"true", "false"} {
		b.open(b.eval("location.href")) // else the notice of before may be taken for the new one
		b.do(chromedp.Click(chromedp.CSS(click)))
		b.save(t, `button[value="roles"]`, "The roles are saved.")
		if got := b.eval("String(document.querySelector('" + strings.ReplaceAll(click, `"`, `\"`) + "').checked)"); got != has {
			t.Errorf("Lin is an admin: %s, want %s", got, has)
		}
	}
	h.wantCall(t, "/demo/fresh", lin, http.StatusForbidden) // with the roles of before
	lin = tokenAs(t, h, "lin")
	h.wantCall(t, "/demo/fresh", lin, http.StatusOK)

	b.save(t, `button[value="suspend"]`, "The user is suspended and signed out.")
	h.wantCall(t, "/demo/fresh", lin, http.StatusForbidden)
	h.logged(t, "/demo/fresh", "403", "revoked")
	b.seen("admin-user-suspended")
	b.save(t, `button[value="activate"]`, "The user can sign in again.")
	h.wantCall(t, "/demo/fresh", lin, http.StatusForbidden)
	h.wantCall(t, "/demo/fresh", tokenAs(t, h, "lin"), http.StatusOK)
	b.open(b.eval("location.href")) // with the session that is new
	b.save(t, `button[value="end_sessions"]`, "All sessions have ended.")

	b.leave(".back a", "Users")
	b.do(chromedp.SetValue(chromedp.ID("role"), "admin"))
	b.click(".filter button", ".filter a") // show all
	if at := b.eval("location.search"); at != "?role=admin" {
		t.Errorf("the filter is at %s", at)
	}
	b.leave("tbody a", "Ada")
	b.seen("admin-user-oneself")
	b.do(chromedp.Click(chromedp.CSS(click)))
	b.save(t, `button[value="roles"]`, "This is the last administrator")
	b.seen("admin-user-last")

	b.leave(`nav a[href="/admin/audit"]`, "Audit trail")
	trail := b.eval("document.querySelector('tbody').innerText")
	for _, want := range []string{"Sessions ended", "Let in again", "Suspended", "Roles changed", "+admin", "-admin", "127.0.0.1"} {
		if !strings.Contains(trail, want) {
			t.Errorf("the audit trail does not say %q:\n%s", want, trail)
		}
	}
	b.seen("admin-audit")
	b.leave(`nav a[href="/admin/keys"]`, "Signing keys")
	b.seen("admin-keys")
	if strings.Contains(h.log.String(), "lin@") || strings.Contains(h.log.String(), "role=admin") {
		t.Error("the log tells what was searched for")
	}

	b.open(h.Issuer + "/logout")
	b.leave(`button[value="here"]`, "You are signed out")
	b.open(h.Issuer + "/admin/users")
	b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	b.leave(`button[value="lin"]`, "You may not see this page")
	b.seen("admin-forbidden")
	b.asked(h.Issuer, h.Demo)
}

// save clicks on what posts a form, and waits for what the page says then.
func (b *browser) save(t *testing.T, selector, notice string) {
	t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
	var got string
	for range 100 {
		got, _ = chromedp.Run(b.ctx, chromedp.Evaluate[string]("(document.querySelector('.notice') || {}).innerText || ''"))
		if strings.HasPrefix(got, notice) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("the page says %q, want %q", got, notice)
}

// tokenAs signs somebody in without a browser, and returns an access token.
func tokenAs(t *testing.T, h *service, user string) string {
	t.Helper()
	command := exec.Command(gatehouse, "token", "--as", user, "--url", h.Issuer)
	command.Env = h.environ()
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// wantCall calls a route with a token.
func (h *service) wantCall(t *testing.T, path, token string, status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.Issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != status {
		t.Errorf("GET %s: %d, want %d", path, res.StatusCode, status)
	}
}

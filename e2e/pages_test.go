package e2e

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWithoutScripts signs in and out with scripts turned off.
func TestWithoutScripts(t *testing.T) {
	h, b := startService(t), openBrowser(t)
	b.scripts(false)
	b.open(h.Issuer + "/login")
	b.seen("login")
	b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	b.leave(`button[value="ada"]`, "You are signed in")
	b.seen("signed-in")
	b.open(h.Issuer + "/login")
	b.seen("login-continue")
	b.leave(`a[href*="continue=yes"]`, "You are signed in")
	b.open(h.Issuer + "/logout")
	b.seen("sign-out")
	b.leave(`button[value="here"]`, "You are signed out")
	b.seen("signed-out")
	b.open(h.Issuer + "/logout")
	b.seen("sign-out-without-session")
	b.asked(h.Issuer, h.Demo)
}

// TestFailures meets what people may meet when a sign-in fails.
func TestFailures(t *testing.T) {
	h, b := startService(t), openBrowser(t)
	signIn := func() {
		b.open(h.Issuer + "/login")
		b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	}
	signIn()
	b.leave(`button[value="sam"]`, "This account is suspended")
	b.seen("failure-suspended")

	for fault, heading := range map[string]string{
		"cancel": "You did not sign in",
		"error":  "The sign-in did not work",
		"nonce":  "The sign-in did not work",
		"slow":   "The sign-in did not work",
	} {
		signIn()
		b.do(chromedp.Click(chromedp.CSS("details:last-of-type summary")), chromedp.WaitVisible(chromedp.CSS(`button[value="`+fault+`"]`)))
		if fault == "cancel" {
			b.seen("demo-faults")
		}
		b.leave(`button[value="`+fault+`"]`, heading)
		b.seen("failure-" + fault)
	}

	b.leave("a.primary", "Sign in") // start again
	b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	b.do(chromedp.Click(chromedp.CSS("details summary")), chromedp.WaitVisible(chromedp.ID("email")))
	b.seen("demo-someone-else")
	b.leave(".go", "You are signed in")

	b.open(h.Issuer + "/callback/demo?code=a&state=b")
	b.arrive("This sign-in is no longer open")
	b.seen("failure-link-expired")
	b.open(h.Issuer + "/authorize?client_id=nobody")
	b.arrive("We do not know this app")
	b.seen("failure-unknown-app")
	b.open(h.Issuer + "/authorize?client_id=demo-spa&redirect_uri=https://evil.test/")
	b.arrive("This app asked for a return address")
	b.seen("failure-return-address")
	b.open(h.Demo)
	b.seen("demo-home")
	b.asked(h.Issuer, h.Demo)
}

// TestEveryState looks at every page in every state, also those that are hard to
// bring about.
func TestEveryState(t *testing.T) {
	devOnly(t)
	b, dir := openBrowser(t), t.TempDir()
	write := exec.Command("go", "test", "-C", "..", "./loginsvc/pages", "-run", "TestEveryPage", "-gallery", dir)
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatal("no pages", err)
	}
	b.scripts(false) // the page that posts to an app by script stays
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".html")
		if strings.Contains(name, "bare") {
			continue
		}
		b.open(server.URL + "/" + name + ".html")
		b.look("state-" + name)
	}
}

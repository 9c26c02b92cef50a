package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestTour is what a newcomer does, in three clicks and a few more.
func TestTour(t *testing.T) {
	devOnly(t)
	h, b := startService(t), openBrowser(t)

	b.open(h.Issuer + "/")
	b.text("without-result", "401")
	b.seen("tour-1-stranger")

	b.do(chromedp.Click(chromedp.CSS("#sign-in")))
	b.arrive("Who are you today?")
	b.seen("demo-2-choice")
	b.do(chromedp.Click(chromedp.CSS(`button[value="lin"]`)))
	b.arrive("One API, one gate")
	b.text("name", "Lin")
	if at := b.eval("location.href"); at != h.Issuer+"/" {
		t.Errorf("back at %s: the code must not stay in the address", at)
	}

	b.click("#call-again", "#again-result .status")
	b.text("again-result", "200")
	b.text("again-result", `"hello": "Lin"`)
	b.seen("tour-3-signed-in")

	for _, try := range []struct{ id, status, reason string }{
		{"try-admin", "403", "role"},
		{"try-tamper", "403", "signature"},
		{"try-id-token", "403", "typ"},
		{"try-audience", "403", "audience"},
		{"try-expired", "403", "expired"},
	} {
		b.do(chromedp.Click(chromedp.ID(try.id)))
		b.text(try.id+"-result", try.status)
		b.text(try.id+"-result", try.reason)
	}
	h.logged(t, "/demo/hello", "403", "signature")
	b.seen("tour-4-tried")

	suspendVisitor(t, h, b)

	b.do(chromedp.Click(chromedp.ID("sign-out")), chromedp.WaitNotVisible(chromedp.ID("who")))
	b.text("without-result", "401")
	b.open(h.Issuer + "/login")
	if b.eval("String(!!document.querySelector('a[href*=continue]'))") == "true" {
		t.Error("the session at Gatehouse goes on")
	}
	b.asked(h.Issuer, h.Demo)
}

// suspendVisitor is what a visitor sees who suspends themselves on the tour, and
// finds the way back.
func suspendVisitor(t *testing.T, h *service, b *browser) {
	t.Helper()
	b.do(chromedp.Click(chromedp.ID("try-suspend")), chromedp.WaitVisible(chromedp.ID("try-activate")))
	b.text("try-suspend-result", "403")
	b.text("try-suspend-result", "revoked")
	b.seen("tour-5-suspended")
	b.open(h.Issuer + "/login")
	b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	b.leave(`button[value="lin"]`, "This account is suspended")

	b.open(h.Issuer + "/")
	b.do(chromedp.Click(chromedp.ID("try-activate")))
	b.text("try-activate-result", "403")
	b.text("try-activate-result", "sign in again")
	b.seen("tour-6-let-in-again")
	b.do(chromedp.Click(chromedp.ID("sign-in")))
	b.arrive("Who are you today?")
	b.do(chromedp.Click(chromedp.CSS(`button[value="lin"]`)))
	b.arrive("One API, one gate")
	b.text("name", "Lin")
	b.click("#call-again", "#again-result .status")
	b.text("again-result", "200")

	b.do(chromedp.Click(chromedp.ID("sign-in"))) // as someone else
	b.arrive("Sign in to")
	b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	b.do(chromedp.Click(chromedp.CSS(`button[value="ada"]`)))
	b.text("name", "Ada")
	b.do(chromedp.Click(chromedp.ID("try-suspend")))
	b.text("try-suspend-result", "409")
	b.text("try-suspend-result", "you are the only admin")
}

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestAccount is what Lin does on the page of her account, with scripts turned
// off: all of it, to the end.
func TestAccount(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>x</title><link rel="icon" href="data:,"><h1>The shop</h1>`)
	}))
	defer app.Close()
	h := startService(t, "--config", configWith(t, fmt.Sprintf(`
  - id: print
    name: Print shop
    third_party: true
    redirect_uris: [%s/cb]
    grants: [authorization_code]
    scopes: [openid, email]
  - id: telephone
    redirect_uris: [%s]
    scopes: [openid]
`, app.URL, callback)))
	b := openBrowser(t)
	b.scripts(false)
	account := h.Issuer + "/account"

	b.open(account)
	b.arrive("Sign in")
	b.leave(`a[href*="idp_hint="]`, "Who are you today?")
	b.leave(`button[value="lin"]`, "Your account")
	b.seen("account")

	b.reveal("#name")
	b.do(chromedp.SetValue(chromedp.ID("name"), "Lin Mu"))
	b.notice(`button[value="rename"]`, "Your name is changed.")
	b.shows(t, "Lin Mu")
	b.seen("account-renamed")

	const challenge = "&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	h.walk(t, h.Issuer+"/authorize?client_id=telephone&redirect_uri="+callback+challenge)
	b.open(account)
	b.count(t, "end_session", 2)
	b.seen("account-two-sessions")
	b.notice(`li:nth-of-type(2) button[value="end_session"]`, "That browser is signed out.")
	b.count(t, "end_session", 1)

	b.leave(`button[value="link"]`, "Who are you today?")
	b.do(chromedp.Click(chromedp.CSS("details summary")), chromedp.WaitVisible(chromedp.ID("email")))
	b.do(chromedp.SetValue(chromedp.ID("email"), "lin@work.example"))
	b.leave(".go", "Your account")
	b.says("From now on you can sign in that way, too.")
	b.count(t, "unlink", 2)
	b.seen("account-linked")
	b.leave(`button[value="link"]`, "Who are you today?")
	b.do(chromedp.Click(chromedp.CSS("details:last-of-type summary")), chromedp.WaitVisible(chromedp.CSS(`button[value="cancel"]`)))
	b.leave(`button[value="cancel"]`, "Your account")
	b.says("You stopped before you had chosen an account.")
	b.notice(b.rowWith("lin@work.example")+` button[value="unlink"]`, "You can no longer sign in that way.")
	b.count(t, "unlink", 0)

	b.open(h.Issuer + "/authorize?client_id=print&redirect_uri=" + app.URL + "/cb" + challenge)
	b.arrive("Let Print shop")
	b.seen("consent")
	b.leave(`button[value="allow"]`, "The shop")
	b.open(account)
	b.seen("account-app")
	b.notice(`button[value="withdraw"]`, "The app no longer has your permission.")
	b.count(t, "withdraw", 0)

	data := b.download(t, h, b.eval(`document.querySelector("a[href$=export]").href`))
	for _, want := range []string{`"name":"Lin Mu"`, `"identities":[{`, `"sessions":[{`, `"action":"identity.unlinked"`} {
		if !strings.Contains(data, want) {
			t.Errorf("the export does not have %s: %s", want, data)
		}
	}

	b.reveal("#confirm")
	b.do(chromedp.SetValue(chromedp.ID("confirm"), "lin"))
	b.notice(`button[value="delete"]`, "What you typed is something else, so nothing was deleted.")
	b.seen("account-not-confirmed")
	b.reveal("#confirm")
	b.do(chromedp.SetValue(chromedp.ID("confirm"), "lin@example.com"))
	b.leave(`button[value="delete"]`, "Your account is deleted")
	b.seen("account-deleted")
	b.open(account)
	b.arrive("Sign in")
	b.asked(h.Issuer, h.Demo, app.URL)
}

// download fetches what a link leads to with the cookies of the browser.
func (b *browser) download(t *testing.T, h *service, address string) string {
	t.Helper()
	jar, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range jar.Cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	res, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
		t.Fatal(res.Status, res.Header, err)
	}
	return string(body)
}

// reveal opens the details that selector is in.
func (b *browser) reveal(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS("details:has("+selector+") summary")), chromedp.WaitVisible(chromedp.CSS(selector)))
}

// notice clicks on what posts a form, and waits for what the page then says.
func (b *browser) notice(selector, says string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
	b.says(says)
}

// says waits for a notice.
func (b *browser) says(want string) {
	b.t.Helper()
	var got string
	for range 100 {
		got, _ = chromedp.Run(b.ctx, chromedp.Evaluate[string]("(document.querySelector('.notice') || {}).innerText || ''"))
		if strings.HasPrefix(got, want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("the page says %q, want %q", got, want)
}

// shows fails the test if the page does not show this.
func (b *browser) shows(t *testing.T, want string) {
	t.Helper()
	if text := b.eval("document.body.innerText"); !strings.Contains(text, want) {
		t.Errorf("the page does not show %q:\n%s", want, text)
	}
}

// count fails the test if there are not n buttons to do this.
func (b *browser) count(t *testing.T, do string, n int) {
	t.Helper()
	if got := b.eval(fmt.Sprintf(`String(document.querySelectorAll('button[value=%q]').length)`, do)); got != strconv.Itoa(n) {
		t.Errorf("%s buttons to %s, want %d", got, do, n)
	}
}

// rowWith is a selector of the row of a list that has text in it.
func (b *browser) rowWith(text string) string {
	b.t.Helper()
	n := b.eval(fmt.Sprintf(`(() => {
		const row = [...document.querySelectorAll(".rows > li")].find(e => e.innerText.includes(%q));
		row.id = "the-row";
		return "#the-row";
	})()`, text))
	return n
}

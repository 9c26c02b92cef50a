package loginsvc_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/flow"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

// flowCookie returns the browser's cookie with the secret of its sign-ins.
func (b *browser) flowCookie() *http.Cookie {
	b.w.t.Helper()
	u, _ := url.Parse(issuer)
	for _, c := range b.jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "__Host-gatehouse_flow_") {
			return c
		}
	}
	b.w.t.Fatal("no cookie of a sign-in")
	return nil
}

// TestManySignInsAtOnce starts the sign-ins of many tabs before any of them ends.
func TestManySignInsAtOnce(t *testing.T) {
	t.Parallel()
	const tabs = 50
	for _, cookie := range []bool{false, true} {
		t.Run(fmt.Sprintf("50 tabs finish, in a browser with a cookie: %v", cookie), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			if cookie {
				b.get("/authorize?" + authorize().Encode())
			}
			u, _ := url.Parse(issuer)
			before := b.jar.Cookies(u)
			answers := make([]answer, tabs)
			var wg sync.WaitGroup
			for i := range tabs {
				wg.Go(func() { // each tab sends the cookies of before
					tab := w.browser()
					tab.jar.SetCookies(u, before)
					answers[i] = tab.get("/authorize?" + authorize("state", fmt.Sprint("tab ", i)).Encode())
				})
			}
			wg.Wait()
			for _, a := range answers {
				b.jar.SetCookies(u, a.Cookies())
			}
			if n := len(b.jar.Cookies(u)); cookie && n != 1 || !cookie && n != tabs {
				t.Errorf("%d cookies", n)
			}
			size := 0
			for _, c := range b.jar.Cookies(u) {
				size += len(c.Name) + len(c.Value) + len("=; ")
			}
			if size > 4096 {
				t.Errorf("%d bytes of cookies: a gateway takes 10,240 bytes of headers", size)
			}
			order := append(slices.Clone(answers[tabs/2:]), answers[:tabs/2]...)
			for i, a := range order {
				callback := b.post(a.location().String(), url.Values{"user": {"lin"}}).location().String()
				to := b.get(callback).location()
				if want := fmt.Sprint("tab ", (i+tabs/2)%tabs); to == nil || to.Query().Get("code") == "" || to.Query().Get("state") != want {
					t.Errorf("%s: sent to %v", want, to)
				}
			}
		})
	}
	t.Run("a page whose images each start a sign-in finishes with all of them", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		page := b.get("/authorize?" + authorize("state", "page").Encode())
		callback := b.post(page.location().String(), url.Values{"user": {"lin"}}).location().String()
		var images []string
		for i := range 40 {
			images = append(images, b.get("/authorize?"+authorize("state", fmt.Sprint(i)).Encode()).location().String())
		}
		if to := b.get(callback).location(); to == nil || to.Query().Get("state") != "page" || to.Query().Get("code") == "" {
			t.Errorf("the page: %v", to)
		}
		for i, at := range images {
			if to := b.follow("lin", b.post(at, url.Values{"user": {"lin"}})).location(); to == nil || to.Query().Get("state") != fmt.Sprint(i) || to.Query().Get("code") == "" {
				t.Errorf("image %d: %v", i, to)
			}
		}
	})
	t.Run("cookies that pile up are dropped, and the newest sign-in finishes", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		u, _ := url.Parse(issuer)
		for range 150 {
			b.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-gatehouse_flow_" + flow.NewName(), Value: flow.NewSecret().Cookie(), Secure: true, Path: "/"}})
		}
		callback := b.atProvider("lin", authorize())
		if n := len(b.jar.Cookies(u)); n != 1 {
			t.Errorf("%d cookies", n)
		}
		if to := b.get(callback).location(); to == nil || to.Query().Get("code") == "" {
			t.Errorf("sent to %v", to)
		}
	})
}

func TestLargeRequests(t *testing.T) {
	t.Parallel()
	random := func(n int) string {
		var s strings.Builder
		for s.Len() < n {
			s.WriteString(flow.NewSecret().Cookie())
		}
		return s.String()[:n]
	}
	for name, state := range map[string]string{
		"short": "s", "2 kB": random(2048), "as JSON": `{"to":"/a?b=c&d=%20"," é":[` + strings.Repeat(`"x;+ ",`, 280) + `1]}`,
		"of bytes": "\xff\xfe\x00\r\n&=%;+" + random(1500), "4 kB of one letter": strings.Repeat("x", 4096),
	} {
		t.Run("a state comes back: "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			a := b.get("/authorize?" + authorize("state", state, "login_hint", "lin@example.com").Encode())
			if n := len(a.Header.Get("Location")); n > 2000 {
				t.Errorf("the request to the provider has %d bytes", n)
			}
			for _, c := range a.Cookies() {
				if n := len(c.Name) + len(c.Value); n > 4096 {
					t.Errorf("a cookie of %d bytes", n)
				}
			}
			callback := b.post(a.location().String(), url.Values{"user": {"lin"}}).location().String()
			if w.table.requests.Load() != 0 {
				t.Error("the table was asked before the provider had vouched for a person")
			}
			to := b.get(callback).location()
			if to == nil || to.Query().Get("state") != state || to.Query().Get("code") == "" {
				t.Errorf("sent to %.200v", to)
			}
		})
	}
	t.Run("a hint that is too long is not passed on", func(t *testing.T) {
		t.Parallel()
		to := newWorld(t).browser().get("/authorize?" + authorize("login_hint", random(3000)).Encode()).Header.Get("Location")
		if len(to) > 2000 || !strings.HasPrefix(to, demo) {
			t.Errorf("%d bytes: %.100s", len(to), to)
		}
	})
	t.Run("a hint is not sealed", func(t *testing.T) {
		t.Parallel()
		b := newWorld(t).browser()
		short := b.get("/authorize?" + authorize().Encode()).location().Query().Get("state")
		long := b.get("/authorize?" + authorize("id_token_hint", random(1500), "login_hint", random(100)).Encode()).location().Query().Get("state")
		if len(long) > len(short)+4 {
			t.Errorf("a state of %d bytes, without hints %d", len(long), len(short))
		}
	})
	t.Run("what no cookie holds is told to the client", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		a := b.get("/authorize?" + authorize("state", random(4000), "nonce", random(4000)).Encode())
		a.refused(t, "invalid_request")
		if n := w.table.requests.Load(); n != 0 {
			t.Errorf("%d requests to the table", n)
		}
	})
	t.Run("two tabs with large requests both finish, in either order", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			b := w.browser()
			states := []string{random(2003), random(2003)}
			callbacks := []string{b.atProvider("lin", authorize("state", states[0])), b.atProvider("lin", authorize("state", states[1]))}
			for _, i := range order {
				if to := b.get(callbacks[i]).location(); to == nil || to.Query().Get("code") == "" || to.Query().Get("state") != states[i] {
					t.Errorf("tab %d: sent to %.200v", i, to)
				}
			}
		}
	})
	t.Run("of many large requests the newest two finish, and the others can begin again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		u, _ := url.Parse(issuer)
		var callbacks []string
		for i := range 6 {
			callbacks = append(callbacks, b.atProvider("lin", authorize("state", fmt.Sprint(i, random(2000)))))
			size := 0
			for _, c := range b.jar.Cookies(u) {
				size += len(c.Name) + len(c.Value) + len("=; ")
			}
			if size > 6500 {
				t.Errorf("%d bytes of cookies: a gateway takes 10,240 bytes of headers", size)
			}
		}
		b.get(callbacks[0]).page(t, http.StatusBadRequest, "no longer open")
		for i, callback := range callbacks[4:] {
			if to := b.get(callback).location(); to == nil || to.Query().Get("code") == "" || !strings.HasPrefix(to.Query().Get("state"), fmt.Sprint(i+4)) {
				t.Errorf("request %d: sent to %.200v", i+4, to)
			}
		}
	})
	t.Run("an image begins no large request", func(t *testing.T) {
		t.Parallel()
		b := newWorld(t).browser()
		to := "/authorize?" + authorize("state", random(2003)).Encode()
		for _, dest := range []string{"image", "iframe", "empty"} {
			a := b.get(to, "Sec-Fetch-Dest", dest)
			a.page(t, http.StatusBadRequest, "")
			for _, c := range a.Cookies() {
				if strings.Contains(c.Name, "sealed") {
					t.Errorf("%s: a cookie of %d bytes", dest, len(c.Value))
				}
			}
		}
		if a := b.get(to, "Sec-Fetch-Dest", "document"); a.location() == nil {
			t.Errorf("a page: %d", a.StatusCode)
		}
	})
	t.Run("a provider that gives back a short state alone", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		p, err := upstream.New(upstream.Config{
			ID: "demo", Name: "Demo", Issuer: demo, ClientID: "gatehouse", ClientSecret: "upstream-secret",
			CallbackURL: issuer + "/callback/demo", HTTPClient: &http.Client{Transport: w}, Now: w.now, MaxState: 40,
		})
		if err != nil {
			t.Fatal(err)
		}
		w.config.Providers[0] = p
		w.rebuild()
		b := w.browser()
		a := b.get("/authorize?" + authorize().Encode())
		if n := len(a.location().Query().Get("state")); n > 40 {
			t.Errorf("a state of %d bytes", n)
		}
		if to := b.follow("lin", a).location(); to == nil || to.Query().Get("code") == "" {
			t.Errorf("sent to %v", to)
		}
	})
}

// forge seals what the owner of a browser likes, as that browser's flow.
func (b *browser) forge(fields ...string) (state string, keys flow.Keys) {
	b.w.t.Helper()
	cookie := b.flowCookie()
	secret, ok := flow.ParseSecret(cookie.Value)
	if !ok {
		b.w.t.Fatal("not a secret")
	}
	id := flow.NewID()
	keys = secret.Keys(id)
	return flow.State{
		Browser: strings.TrimPrefix(cookie.Name, "__Host-gatehouse_flow_"), ID: id, Sealed: keys.Seal(flow.Join(fields...)),
	}.String(), keys
}

// atProviderWith goes to the provider with a state of the test's own making.
func (b *browser) atProviderWith(state string, keys flow.Keys) string {
	b.w.t.Helper()
	at := demo + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"gatehouse"}, "redirect_uri": {issuer + "/callback/demo"}, "scope": {"openid email profile"},
		"state": {state}, "nonce": {keys.Nonce}, "code_challenge": {challengeOf(keys.Verifier)}, "code_challenge_method": {"S256"},
	}.Encode()
	to := b.post(at, url.Values{"user": {"sam"}}).location()
	if to == nil {
		b.w.t.Fatal("the provider refuses the request")
	}
	return to.String()
}

// TestForgedFlows seals flows as the owner of a browser can, and expects of each
// what an honest flow could have done.
func TestForgedFlows(t *testing.T) {
	t.Parallel()
	at := func(w *world, d time.Duration) string { return fmt.Sprint(w.now().Add(d).Unix()) }
	client := []string{""}
	for name, values := range authorize() {
		client = append(client, name, values[0])
	}
	try := func(name string, status int, fields func(w *world, b *browser) []string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lin := w.guest("lin")
			state, keys := lin.forge(fields(w, lin.browser)...)
			before := w.users()
			a := lin.get(lin.atProviderWith(state, keys))
			if a.StatusCode != status {
				t.Errorf("%d %v %s", a.StatusCode, a.location(), a.body)
			}
			if made := w.users() - before; (status == http.StatusSeeOther) != (made == 1) {
				t.Errorf("%d users were made", made)
			}
			lin.linkedNothing()
		})
	}
	try("an honest one", 303, func(w *world, _ *browser) []string {
		return append([]string{"demo", at(w, 0), "/authorize"}, client...)
	})
	try("of another provider", 400, func(w *world, _ *browser) []string {
		return append([]string{"other", at(w, 0), "/authorize"}, client...)
	})
	try("too old", 400, func(w *world, _ *browser) []string {
		return append([]string{"demo", at(w, -10*time.Minute-time.Second), "/authorize"}, client...)
	})
	try("of the future", 400, func(w *world, _ *browser) []string {
		return append([]string{"demo", at(w, 2*time.Minute), "/authorize"}, client...)
	})
	try("without a time", 400, func(*world, *browser) []string { return append([]string{"demo", "", "/authorize"}, client...) })
	try("for an unknown client", 400, func(w *world, _ *browser) []string {
		return []string{"demo", at(w, 0), "/authorize", "", "client_id", "nobody"}
	})
	try("for a redirect URI that is not registered", 400, func(w *world, _ *browser) []string {
		return append([]string{"demo", at(w, 0), "/authorize"}, append(client, "redirect_uri", "https://evil.test/")...)
	})
	try("that leads elsewhere", 400, func(w *world, _ *browser) []string { return []string{"demo", at(w, 0), "/login", "//evil.test"} })
	try("for no purpose", 400, func(w *world, _ *browser) []string { return []string{"demo", at(w, 0), "/evil"} })
	try("of too few fields", 400, func(*world, *browser) []string { return []string{"demo"} })
	try("a link for another user", 403, func(w *world, _ *browser) []string {
		ada := w.guest("ada")
		return []string{"demo", at(w, 0), "/account", ada.user.ID, ada.session.ID}
	})
	try("a link for no session", 403, func(w *world, _ *browser) []string { return []string{"demo", at(w, 0), "/account", "", ""} })
	t.Run("a sign-in that says it was a link, and the reverse", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		signIn, link := lin.atProvider("sam", authorize("prompt", "login")), lin.atLink("sam")
		swap := func(callback, with string) string {
			u, _ := url.Parse(callback)
			other, _ := url.Parse(with)
			q := u.Query()
			q.Set("state", other.Query().Get("state"))
			u.RawQuery = q.Encode()
			return u.String()
		}
		lin.told(lin.get(swap(signIn, link)), "link_failed", "") // the code is of the other verifier
		lin.get(swap(link, signIn)).refused(t, "access_denied")
		lin.linkedNothing()
		if w.users() != 1 {
			t.Errorf("%d users", w.users())
		}
	})
	t.Run("every bit of a state counts", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		u, _ := url.Parse(callback)
		q := u.Query()
		state := q.Get("state")
		for i := range state {
			for _, changed := range []string{state[:i], state[:i] + string(state[i]^1) + state[i+1:], state[:i] + state[i+1:]} {
				q.Set("state", changed)
				b.get("/callback/demo?"+q.Encode()).page(t, http.StatusBadRequest, "")
			}
		}
		if n := w.hit("127.0.0.1:8788/token"); n != 0 {
			t.Errorf("the code was sent to the provider %d times", n)
		}
		if to := b.get(callback).location(); to == nil || to.Query().Get("code") == "" {
			t.Errorf("and the right one does not finish: %v", to)
		}
	})
}

func TestFlowCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	find := func(a answer) *http.Cookie {
		t.Helper()
		for _, c := range a.Cookies() {
			if strings.Contains(c.Name, "gatehouse_flow_") {
				return c
			}
		}
		t.Fatal("no cookie")
		return nil
	}
	first := find(b.get("/authorize?" + authorize().Encode()))
	if first.SameSite != http.SameSiteNoneMode || !first.Secure || !first.HttpOnly || first.MaxAge != 600 || first.Path != "/" {
		t.Errorf("%v", first)
	}
	if again := find(b.get("/login?idp_hint=demo")); again.Name != first.Name || again.Value != first.Value || again.MaxAge != 600 {
		t.Errorf("the browser gets another one, or no longer life: %v", again)
	}
	if other := find(w.browser().get("/login?idp_hint=demo")); other.Name == first.Name || other.Value == first.Value {
		t.Errorf("another browser gets the same: %v", other)
	}
	large := b.get("/authorize?" + authorize("state", strings.Repeat("0123456789abcdef", 200)[:3000]).Encode())
	for _, c := range large.Cookies() {
		if c.SameSite != http.SameSiteNoneMode || !c.Secure || !c.HttpOnly || c.MaxAge != 600 {
			t.Errorf("%v", c)
		}
	}
	t.Run("on plain http it is Lax, because browsers refuse None there", func(t *testing.T) {
		w := newWorld(t, func(c *loginsvc.Config) { c.Issuer = "http://localhost:8787" })
		w.config.Providers[0] = w.provider("demo", "http://localhost:8787")
		w.rebuild()
		if c := find(w.browser().get("http://localhost:8787/login?idp_hint=demo")); c.SameSite != http.SameSiteLaxMode || c.Secure {
			t.Errorf("%v", c)
		}
	})
}

// TestPostedCallback answers as a provider with response_mode=form_post does: the
// browser posts from the provider's site, without its Lax cookies.
func TestPostedCallback(t *testing.T) {
	t.Parallel()
	post := func(b *browser, callback string) answer {
		u, _ := url.Parse(callback)
		jar, _ := cookiejar.New(nil)
		site, _ := url.Parse(issuer)
		cookie := b.flowCookie()
		cookie.Secure, cookie.Path = true, "/"
		jar.SetCookies(site, []*http.Cookie{cookie})
		cross := &browser{w: b.w, jar: jar, header: b.header}
		return cross.post("/callback/demo", u.Query(), "Sec-Fetch-Site", "cross-site", "Origin", demo)
	}
	t.Run("a sign-in finishes", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		if to := post(b, b.atProvider("lin", authorize())).location(); to == nil || to.Query().Get("code") == "" {
			t.Errorf("sent to %v", to)
		}
	})
	t.Run("a link goes on as a link, with the session", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		a := post(lin.browser, lin.atLink("sam"))
		if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), issuer+"/callback/demo?") {
			t.Fatalf("%d %v", a.StatusCode, a.location())
		}
		lin.told(lin.get(a.Header.Get("Location")), "linked", "")
	})
	t.Run("what is wrong in a query is wrong in a form", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		w.program().post("/callback/demo", url.Values{"code": {"x"}, "state": {"y"}}).page(t, http.StatusBadRequest, "no longer open")
		u, _ := url.Parse(callback)
		w.browser().post("/callback/demo", u.Query()).page(t, http.StatusBadRequest, "browser you began with")
		if a := b.post("/callback/demo", url.Values{"state": {strings.Repeat("x", 70<<10)}}); a.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%d", a.StatusCode)
		}
		b.post(callback, url.Values{}).page(t, http.StatusBadRequest, "no longer open") // a query is not a form
	})
}

// TestReloadedCallback opens the last page of a sign-in once more.
func TestReloadedCallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	callback := b.post(b.get("/login?idp_hint=demo").location().String(), url.Values{"user": {"lin"}}).location().String()
	first := b.get(callback)
	first.page(t, http.StatusOK, "lin@example.com")
	again := b.get(callback)
	again.page(t, http.StatusOK, "lin@example.com")
	if len(again.Cookies()) != 0 || !bytes.Equal([]byte(first.body), []byte(again.body)) {
		t.Error("it is another page, or another session")
	}
	u, _ := url.Parse(issuer)
	b.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-gatehouse_session", MaxAge: -1, Path: "/", Secure: true}})
	b.get(callback).page(t, http.StatusBadRequest, "no longer open")
}

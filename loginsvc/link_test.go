package loginsvc_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// startLink asks for another way to sign in and returns the provider's page.
func (b *browser) startLink() string {
	b.w.t.Helper()
	to := b.act("link", "provider", "demo").location()
	if to == nil || to.Host != "127.0.0.1:8788" || to.Path != "/authorize" {
		b.w.t.Fatalf("sent to %v", to)
	}
	return to.String()
}

// atLink does so, chooses somebody at the provider, and returns the callback that
// the browser is sent to.
func (b *browser) atLink(user string) string {
	b.w.t.Helper()
	callback := b.post(b.startLink(), url.Values{"user": {user}}).location().String()
	b.w.clock.Pass(time.Millisecond)
	return callback
}

// link adds somebody at the provider as a way to sign in.
func (b *browser) link(user string) {
	b.w.t.Helper()
	b.told(b.get(b.atLink(user)), "linked", "From now on you can sign in that way, too.")
}

// subjects are what the user signs in with.
func (g guest) subjects() []string {
	g.w.t.Helper()
	_, identities := g.now()
	var all []string
	for _, i := range identities {
		all = append(all, i.Subject)
	}
	return slices.Sorted(slices.Values(all))
}

// linkedNothing asserts that the guest signs in as before and with nothing else.
func (g guest) linkedNothing() {
	g.w.t.Helper()
	if got := g.subjects(); len(got) != 1 {
		g.w.t.Errorf("%s signs in with %q", g.user.Name, got)
	}
	for _, e := range g.all() {
		if e.Action == usersvc.IdentityLinked {
			g.w.t.Errorf("the audit trail says %+v", e)
		}
	}
}

func (g guest) all() []usersvc.Entry {
	g.w.t.Helper()
	page, err := g.w.config.Users.Audit(g.w.t.Context(), usersvc.AuditFilter{UserID: g.user.ID})
	if err != nil {
		g.w.t.Fatal(err)
	}
	return page.Items
}

func TestLink(t *testing.T) {
	t.Parallel()
	t.Run("another account becomes a way to sign in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		cookie := lin.cookie()
		a := lin.get(lin.atLink("sam"))
		for _, c := range a.Cookies() {
			t.Errorf("it sets the cookie %s", c.Name)
		}
		if lin.cookie() != cookie || !lin.live() {
			t.Error("the session is another one")
		}
		lin.told(a, "linked", "sign in that way")
		if got := lin.subjects(); !slices.Equal(got, []string{"demo-lin", "demo-sam"}) {
			t.Errorf("%q", got)
		}
		if e := lin.latest(); e.Action != usersvc.IdentityLinked || e.Actor != lin.user.ID || e.SourceIP != "192.0.2.7" || e.Agent != "test" {
			t.Errorf("%+v", e)
		}
		if user, _ := lin.now(); user.Name != "Lin" || user.Email != "lin@example.com" || !slices.Equal(user.Roles, lin.user.Roles) {
			t.Errorf("%+v", user)
		}
		if sam := w.guest("sam"); sam.user.ID != lin.user.ID || w.users() != 1 {
			t.Errorf("%+v", sam.user)
		}
		sessions, err := w.config.Users.Sessions(t.Context(), lin.user.ID)
		if err != nil || len(sessions) != 2 {
			t.Error("linking began a session:", sessions, err)
		}
	})
	t.Run("the person is asked which account", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		to, _ := url.Parse(w.guest("lin").startLink())
		q := to.Query()
		if q.Get("prompt") != "select_account" || q.Get("state") == "" || q.Get("nonce") == "" || q.Get("code_challenge_method") != "S256" {
			t.Errorf("%v", q)
		}
	})
	t.Run("an account that is linked already", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		lin.link("sam")
		for _, user := range []string{"lin", "sam"} {
			lin.told(lin.get(lin.atLink(user)), "already_linked", "Nothing was changed.")
		}
	})
	t.Run("S35 an account of somebody else", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin, ada := w.guest("lin"), w.guest("ada")
		lin.told(lin.get(lin.atLink("ada")), "linked_elsewhere", "Somebody signs in here with that account already")
		lin.linkedNothing()
		if again := w.guest("ada"); again.user.ID != ada.user.ID {
			t.Error("taken over")
		}
	})
	t.Run("too many", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		for i := range 19 {
			p := usersvc.Profile{Issuer: "https://p.test", Subject: string(rune('a' + i)), Provider: "p"}
			if _, err := w.config.Users.Link(t.Context(), usersvc.By{UserID: lin.user.ID}, lin.session.ID, p); err != nil {
				t.Fatal(err)
			}
		}
		lin.told(lin.get(lin.atLink("sam")), "too_many", "Remove one first.")
	})
	t.Run("under an issuer with a path", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.config.Issuer = "https://login.test/auth"
		w.config.Providers[0] = w.provider("demo", "https://login.test/auth")
		w.rebuild()
		b := w.browser()
		b.get("/auth/account").redirects(t, "https://login.test/auth/login?return_to=%2Fauth%2Faccount")
		b.get("/account").redirects(t, "https://login.test/auth/login?return_to=%2Fauth%2Faccount")
		page := b.get("/auth/login?return_to=%2Fauth%2Faccount")
		a := b.follow("lin", b.get(option(t, page.body, "demo")))
		a.page(t, http.StatusOK, `action="/auth/account"`)
		to := b.post("/auth/account", url.Values{"do": {"link"}, "provider": {"demo"}}).location()
		b.get(b.post(to.String(), url.Values{"user": {"sam"}}).Header.Get("Location")).redirects(t, "https://login.test/auth/account?notice=linked")
	})
}

// redirects asserts where the answer leads.
func (a answer) redirects(t *testing.T, want string) {
	t.Helper()
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != want {
		t.Errorf("%d, sent to %q, want %q", a.StatusCode, got, want)
	}
}

// TestLinkAttacks lets others than the person who asked, or than the browser and
// the session in which they did, finish a link.
func TestLinkAttacks(t *testing.T) {
	t.Parallel()
	const refusal = "Nothing was added to your account"
	t.Run("S30 the attacker's callback in the victim's browser", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		mallory, lin := w.guest("sam"), w.guest("lin")
		callback := mallory.atLink("ada") // so that who signs in as Ada would be Lin
		before := w.hit("127.0.0.1:8788/token")
		lin.get(callback).page(t, http.StatusBadRequest, "browser you began with")
		lin.linkedNothing()
		mallory.linkedNothing()
		if w.hit("127.0.0.1:8788/token") != before {
			t.Error("the code was sent to the provider")
		}
	})
	t.Run("S30 the same, with the attacker's cookie of the flow planted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		mallory, lin := w.guest("sam"), w.guest("lin")
		callback := mallory.atLink("ada")
		session := lin.cookie()
		u, _ := url.Parse(issuer)
		lin.jar.SetCookies(u, mallory.jar.Cookies(u))
		lin.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-gatehouse_session", Value: session, Path: "/", Secure: true}})
		before := w.hit("127.0.0.1:8788/token")
		lin.get(callback).page(t, http.StatusForbidden, refusal)
		lin.linkedNothing()
		mallory.linkedNothing()
		if lin.cookie() != session || w.hit("127.0.0.1:8788/token") != before {
			t.Error("another session, or the code was sent to the provider")
		}
	})
	// Each of these happens in the browser that began, before the callback.
	meanwhile := func(name string, do func(w *world, lin guest), status int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lin := w.guest("lin")
			callback := lin.atLink("sam")
			do(w, lin)
			before := w.hit("127.0.0.1:8788/token")
			a := lin.get(callback)
			a.page(t, status, refusal)
			if !strings.Contains(a.body, issuer+"/account") {
				t.Error("one cannot begin anew")
			}
			lin.linkedNothing()
			if w.hit("127.0.0.1:8788/token") != before {
				t.Error("the code was sent to the provider")
			}
			if sam := w.guest("sam"); sam.user.ID == lin.user.ID {
				t.Error("linked")
			}
		})
	}
	operator := usersvc.By{Operator: "test"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	meanwhile("the session has ended", func(w *world, lin guest) {
		must(w.config.Users.EndSession(t.Context(), lin.user.ID, lin.session.ID))
	}, http.StatusForbidden)
	meanwhile("the person has signed out", func(_ *world, lin guest) {
		lin.act("end_session", "session", lin.session.ID)
	}, http.StatusForbidden)
	meanwhile("the person has signed out and in again", func(_ *world, lin guest) {
		lin.act("end_session", "session", lin.session.ID)
		lin.code("lin")
	}, http.StatusForbidden)
	meanwhile("somebody else has signed in", func(_ *world, lin guest) {
		lin.act("end_session", "session", lin.session.ID)
		lin.code("ada")
	}, http.StatusForbidden)
	meanwhile("the user is suspended", func(w *world, lin guest) {
		_, err := w.config.Users.Suspend(t.Context(), operator, lin.user.ID)
		must(err)
	}, http.StatusForbidden)

	t.Run("the session ends while the provider is asked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		callback := lin.atLink("sam")
		w.claims(func(map[string]any) { must(w.config.Users.EndSession(t.Context(), lin.user.ID, lin.session.ID)) })
		lin.get(callback).page(t, http.StatusForbidden, refusal)
		lin.linkedNothing()
	})
	t.Run("S29 a callback that was used", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		callback := lin.atLink("sam")
		u, _ := url.Parse(issuer)
		cookies := lin.jar.Cookies(u)
		lin.told(lin.get(callback), "linked", "")
		lin.get(callback).page(t, http.StatusBadRequest, "no longer open")
		lin.jar.SetCookies(u, cookies)
		lin.get(callback).page(t, http.StatusBadRequest, "no longer open")
		if n := len(lin.subjects()); n != 2 {
			t.Errorf("%d ways to sign in", n)
		}
	})
	t.Run("a link signs nobody in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		callback := lin.atLink("sam")
		u, _ := url.Parse(issuer)
		lin.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-gatehouse_session", MaxAge: -1, Path: "/", Secure: true}})
		a := lin.get(callback)
		a.page(t, http.StatusForbidden, refusal)
		if lin.cookie() != "" || w.users() != 1 {
			t.Error("somebody was signed in")
		}
		for _, request := range []string{"/account", "/account?do=link", "/link"} {
			lin.post("/consent", url.Values{"request": {request}, "consent": {"allow"}}).page(t, http.StatusBadRequest, "")
		}
	})
	t.Run("a sign-in links nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		lin.get(lin.atProvider("sam", authorize("prompt", "login")))
		lin.linkedNothing()
		if w.users() != 2 {
			t.Errorf("%d users", w.users())
		}
	})
	t.Run("nothing begins without the person's own click", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		lin.get("/account?do=link&provider=demo").page(t, http.StatusOK, "Your account")
		link := url.Values{"do": {"link"}, "provider": {"demo"}}
		lin.post("/account", link, "Sec-Fetch-Site", "cross-site").page(t, http.StatusForbidden, "another site")
		lin.post("/account", link, "Origin", "https://evil.test").page(t, http.StatusForbidden, "another site")
		w.browser().post("/account", link).toLogin(t, "/account")
		for _, id := range []string{"", "Demo", "nobody"} {
			lin.act("link", "provider", id).page(t, http.StatusBadRequest, "")
		}
	})
}

// TestLinkFails comes back from the provider with nothing to link.
func TestLinkFails(t *testing.T) {
	t.Parallel()
	for fault, notice := range map[string]string{"cancel": "link_cancelled", "error": "link_failed", "nonce": "link_failed"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lin := w.guest("lin")
			callback := lin.post(lin.startLink(), url.Values{"fault": {fault}}).location().String()
			before := w.hit("127.0.0.1:8788/token")
			a := lin.get(callback)
			lin.told(a, notice, "")
			if asked := w.hit("127.0.0.1:8788/token") != before; asked != (fault == "nonce") {
				t.Errorf("the provider was asked for tokens: %v", asked)
			}
			if strings.Contains(a.Header.Get("Location"), "script") {
				t.Error("the provider's own words are repeated")
			}
			lin.linkedNothing()
			if !lin.live() {
				t.Error("the session has ended")
			}
			if !strings.Contains(w.log.String(), "reason="+notice) {
				t.Error("the log does not say why")
			}
		})
	}
	t.Run("a callback without a code", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		callback, _ := url.Parse(lin.atLink("sam"))
		q := callback.Query()
		q.Del("code")
		lin.told(lin.get("/callback/demo?"+q.Encode()), "link_failed", "")
	})
	t.Run("an error beside a code", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		for code, notice := range map[string]string{"access_denied": "link_cancelled", "server_error": "link_failed"} {
			lin.told(lin.get(lin.atLink("sam")+"&error="+code), notice, "")
			lin.linkedNothing()
		}
	})
	t.Run("the answer of another provider", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		callback, _ := url.Parse(lin.atLink("sam"))
		q := callback.Query()
		q.Set("iss", "https://evil.test")
		lin.get("/callback/demo?"+q.Encode()).page(t, http.StatusBadRequest, "")
		lin.linkedNothing()
	})
	t.Run("at another provider's callback", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		w.config.Providers = append(w.config.Providers, w.provider("other", issuer))
		w.rebuild()
		callback, _ := url.Parse(lin.atLink("sam"))
		lin.get("/callback/other?"+callback.RawQuery).page(t, http.StatusBadRequest, "")
		lin.linkedNothing()
	})
	t.Run("the provider is out of reach", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		callback := lin.atLink("sam")
		down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
		w.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": down, "/.well-known/openid-configuration": down}})
		defer w.demo.Behave(demoidp.Behaviour{})
		lin.told(lin.get(callback), "link_failed", "Try again in a moment.")
		w.config.Providers[0] = w.provider("demo", issuer) // which has not discovered anything yet
		w.rebuild()
		a := lin.act("link", "provider", "demo")
		a.page(t, http.StatusServiceUnavailable, "")
		if !strings.Contains(a.body, issuer+"/account") {
			t.Error("one cannot begin anew")
		}
	})
	t.Run("the table fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		callback := lin.atLink("sam")
		w.table.failWrite = func([]tableWrite) error { return errDown }
		lin.get(callback).page(t, http.StatusServiceUnavailable, "")
		w.table.failWrite = nil
		lin.linkedNothing()
		lin.link("sam")
	})
}

// TestEmailTaken follows what the page says to somebody whose address is known
// with another provider.
func TestEmailTakenLeadsToAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *loginsvc.Config) { c.Users.TrustedProviders = []string{"demo"} })
	lin := w.guest("lin")
	w.config.Providers = append(w.config.Providers, w.provider("other", issuer))
	w.rebuild()
	w.claims(func(c map[string]any) { c["sub"] = "another-lin" })
	b := w.browser()
	page := b.get("/login")
	a := b.follow("lin", b.get(option(t, page.body, "other")))
	a.page(t, http.StatusConflict, `href="/account"`)
	if b.cookie() != "" {
		t.Error("signed in")
	}
	t.Run("in an app's sign-in, which can begin anew or go back to the app", func(t *testing.T) {
		b := w.browser()
		page := b.get("/authorize?" + authorize().Encode())
		a := b.follow("lin", b.get(option(t, page.body, "other")))
		for _, link := range []string{`href="/account"`, `href="` + issuer + `/authorize?client_id=spa&amp;`, `href="https://app.test/cb?error=access_denied&amp;`} {
			a.page(t, http.StatusConflict, link)
		}
		if b.cookie() != "" || strings.Contains(a.body, "code=") {
			t.Error("signed in")
		}
	})
	lin.told(lin.get(lin.atLink("lin")), "linked", "")
}

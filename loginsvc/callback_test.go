package loginsvc_test

import (
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// atProvider starts a sign-in and chooses a person at the provider. It returns
// the callback that the browser is sent to.
func (b *browser) atProvider(user string, v url.Values) string {
	b.w.t.Helper()
	a := b.get("/authorize?" + v.Encode())
	if a.location() == nil || a.location().Host != "127.0.0.1:8788" {
		b.w.t.Fatalf("not sent to the provider: %d %v", a.StatusCode, a.location())
	}
	return b.post(a.location().String(), url.Values{"user": {user}}).location().String()
}

// nobody asserts that nothing has come of a sign-in.
func (w *world) nobody(b *browser) {
	w.t.Helper()
	if n := w.users(); n != 0 {
		w.t.Errorf("%d users were made", n)
	}
	u, _ := url.Parse(issuer)
	for _, c := range b.jar.Cookies(u) {
		if strings.Contains(c.Name, "session") {
			w.t.Error("there is a session cookie")
		}
	}
}

func TestCallbackState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	t.Run("S29 a state that belongs to no sign-in", func(t *testing.T) {
		for _, q := range []string{"", "?code=x", "?code=x&state=", "?code=x&state=unknown", "?error=access_denied"} {
			a := b.get("/callback/demo" + q)
			a.page(t, http.StatusBadRequest, "no longer open")
			if !strings.Contains(a.body, `href="`+issuer+`/login"`) {
				t.Error("one cannot start again")
			}
		}
		b.get("/callback/demo?code=x&state=a&state=b").page(t, http.StatusBadRequest, "")
		w.nobody(b)
	})
	t.Run("a callback that says two things", func(t *testing.T) {
		callback := b.atProvider("lin", authorize())
		for _, name := range []string{"code", "state", "iss", "error"} {
			b.get(callback+"&error=&"+name+"=x").page(t, http.StatusBadRequest, "")
		}
		w.nobody(b)
	})
	t.Run("S29 a state that is too old", func(t *testing.T) {
		callback := b.atProvider("lin", authorize())
		w.at(10*time.Minute + time.Second)
		defer w.at(0)
		a := b.get(callback)
		a.page(t, http.StatusBadRequest, "no longer open")
		if !strings.Contains(a.body, "/authorize?client_id=spa") {
			t.Error("one cannot start again")
		}
		w.nobody(b)
	})
	t.Run("S29 a clock that was set back revives nothing", func(t *testing.T) {
		callback := b.atProvider("lin", authorize())
		w.at(-time.Hour)
		defer w.at(0)
		b.get(callback).page(t, http.StatusBadRequest, "no longer open")
		w.nobody(b)
	})
	t.Run("S30 the state of another browser", func(t *testing.T) {
		callback := b.atProvider("lin", authorize())
		for name, victim := range map[string]*browser{"no cookie": w.browser(), "other cookies": w.browser()} {
			if name == "other cookies" {
				victim.atProvider("ada", authorize())
			}
			victim.get(callback).page(t, http.StatusBadRequest, "browser you began with")
			w.nobody(victim)
		}
		if n := w.hit("127.0.0.1:8788/token"); n != 0 {
			t.Errorf("the code was sent to the provider %d times", n)
		}
		if to := b.get(callback).location(); to == nil || to.Query().Get("code") == "" {
			t.Error("and the right browser cannot go on")
		}
	})
	t.Run("another browser does not learn whose sign-in it was", func(t *testing.T) {
		request := authorize()
		request.Set("login_hint", "lin@example.com")
		a := w.browser().get(w.browser().atProvider("lin", request))
		a.page(t, http.StatusBadRequest, `href="`+issuer+`/login"`)
		if strings.Contains(a.body, "lin@") || strings.Contains(a.body, "lin%40") {
			t.Error("the page has the address")
		}
	})
	t.Run("S30 the cookie's value decides", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		u, _ := url.Parse(issuer)
		for _, c := range b.jar.Cookies(u) {
			for _, value := range []string{c.Value[:len(c.Value)-1], flip(c.Value), ""} {
				w.program().get(callback, "Cookie", c.Name+"="+value).page(t, http.StatusBadRequest, "browser you began with")
			}
		}
		w.nobody(b)
	})
	t.Run("S29 a state that was used", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		u, _ := url.Parse(issuer)
		var cookie string
		for _, c := range b.jar.Cookies(u) {
			cookie = c.Name + "=" + c.Value
		}
		if a := b.get(callback); a.location() == nil {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		for _, behaviour := range []demoidp.Behaviour{{}, {ReuseCodes: true}} {
			w.demo.Behave(behaviour)
			w.program().get(callback, "Cookie", cookie).page(t, http.StatusBadRequest, "no longer open")
			b.get(callback).page(t, http.StatusBadRequest, "no longer open")
		}
		user, err := w.config.Users.List(t.Context(), usersvc.Filter{Limit: 10})
		if err != nil || len(user.Items) != 1 {
			t.Fatal(user, err)
		}
		if sessions, err := w.config.Users.Sessions(t.Context(), user.Items[0].ID); err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
	})
	t.Run("S31 two sign-ins in one browser both finish", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		one := b.atProvider("lin", authorize("state", "one"))
		two := b.atProvider("lin", authorize("state", "two", "client_id", "web", "redirect_uri", appURI+"2"))
		if to := b.get(two).location(); to.Query().Get("state") != "two" || to.Path != "/cb2" || to.Query().Get("code") == "" {
			t.Errorf("two: %v", to)
		}
		if to := b.get(one).location(); to.Query().Get("state") != "one" || to.Path != "/cb" || to.Query().Get("code") == "" {
			t.Errorf("one: %v", to)
		}
	})
	t.Run("S42 twenty callbacks of one sign-in make one session", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		u, _ := url.Parse(issuer)
		cookies := b.jar.Cookies(u)
		w.demo.Behave(demoidp.Behaviour{ReuseCodes: true})
		w.table.failWrite = meeting(20) // no one writes before all have read
		var (
			wg       sync.WaitGroup
			mu       sync.Mutex
			sessions int
		)
		for range 20 {
			wg.Go(func() {
				a := w.program().get(callback, "Cookie", cookies[0].Name+"="+cookies[0].Value)
				mu.Lock()
				defer mu.Unlock()
				if a.location() != nil && a.location().Query().Get("code") != "" {
					sessions++
				}
			})
		}
		wg.Wait()
		if sessions != 1 || w.users() != 1 {
			t.Errorf("%d sessions, %d users", sessions, w.users())
		}
	})
	t.Run("S43 two first sign-ins of one person make one user", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		var wg sync.WaitGroup
		for range 8 {
			b := w.browser()
			callback := b.atProvider("lin", authorize())
			wg.Go(func() {
				if a := b.get(callback); a.location() == nil || a.location().Query().Get("code") == "" {
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
			})
		}
		wg.Wait()
		if n := w.users(); n != 1 {
			t.Errorf("%d users", n)
		}
	})
	t.Run("S47 a sign-in that is never finished leaves nothing, and a finished one a row that expires", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		if n := w.table.requests.Load(); n != 0 {
			t.Errorf("%d requests to the table", n)
		}
		var expires time.Duration
		w.table.failWrite = func(writes []table.Write) error {
			for _, write := range writes {
				if write.Key.SK == "flow" {
					ttl, _ := write.Item[table.TTL].(int64)
					expires = time.Unix(ttl, 0).Sub(w.now())
				}
			}
			return nil
		}
		b.get(callback)
		if expires < 10*time.Minute || expires > 13*time.Minute {
			t.Errorf("the row expires in %v", expires)
		}
	})
	t.Run("an unknown provider", func(t *testing.T) {
		b.get("/callback/nosuch?state=x&code=y").page(t, http.StatusNotFound, "")
	})
}

func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

func TestCallbackMixUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Providers = append(w.config.Providers, w.provider("other", issuer))
	w.rebuild()
	b := w.browser()
	page := b.get("/authorize?" + authorize().Encode())
	a := b.get(option(t, page.body, "demo"))
	callback := b.post(a.location().String(), url.Values{"user": {"lin"}}).location()
	t.Run("S33 the answer comes from another provider", func(t *testing.T) {
		b.get(strings.Replace(callback.String(), "/callback/demo", "/callback/other", 1)).page(t, http.StatusBadRequest, "")
		q := callback.Query()
		for _, iss := range []string{"https://evil.test", demo + "/", strings.ToUpper(demo)} {
			q.Set("iss", iss)
			b.get("/callback/demo?"+q.Encode()).page(t, http.StatusBadRequest, "")
		}
		if n := w.hit("127.0.0.1:8788/token"); n != 0 {
			t.Errorf("the code was sent to a token endpoint %d times", n)
		}
		w.nobody(b)
	})
	if to := b.get(callback.String()).location(); to == nil || to.Query().Get("code") == "" {
		t.Error("the answer of the right provider is not taken any more")
	}
}

func TestUpstreamRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	seen := map[string]bool{}
	t.Run("S34 PKCE and a nonce, new every time", func(t *testing.T) {
		for range 3 {
			q := b.get("/authorize?" + authorize().Encode()).location().Query()
			if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
				t.Errorf("PKCE: %v", q)
			}
			for _, name := range []string{"state", "nonce", "code_challenge"} {
				if v := q.Get(name); len(v) < 22 || seen[v] {
					t.Errorf("%s %q", name, v)
				}
				seen[q.Get(name)] = true
			}
		}
	})
	t.Run("what the app asks is passed on", func(t *testing.T) {
		q := b.get("/authorize?" + authorize("login_hint", "lin@example.com", "max_age", "7", "acr_values", "mfa", "ui_locales", "de fr").Encode()).location().Query()
		if q.Get("acr_values") != "mfa" || q.Get("ui_locales") != "de fr" {
			t.Errorf("%v", q)
		}
		if q.Get("login_hint") != "lin@example.com" || q.Get("max_age") != "7" {
			t.Errorf("%v", q)
		}
	})
}

func TestCallbackFromProvider(t *testing.T) {
	t.Parallel()
	past, future := fake.Start.Add(-time.Hour).Unix(), fake.Start.Add(time.Hour).Unix()
	t.Run("S32 an ID token that cannot be trusted", func(t *testing.T) {
		claim := func(name string, value any) demoidp.Behaviour {
			return demoidp.Behaviour{Claims: func(c map[string]any) {
				if c[name] = value; value == nil {
					delete(c, name)
				}
			}}
		}
		for name, b := range map[string]demoidp.Behaviour{
			"wrong iss": claim("iss", "https://evil.test"), "wrong aud": claim("aud", "other"), "aud without us": claim("aud", []string{"a", "b"}),
			"azp of another": {Claims: func(c map[string]any) { c["aud"], c["azp"] = []string{"gatehouse", "other"}, "other" }},
			"expired":        claim("exp", past), "iat far ahead": claim("iat", future), "no nonce": claim("nonce", nil), "other nonce": claim("nonce", "x"),
			"no sub": claim("sub", nil), "sub is a number": claim("sub", 7),
			"alg none":      {Header: func(h map[string]any) { h["alg"] = "none" }, Sign: func(string, *rsa.PrivateKey) []byte { return nil }},
			"alg HS256":     {Header: func(h map[string]any) { h["alg"] = "HS256" }},
			"bad signature": {Sign: func(string, *rsa.PrivateKey) []byte { return make([]byte, 256) }},
			"unknown kid":   {Header: func(h map[string]any) { h["kid"] = "nobody" }},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.demo.Behave(b)
				b := w.browser()
				b.authorizeAs("lin", authorize()).refused(t, "access_denied")
				w.nobody(b)
				if !strings.Contains(w.log.String(), "reason=access_denied err=") {
					t.Errorf("the log does not say why: %s", w.log)
				}
			})
		}
	})
	t.Run("S36 only true makes an address verified", func(t *testing.T) {
		for _, value := range []any{false, nil, "false", "true", 1, "1", []any{true}, true} {
			w := newWorld(t)
			w.claims(func(c map[string]any) {
				c["email"], c["email_verified"] = "ada@example.com", value
				if value == nil {
					delete(c, "email_verified")
				}
			})
			access := w.access(w.tokens(w.browser().code("lin"))["access_token"])
			if verified := access.Email != ""; verified != (value == true) {
				t.Errorf("email_verified %v: e-mail %q", value, access.Email)
			}
			if admin := strings.Contains(strings.Join(access.Roles, " "), "admin"); admin != (value == true) {
				t.Errorf("email_verified %v: roles %v", value, access.Roles)
			}
		}
	})
	t.Run("S38 a suspended user", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		suspended, err := w.config.Users.EnsureUser(t.Context(), usersvc.Profile{
			Issuer: demo, Subject: "demo-sam", Provider: "demo", Email: "sam@example.com", EmailVerified: true, Name: "Sam",
		}, usersvc.Suspended)
		if err != nil {
			t.Fatal(err)
		}
		b := w.browser()
		for range 2 {
			a := b.authorizeAs("sam", authorize())
			a.refused(t, "access_denied")
			if got := a.location().Query(); got.Get("error_description") != "this account is suspended" || got.Get("state") != "s-1" {
				t.Errorf("%v", got)
			}
		}
		a := b.follow("sam", b.get("/login?idp_hint=demo"))
		a.page(t, http.StatusForbidden, "This account is suspended")
		u, _ := url.Parse(issuer)
		for _, c := range b.jar.Cookies(u) {
			if strings.Contains(c.Name, "session") {
				t.Error("there is a session cookie")
			}
		}
		if now, err := w.config.Users.Get(t.Context(), suspended.ID); err != nil || now.Status != usersvc.Suspended || w.users() != 1 {
			t.Errorf("the sign-in changed the user: %v %v", now.Status, err)
		}
	})
	t.Run("S39 the provider's errors reach the app in our words", func(t *testing.T) {
		for fault, want := range map[string]string{"cancel": "access_denied", "error": "server_error"} {
			w := newWorld(t)
			b := w.browser()
			at := b.get("/authorize?" + authorize().Encode()).location().String()
			a := b.get(b.post(at, url.Values{"fault": {fault}}).location().String())
			a.refused(t, want)
			if q := a.location().Query(); q.Get("state") != "s-1" || strings.Contains(q.Get("error_description"), "script") {
				t.Errorf("%v", q)
			}
			at = b.get("/login?idp_hint=demo").location().String()
			page := b.get(b.post(at, url.Values{"fault": {fault}}).location().String())
			if page.location() != nil || strings.Contains(page.body, "what a provider says") || !strings.Contains(page.body, `href="https://login.test/login"`) {
				t.Errorf("%d %s", page.StatusCode, page.body)
			}
			w.nobody(b)
		}
	})
	t.Run("what the provider wants of the person is told to the client as it is", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for code, want := range map[string]string{
			"consent_required": "consent_required", "login_required": "login_required", "interaction_required": "interaction_required",
			"account_selection_required": "account_selection_required", "temporarily_unavailable": "temporarily_unavailable",
			"invalid_scope": "server_error", "<script>": "server_error",
		} {
			b := w.browser()
			u, _ := url.Parse(b.atProvider("lin", authorize()))
			q := url.Values{"state": {u.Query().Get("state")}, "error": {code}, "error_description": {"what a provider says"}}
			a := b.get("/callback/demo?" + q.Encode())
			a.refused(t, want)
			if strings.Contains(a.location().String(), "what") {
				t.Errorf("the provider's words are repeated: %v", a.location())
			}
		}
	})
	t.Run("S40 a token endpoint that does not work", func(t *testing.T) {
		for name, h := range map[string]http.HandlerFunc{
			"500": func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "secret words", http.StatusInternalServerError)
			},
			"not JSON":  func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
			"10 MB":     func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 10<<20)) },
			"empty":     func(http.ResponseWriter, *http.Request) {},
			"no tokens": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": h}})
				b := w.browser()
				a := b.authorizeAs("lin", authorize())
				if q := a.location().Query(); q.Get("error") == "" || q.Get("state") != "s-1" || strings.Contains(a.location().String(), "secret") {
					t.Errorf("%v", q)
				}
				w.nobody(b)
				w.demo.Behave(demoidp.Behaviour{})
				if b.authorizeAs("lin", authorize()).location().Query().Get("code") == "" {
					t.Error("the next sign-in does not work")
				}
			})
		}
		w := newWorld(t)
		w.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/token": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }}})
		w.browser().authorizeAs("lin", authorize()).refused(t, "temporarily_unavailable")
	})
	t.Run("a provider that cannot be found", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{
			"/.well-known/openid-configuration": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		}})
		b := w.browser()
		a := b.get("/authorize?" + authorize().Encode())
		a.page(t, http.StatusServiceUnavailable, "did not work")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w.demo.Behave(demoidp.Behaviour{})
		if b.authorizeAs("lin", authorize()).location().Query().Get("code") == "" {
			t.Error("it is not looked for again")
		}
	})
	t.Run("a client that was removed during the sign-in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		w.config.Clients = nobodyKnown
		w.rebuild()
		b.get(callback).page(t, http.StatusBadRequest, "do not know this app")
		w.nobody(b)
	})
	t.Run("the table is down", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.atProvider("lin", authorize())
		w.table.failRead = errDown
		b.get(callback).page(t, http.StatusServiceUnavailable, "")
		w.table.failRead = nil
		w.nobody(b)
		if to := b.authorizeAs("lin", authorize()).location(); to == nil || to.Query().Get("code") == "" {
			t.Error("the next sign-in does not work")
		}
	})
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	u, _ := url.Parse(issuer)
	cookie := func(a answer) *http.Cookie {
		t.Helper()
		for _, c := range a.Cookies() {
			if c.Name == "__Host-gatehouse_session" {
				return c
			}
		}
		t.Fatalf("no session cookie: %v", a.Cookies())
		return nil
	}
	first := cookie(b.authorizeAs("lin", authorize()))
	t.Run("S44 what the cookie allows", func(t *testing.T) {
		if !first.Secure || !first.HttpOnly || first.SameSite != http.SameSiteLaxMode || first.Path != "/" || first.Domain != "" || first.MaxAge <= 0 {
			t.Errorf("%v", first)
		}
	})
	t.Run("S44 it changes with each sign-in", func(t *testing.T) {
		second := cookie(b.authorizeAs("lin", authorize("prompt", "login")))
		if second.Value == first.Value {
			t.Error("the value stays")
		}
		planted := w.browser()
		planted.jar.SetCookies(u, []*http.Cookie{{Name: first.Name, Value: "planted", Secure: true, Path: "/"}})
		if c := cookie(planted.authorizeAs("ada", authorize())); c.Value == "planted" {
			t.Error("a planted value stays")
		}
	})
	t.Run("S44 a byte of it changed is no session", func(t *testing.T) {
		for i := range first.Value {
			bad := first.Value[:i] + string(rune(first.Value[i]^1)) + first.Value[i+1:]
			a := w.program().get("/authorize?"+authorize("prompt", "none").Encode(), "Cookie", first.Name+"="+bad)
			a.refused(t, "login_required")
		}
		if a := w.program().get("/authorize?"+authorize("prompt", "none").Encode(), "Cookie", first.Name+"="+first.Value); a.location().Query().Get("code") == "" {
			t.Error("the true cookie is no session either")
		}
	})
	t.Run("S44 a laptop without https", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.config.Issuer = "http://localhost:8787"
		w.config.Providers[0] = w.provider("demo", "http://localhost:8787")
		w.rebuild()
		b := w.browser()
		a := b.get("http://localhost:8787/authorize?" + authorize().Encode())
		back := b.post(a.location().String(), url.Values{"user": {"lin"}}).location().String()
		a = b.get(back)
		for _, c := range a.Cookies() {
			if c.Secure || strings.HasPrefix(c.Name, "__Host-") || !c.HttpOnly {
				t.Errorf("%v", c)
			}
		}
		if a.location().Query().Get("code") == "" || a.location().Query().Get("iss") != "http://localhost:8787" {
			t.Errorf("%v", a.location())
		}
		if a.Header.Get("Strict-Transport-Security") != "" {
			t.Error("Strict-Transport-Security without https")
		}
	})
}

func TestReturnTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	evil := []string{
		"//evil.test", `/\evil.test`, "\t//evil.test", "/\t/evil.test", "https:evil.test", "https://evil.test", "/%2f%2fevil.test", "/..//evil.test",
		"/.//evil.test", "/%5cevil.test", "evil.test", "javascript:alert(1)", "/\n/evil.test", "///evil.test", "/x/../..//evil.test", "http:///evil.test",
		"/@evil.test/..//x", "?x", "/a#b", "/é", "/" + strings.Repeat("a", 3000),
	}
	t.Run("S45 only a path of our own", func(t *testing.T) {
		for _, target := range evil {
			b := w.browser()
			b.get("/login?return_to="+url.QueryEscape(target)).page(t, http.StatusBadRequest, "")
			b.get("/login?"+url.Values{"return_to": {target}, "idp_hint": {"demo"}}.Encode()).page(t, http.StatusBadRequest, "")
		}
	})
	for _, target := range []string{"/account", "/a/b?c=d&e=%2Ff", "/", "/x/"} {
		b := w.browser()
		page := b.get("/login?return_to=" + url.QueryEscape(target))
		page.page(t, http.StatusOK, "Continue with Demo")
		a := b.get(option(t, page.body, "demo"))
		callback := b.post(a.location().String(), url.Values{"user": {"lin"}}).location().String()
		if a := b.get(callback); a.Header.Get("Location") != issuer+target {
			t.Errorf("%s: sent to %q", target, a.Header.Get("Location"))
		}
	}
	t.Run("without one, a page says who is signed in", func(t *testing.T) {
		b := w.browser()
		b.follow("lin", b.get("/login?idp_hint=demo")).page(t, http.StatusOK, "lin@example.com")
		page := b.get("/login")
		page.page(t, http.StatusOK, "Continue as Lin")
		b.get(goOn(t, page.body, "Continue as Lin")).page(t, http.StatusOK, "lin@example.com")
	})
}

func TestIssuerWithPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Issuer = "https://login.test/auth"
	w.config.Providers[0] = w.provider("demo", w.config.Issuer)
	w.rebuild()
	b := w.browser()
	t.Run("S96 discovery under an issuer path and behind a gateway that strips it", func(t *testing.T) {
		var bodies []string
		for _, path := range []string{
			"/auth/.well-known/openid-configuration", "/.well-known/openid-configuration", "/auth/.well-known/oauth-authorization-server",
			"/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/auth",
		} {
			a := b.get(path)
			if d := a.json(t); d["issuer"] != w.config.Issuer || d["token_endpoint"] != w.config.Issuer+"/token" {
				t.Errorf("%s: %v", path, d)
			}
			bodies = append(bodies, a.body)
		}
		for _, body := range bodies {
			if body != bodies[0] {
				t.Errorf("documents differ: %s", body)
			}
		}
	})
	for _, prefix := range []string{"/auth", ""} {
		b := w.browser()
		page := b.get(prefix + "/login")
		page.page(t, http.StatusOK, `href="/auth/login?idp_hint=demo"`)
		a := b.get(prefix + "/authorize?" + authorize().Encode())
		if got := a.location().Query().Get("redirect_uri"); got != w.config.Issuer+"/callback/demo" {
			t.Fatalf("callback %q", got)
		}
		callback := b.post(a.location().String(), url.Values{"user": {"lin"}}).location()
		a = b.get(prefix + strings.TrimPrefix(callback.Path, "/auth") + "?" + callback.RawQuery)
		code := a.location().Query().Get("code")
		if code == "" || a.location().Query().Get("iss") != w.config.Issuer {
			t.Fatalf("sent to %v", a.location())
		}
		w.access(w.tokens(code)["access_token"])
	}
}

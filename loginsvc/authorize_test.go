package loginsvc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

func TestAuthorizeWithoutRedirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	t.Run("S1 an unknown client is shown a page", func(t *testing.T) {
		for _, id := range []string{"nobody", "", "SPA", "spa ", "spa\x00"} {
			b.get("/authorize?"+authorize("client_id", id).Encode()).page(t, http.StatusBadRequest, "do not know this app")
		}
	})
	t.Run("S2 a redirect URI that is not registered is shown a page", func(t *testing.T) {
		for _, uri := range []string{"https://evil.test/cb", "", appURI + "2"} {
			b.get("/authorize?"+authorize("redirect_uri", uri).Encode()).page(t, http.StatusBadRequest, "return address")
		}
	})
	t.Run("S3 no variant of a registered URI is followed", func(t *testing.T) {
		for _, uri := range []string{
			appURI + "/", appURI + "?x=1", appURI + "#frag", "https://app.test/CB", "https://app.test/%2e%2e/cb", "https://app.test/x/../cb",
			"https://app.test@evil.test/cb", "https://good@app.test/cb", "https://app.test.evil.test/cb", "https://app.test:443/cb",
			"https://app.test:8443/cb", "http://app.test/cb", `https:\\app.test\cb`, `https://app.test\@evil.test/cb`, "https://app.test/\tcb",
			"https://app.test/cb\n", "https://аpp.test/cb", "https://xn--pp-6kc.test/cb", "//app.test/cb", "javascript:alert(1)",
		} {
			a := b.get("/authorize?" + authorize("redirect_uri", uri).Encode())
			if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
				t.Errorf("%q: %d, Location %q", uri, a.StatusCode, a.Header.Get("Location"))
			}
		}
		twice := authorize()
		twice.Add("redirect_uri", "https://evil.test/")
		b.get("/authorize?"+twice.Encode()).page(t, http.StatusBadRequest, "return address")
	})
	t.Run("S4 a loopback address may have any port", func(t *testing.T) {
		for _, uri := range []string{"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", "http://127.0.0.1:1/cb"} {
			if a := b.get("/authorize?" + authorize("redirect_uri", uri).Encode()); a.location() == nil || a.location().Host != "127.0.0.1:8788" {
				t.Errorf("%q: %d", uri, a.StatusCode)
			}
		}
		for _, uri := range []string{"http://127.0.0.1:1/other", "http://127.0.0.1.evil.test/cb", "http://127.1/cb", "http://localhost/cb"} {
			b.get("/authorize?"+authorize("redirect_uri", uri).Encode()).page(t, http.StatusBadRequest, "return address")
		}
	})
	t.Run("S10 nor is a repeated client or redirect URI", func(t *testing.T) {
		for _, name := range []string{"client_id", "redirect_uri"} {
			twice := authorize()
			twice.Add(name, twice.Get(name))
			if a := b.get("/authorize?" + twice.Encode()); a.StatusCode != http.StatusBadRequest || a.location() != nil {
				t.Errorf("%s: %d, Location %v", name, a.StatusCode, a.location())
			}
		}
	})
	t.Run("a query that is none", func(t *testing.T) {
		b.get("/authorize?client_id=spa&%zz").page(t, http.StatusBadRequest, "")
		b.get("/authorize?client_id=spa;redirect_uri=x").page(t, http.StatusBadRequest, "")
	})
	if n := w.hit("evil.test/"); n != 0 {
		t.Errorf("evil.test was asked %d times", n)
	}
}

func TestAuthorizeErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	ask := func(change ...string) answer {
		t.Helper()
		return b.get("/authorize?" + authorize(change...).Encode())
	}
	t.Run("S7 no code_challenge, no code", func(t *testing.T) {
		ask("code_challenge", "", "code_challenge_method", "").refused(t, "invalid_request")
		ask("code_challenge", "").refused(t, "invalid_request")
		ask("client_id", "web", "redirect_uri", appURI+"2", "code_challenge", "", "code_challenge_method", "").refused(t, "invalid_request")
	})
	t.Run("S8 a malformed code_challenge", func(t *testing.T) {
		for _, c := range []string{challenge[:42], strings.Repeat("a", 129), challenge[:42] + "=", challenge[:42] + "+", challenge[:42] + " ", challenge[:41] + "é"} {
			ask("code_challenge", c).refused(t, "invalid_request")
		}
		for _, c := range []string{challenge, strings.Repeat("a.-_~", 25)} {
			if a := ask("code_challenge", c); a.location().Host != "127.0.0.1:8788" {
				t.Errorf("%d %v", a.StatusCode, a.location())
			}
		}
	})
	t.Run("S9 PKCE only by S256", func(t *testing.T) {
		for _, method := range []string{"plain", "", "s256", "S512"} {
			ask("code_challenge_method", method).refused(t, "invalid_request")
		}
	})
	t.Run("S10 a repeated parameter", func(t *testing.T) {
		for _, name := range []string{"state", "scope", "code_challenge", "code_challenge_method", "response_type", "nonce", "prompt", "max_age", "unknown"} {
			twice := authorize("prompt", "login", "max_age", "1", "unknown", "x")
			twice.Add(name, "again")
			a := b.get("/authorize?" + twice.Encode())
			a.refused(t, "invalid_request")
			if want := map[bool]string{true: "", false: "s-1"}[name == "state"]; a.location().Query().Get("state") != want {
				t.Errorf("%s: state %q", name, a.location().Query().Get("state"))
			}
		}
	})
	t.Run("S11 no value is no parameter, and unknown ones are ignored", func(t *testing.T) {
		v := authorize("unknown", "x")
		for _, name := range []string{"prompt", "max_age", "login_hint", "request", "request_uri", "response_mode", "resource"} {
			v[name] = []string{""}
		}
		if a := b.get("/authorize?" + v.Encode()); a.location() == nil || a.location().Host != "127.0.0.1:8788" {
			t.Errorf("%d %v", a.StatusCode, a.location())
		}
		v["code_challenge"] = []string{""}
		b.get("/authorize?"+v.Encode()).refused(t, "invalid_request")
	})
	t.Run("S14 response_type is code and nothing else", func(t *testing.T) {
		for _, rt := range []string{"token", "id_token", "code token", "code id_token", "id_token token", "none", "CODE"} {
			ask("response_type", rt).refused(t, "unsupported_response_type")
		}
		ask("response_type", "").refused(t, "invalid_request")
		ask("response_mode", "fragment").refused(t, "invalid_request")
	})
	t.Run("S16 prompt=none stands alone", func(t *testing.T) {
		ask("prompt", "none login").refused(t, "invalid_request")
		ask("prompt", "none consent").refused(t, "invalid_request")
		ask("prompt", "surprise").refused(t, "invalid_request")
	})
	t.Run("S18 max_age is a number of seconds", func(t *testing.T) {
		for _, age := range []string{"-1", "abc", "9223372036854775808", "1.5", "0x10", " 1"} {
			ask("max_age", age).refused(t, "invalid_request")
		}
	})
	t.Run("S19 nothing but scopes that the client may not have", func(t *testing.T) {
		for _, scope := range []string{"admin", "OPENID", "openid\tprofile", " nosuch account"} {
			ask("scope", scope).refused(t, "invalid_scope")
		}
	})
	t.Run("unknown scopes beside others are ignored, and the response says what was granted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for asked, want := range map[string]string{
			"openid email phone groups": "openid email", "openid admin": "openid", "nosuch notes:read OPENID notes:read": "notes:read", " openid  address ": "openid",
		} {
			got := w.tokens(w.browser().code("lin", "scope", asked))
			if scopes := strings.Join(w.access(got["access_token"]).Scopes, " "); got["scope"] != want || scopes != want {
				t.Errorf("asked for %q: granted %q, and the token has %q", asked, got["scope"], scopes)
			}
		}
	})
	t.Run("S20 request objects are refused, and not fetched", func(t *testing.T) {
		ask("request", "eyJhbGciOiJub25lIn0.e30.").refused(t, "request_not_supported")
		ask("request_uri", "https://evil.test/request").refused(t, "request_uri_not_supported")
		if n := w.hit("evil.test/request"); n != 0 {
			t.Errorf("fetched %d times", n)
		}
	})
	t.Run("S66 a resource that is not the API", func(t *testing.T) {
		ask("resource", "https://evil.test").refused(t, "invalid_target")
		if a := ask("resource", audience); a.location().Host != "127.0.0.1:8788" {
			t.Errorf("%d %v", a.StatusCode, a.location())
		}
	})
	t.Run("a client without the grant", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) {
			c.Clients = client.List{{ID: "spa", RedirectURIs: []string{appURI}, Grants: []string{client.GrantRefresh}}}.Lookup
		})
		w.browser().get("/authorize?"+authorize().Encode()).refused(t, "unauthorized_client")
	})
	t.Run("a parameter without end", func(t *testing.T) {
		for _, name := range []string{"state", "nonce", "login_hint"} {
			ask(name, strings.Repeat("x", 4097)).refused(t, "invalid_request")
		}
	})
	t.Run("offline access without the grant", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) {
			c.Clients = client.List{{ID: "spa", RedirectURIs: []string{appURI}, Scopes: []string{"openid", "offline_access"}}}.Lookup
		})
		if got := w.tokens(w.browser().code("lin", "scope", "openid offline_access")); got["scope"] != "openid" || got["refresh_token"] != nil {
			t.Errorf("%v", got)
		}
		w.browser().get("/authorize?"+authorize("scope", "offline_access").Encode()).refused(t, "invalid_scope")
	})
	t.Run("S25 errors say nothing that was sent", func(t *testing.T) {
		for _, evil := range []string{`"><script>alert(1)</script>`, "{{.}}", "x\r\nSet-Cookie: a=b", `" onmouseover="x`, "é\x00"} {
			for _, name := range []string{"scope", "prompt", "response_type", "code_challenge", "code_challenge_method", "max_age", "resource", "request"} {
				a := ask(name, evil)
				q := a.location().Query()
				for _, text := range []string{q.Get("error"), q.Get("error_description")} {
					if strings.Trim(text, " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~") != "" || strings.Contains(text, evil) {
						t.Errorf("%s=%q: %q", name, evil, text)
					}
				}
			}
			for _, name := range []string{"client_id", "redirect_uri"} {
				if a := ask(name, evil); strings.Contains(a.body, evil) {
					t.Errorf("%s=%q stands in the page", name, evil)
				}
			}
			if a := b.get("/callback/demo?state=" + url.QueryEscape(evil)); strings.Contains(a.body, evil) {
				t.Errorf("state=%q stands in the page", evil)
			}
		}
	})
	t.Run("S13 every response names its issuer", func(t *testing.T) {
		if got := ask("scope", "nosuch").location().Query()["iss"]; len(got) != 1 || got[0] != issuer {
			t.Errorf("iss %q", got)
		}
	})
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	t.Run("S12 the state comes back as it was", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		for _, state := range []string{"s", "a b", "a+b", "a%20b", "a&b=c", "é→😀", "\xff\xfe", `"<>'`, strings.Repeat("x", 2048), "=", "?#"} {
			to := b.authorizeAs("lin", authorize("state", state)).location()
			if got := to.Query()["state"]; len(got) != 1 || got[0] != state {
				t.Errorf("sent %q, came back %q", state, got)
			}
			if strings.Contains(to.RawQuery, "+") {
				t.Errorf("%q has a + that a strict decoder keeps", to.RawQuery)
			}
		}
		if _, ok := b.authorizeAs("lin", authorize("state", "")).location().Query()["state"]; ok {
			t.Error("a state came back that was not sent")
		}
	})
	t.Run("S13 a success names its issuer too", func(t *testing.T) {
		if got := newWorld(t).browser().authorizeAs("lin", authorize()).location().Query()["iss"]; len(got) != 1 || got[0] != issuer {
			t.Errorf("iss %q", got)
		}
	})
	t.Run("a registered query is kept", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) {
			c.Clients = client.List{{ID: "spa", RedirectURIs: []string{appURI + "?tenant=a%20b"}}}.Lookup
		})
		to := w.browser().authorizeAs("lin", authorize("redirect_uri", appURI+"?tenant=a%20b", "scope", "openid")).location()
		if !strings.HasPrefix(to.String(), appURI+"?tenant=a%20b&code=") {
			t.Errorf("sent to %v", to)
		}
	})
	t.Run("an app of its own scheme", func(t *testing.T) {
		to := newWorld(t).browser().authorizeAs("lin", authorize("redirect_uri", "com.example.app:/cb")).Header.Get("Location")
		if !strings.HasPrefix(to, "com.example.app:/cb?code=") {
			t.Errorf("sent to %v", to)
		}
	})
	t.Run("S15 prompt=none asks nobody", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.get("/authorize?"+authorize("prompt", "none").Encode()).refused(t, "login_required")
		b.code("lin")
		if a := b.get("/authorize?" + authorize("prompt", "none").Encode()); a.location().Query().Get("code") == "" {
			t.Errorf("with a session: %v", a.location())
		}
		w.at(time.Hour)
		b.get("/authorize?"+authorize("prompt", "none", "max_age", "60").Encode()).refused(t, "login_required")
	})
	t.Run("one sign-in serves the next app", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		before := w.hit("127.0.0.1:8788/token")
		if a := b.get("/authorize?" + authorize("client_id", "web", "redirect_uri", appURI+"2").Encode()); a.location().Query().Get("code") == "" {
			t.Errorf("%d %v", a.StatusCode, a.location())
		}
		if w.hit("127.0.0.1:8788/token") != before {
			t.Error("the provider was asked again")
		}
	})
	t.Run("S17 prompt=login asks again in spite of a session", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		first := w.idToken(w.tokens(b.code("lin"))["id_token"], "spa").AuthTime
		w.at(time.Hour)
		a := b.get("/authorize?" + authorize("prompt", "login").Encode())
		if q := a.location().Query(); a.location().Host != "127.0.0.1:8788" || q.Get("prompt") != "login" || q.Get("max_age") != "0" {
			t.Errorf("sent to %v", a.location())
		}
		again := b.follow("lin", a).location().Query().Get("code")
		if second := w.idToken(w.tokens(again)["id_token"], "spa").AuthTime; second.Sub(first) < 59*time.Minute {
			t.Errorf("auth_time %v, then %v", first, second)
		}
	})
	t.Run("S18 max_age asks again when the sign-in is too old", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		w.at(time.Minute)
		b.code("lin")
		w.at(2 * time.Minute)
		for age, again := range map[string]bool{"0": true, "30": true, "300": false, "2147483647": false} {
			a := b.get("/authorize?" + authorize("max_age", age).Encode())
			if asked := a.location().Host == "127.0.0.1:8788"; asked != again {
				t.Errorf("max_age=%s: sent to %v", age, a.location())
			}
		}
		w.at(0) // a clock that is behind makes no session fresh
		if a := b.get("/authorize?" + authorize("max_age", "0").Encode()); a.location().Host != "127.0.0.1:8788" {
			t.Errorf("max_age=0, and the sign-in lies in the future: sent to %v", a.location())
		}
		w.at(2 * time.Minute)
		code := b.code("lin", "max_age", "30")
		if at := w.idToken(w.tokens(code)["id_token"], "spa").AuthTime; w.now().Sub(at) > 5*time.Second {
			t.Errorf("auth_time %v ago", w.now().Sub(at))
		}
	})
	t.Run("S18 a provider that did not ask again is not believed", func(t *testing.T) {
		for _, change := range [][]string{{"prompt", "login"}, {"max_age", "300"}} {
			w := newWorld(t)
			w.claims(func(c map[string]any) { c["auth_time"] = w.now().Add(-time.Hour).Unix() })
			w.browser().authorizeAs("lin", authorize(change...)).refused(t, "login_required")
			if w.users() != 0 {
				t.Error("a user was made")
			}
		}
	})
	t.Run("S19 without openid there is no ID token", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		if got := w.tokens(w.browser().code("lin", "scope", "profile")); got["id_token"] != nil || got["scope"] != "profile" {
			t.Errorf("%v", got)
		}
		got := w.tokens(w.browser().code("lin", "scope", "")) // no scope: all but an identity
		if got["id_token"] != nil || got["scope"] != "profile email notes:read notes:write" {
			t.Errorf("%v", got)
		}
	})
	t.Run("S21 a form is as good as a link", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		if to := b.follow("lin", b.post("/authorize", authorize())).location(); to.Query().Get("code") == "" || to.Query().Get("state") != "s-1" {
			t.Errorf("sent to %v", to)
		}
		b.post("/authorize", authorize("code_challenge", "short")).refused(t, "invalid_request")
		b.post("/authorize", authorize("client_id", "nobody")).page(t, http.StatusBadRequest, "do not know")
		b.post("/authorize?client_id=spa", authorize("client_id", "")).page(t, http.StatusBadRequest, "do not know")
		twice := authorize()
		twice.Add("scope", "openid")
		b.post("/authorize", twice).refused(t, "invalid_request")
		b.post("/authorize?"+authorize().Encode(), nil).page(t, http.StatusBadRequest, "")
	})
	t.Run("S22 no script reads /authorize", func(t *testing.T) {
		b := newWorld(t).browser()
		for _, method := range []string{http.MethodGet, http.MethodOptions, http.MethodPost} {
			a := b.do(method, "/authorize?"+authorize().Encode(), nil, "Origin", "https://app.test", "Access-Control-Request-Method", "GET")
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s: Access-Control-Allow-Origin %q", method, got)
			}
		}
	})
	t.Run("S23 pages and redirects protect themselves", func(t *testing.T) {
		b := newWorld(t).browser()
		for _, target := range []string{"/login", "/authorize?client_id=nobody", "/logout", "/callback/demo?state=x", "/authorize?" + authorize().Encode()} {
			h := b.get(target).Header
			csp := h.Get("Content-Security-Policy")
			if !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe-inline") {
				t.Errorf("%s: Content-Security-Policy %q", target, csp)
			}
			for name, want := range map[string]string{
				"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
				"Strict-Transport-Security": "max-age=31536000",
			} {
				if h.Get(name) != want {
					t.Errorf("%s: %s %q", target, name, h.Get(name))
				}
			}
		}
	})
	t.Run("S24 a redirect never posts again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		for _, a := range []answer{
			b.post("/authorize", authorize()), b.post("/authorize", authorize("scope", "nosuch")),
			b.get("/authorize?" + authorize("idp_hint", "demo").Encode()),
			b.get("/authorize?" + authorize().Encode()),
		} {
			if a.StatusCode != http.StatusSeeOther {
				t.Errorf("%d to %v", a.StatusCode, a.location())
			}
		}
	})
	t.Run("S26 codes do not resemble each other", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		seen, column := map[string]bool{}, make([]map[byte]bool, 43)
		for range 200 {
			code := b.code("lin")
			if len(code) != 43 || seen[code] {
				t.Fatalf("code %q", code)
			}
			seen[code] = true
			for i := range column {
				if column[i] == nil {
					column[i] = map[byte]bool{}
				}
				column[i][code[i]] = true
			}
		}
		for i, chars := range column {
			if len(chars) < 12 {
				t.Errorf("character %d of a code takes %d values", i, len(chars))
			}
		}
	})
	t.Run("S28 no header changes where we are", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		headers := []string{"Host", "evil.test", "X-Forwarded-Host", "evil.test", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.test;proto=http", "X-Forwarded-Prefix", "/evil"}
		for round := range 2 {
			a := w.browser().get("/authorize?"+authorize("state", strconv.Itoa(round)).Encode(), headers...)
			if got := a.location().Query().Get("redirect_uri"); got != issuer+"/callback/demo" {
				t.Errorf("callback %q", got)
			}
			for _, c := range a.Cookies() {
				if c.Domain != "" || c.Path != "/" || !c.Secure || !strings.HasPrefix(c.Name, "__Host-") {
					t.Errorf("cookie %v", c)
				}
			}
			d := w.browser().get("/.well-known/openid-configuration", headers...)
			if d.json(t)["issuer"] != issuer || strings.Contains(d.body, "evil") {
				t.Errorf("discovery: %s", d.body)
			}
		}
	})
	t.Run("an ID token hint of somebody else", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ada, lin := w.browser(), w.browser()
		hint, _ := w.tokens(ada.code("ada"))["id_token"].(string)
		lin.code("lin")
		lin.get("/authorize?"+authorize("prompt", "none", "id_token_hint", hint).Encode()).refused(t, "login_required")
		if a := ada.get("/authorize?" + authorize("prompt", "none", "id_token_hint", hint).Encode()); a.location().Query().Get("code") == "" {
			t.Errorf("of the user herself: %v", a.location())
		}
		ada.get("/authorize?"+authorize("prompt", "none", "id_token_hint", hint[:len(hint)-4]+"AAAA").Encode()).refused(t, "login_required")
		ada.get("/authorize?"+authorize("client_id", "other", "scope", "openid", "prompt", "none", "id_token_hint", hint).Encode()).refused(t, "login_required")
	})
	t.Run("the table is down", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		w.table.failRead = errDown
		a := b.get("/authorize?" + authorize().Encode())
		a.page(t, http.StatusServiceUnavailable, "")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestChooseProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Providers = append(w.config.Providers, w.provider("other", issuer))
	w.rebuild()
	b := w.browser()
	page := b.get("/authorize?" + authorize().Encode())
	page.page(t, http.StatusOK, "Sign in to Shop")
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self';") || strings.Contains(page.body, "<form") {
		t.Errorf("a page of links needs no form: %s", csp)
	}
	if strings.Index(page.body, "Continue with Demo") > strings.Index(page.body, "Continue with Other") {
		t.Error("providers are not in the order of the configuration")
	}
	if to := b.follow("lin", b.get(option(t, page.body, "other"))).location(); to == nil || to.Query().Get("code") == "" || to.Query().Get("state") != "s-1" {
		t.Fatalf("sent to %v", to)
	}
	t.Run("the provider used last comes first", func(t *testing.T) {
		page := b.get("/login")
		if strings.Index(page.body, "Continue with Demo") < strings.Index(page.body, "Continue with Other") || !strings.Contains(page.body, "Last used") {
			t.Error("it does not")
		}
	})
	t.Run("prompt=select_account offers the session and the others", func(t *testing.T) {
		page := b.get("/authorize?" + authorize("prompt", "select_account").Encode())
		page.page(t, http.StatusOK, "Continue as Lin")
		if a := b.get(goOn(t, page.body, "Continue as Lin")); a.location() == nil || a.location().Query().Get("code") == "" {
			t.Errorf("%d %v", a.StatusCode, a.location())
		}
		to := b.get(option(t, page.body, "other")).location()
		if to == nil || to.Host != "127.0.0.1:8788" || to.Query().Get("prompt") != "select_account" {
			t.Errorf("another account: sent to %v", to)
		}
	})
	t.Run("a session that is too old for the client is not offered", func(t *testing.T) {
		b := w.browser()
		b.code("lin", "idp_hint", "demo")
		w.jump(t, time.Minute)
		page := b.get("/authorize?" + authorize("max_age", "30").Encode())
		page.page(t, http.StatusOK, "Continue with Demo")
		if strings.Contains(page.body, "Continue as") {
			t.Error("it is offered")
		}
	})
	t.Run("idp_hint leads straight to a provider, and an unknown one to the choice", func(t *testing.T) {
		for _, target := range []string{"/authorize?" + authorize("idp_hint", "other").Encode(), "/login?idp_hint=other", "/device?idp_hint=other"} {
			to := w.browser().get(target).location()
			if to == nil || to.Query().Get("redirect_uri") != issuer+"/callback/other" {
				t.Errorf("%s: sent to %v", target, to)
			}
		}
		for _, target := range []string{"/authorize?" + authorize("idp_hint", "nosuch").Encode(), "/login?idp_hint=nosuch", "/device?idp_hint=nosuch"} {
			w.browser().get(target).page(t, http.StatusOK, "Continue with Demo")
		}
		w.browser().get("/authorize?"+authorize("idp_hint", "other", "prompt", "none").Encode()).refused(t, "login_required")
		if to := b.get("/authorize?" + authorize("idp_hint", "other").Encode()).location(); to == nil || to.Query().Get("code") == "" {
			t.Errorf("a browser with a session is sent to %v", to)
		}
		if to := w.browser().post("/authorize", authorize("idp_hint", "other")).location(); to == nil || to.Query().Get("idp_hint") != "other" {
			t.Errorf("a posted request loses the hint: %v", to)
		}
	})
	t.Run("no form names a request to go on with", func(t *testing.T) {
		request := "/device?user_code=X%0D%0ASet-Cookie: a=b"
		if a := w.browser().post("/login", url.Values{"request": {request}, "provider": {"demo"}}); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%d", a.StatusCode)
		}
		for _, code := range []string{"X%0D%0ALocation:%20https://evil.test", "%00", "BCDF%0AGHJK", "%E2%80%AE", strings.Repeat("B", 5000)} {
			if to := w.browser().get("/device?idp_hint=other&user_code=" + code).location(); to == nil || to.Host != "127.0.0.1:8788" {
				t.Errorf("user_code=%.40s: sent to %v", code, to)
			}
		}
	})
}

func TestManyFlowsInOneBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for i := range 40 {
		b.get("/authorize?" + authorize("state", fmt.Sprint(i)).Encode())
	}
	u, _ := url.Parse(issuer)
	if n := len(b.jar.Cookies(u)); n != 1 {
		t.Errorf("the browser carries %d cookies", n)
	}
	if a := b.authorizeAs("lin", authorize()); a.location().Query().Get("code") == "" {
		t.Errorf("the newest sign-in does not finish: %d %v", a.StatusCode, a.location())
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	good := newWorld(t).config
	for name, change := range map[string]func(*loginsvc.Config){
		"no issuer":                func(c *loginsvc.Config) { c.Issuer = "" },
		"S94 plain http":           func(c *loginsvc.Config) { c.Issuer = "http://login.test" },
		"slash at the end":         func(c *loginsvc.Config) { c.Issuer = issuer + "/" },
		"a query":                  func(c *loginsvc.Config) { c.Issuer = issuer + "?x" },
		"upper case":               func(c *loginsvc.Config) { c.Issuer = "HTTPS://login.test" },
		"a user":                   func(c *loginsvc.Config) { c.Issuer = "https://a@login.test" },
		"I11 no audience":          func(c *loginsvc.Config) { c.Audience = "" },
		"audience is the issuer":   func(c *loginsvc.Config) { c.Audience = c.Issuer },
		"codes that live too long": func(c *loginsvc.Config) { c.CodeTTL = 2 * time.Minute },
		"no clients":               func(c *loginsvc.Config) { c.Clients = nil },
		"no keys":                  func(c *loginsvc.Config) { c.Keys = nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			if _, err := loginsvc.New(c); err == nil {
				t.Error("accepted")
			}
		})
	}
	for _, ok := range []string{"http://localhost:8787", "http://127.0.0.1:1", "http://[::1]:1", "https://login.test/auth"} {
		c := good
		c.Issuer = ok
		if _, err := loginsvc.New(c); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	c := good
	c.Providers = []*upstream.Provider{}
	s, err := loginsvc.New(c)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.service = s
	w.browser().get("/login").page(t, http.StatusOK, "No provider is configured")
	w.browser().get("/authorize?"+authorize().Encode()).page(t, http.StatusOK, "No provider is configured")
}

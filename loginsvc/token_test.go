package loginsvc_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

const webSecret = "web: secret+1"

// webAuthorize and webRedemption are of the confidential client.
func webAuthorize() url.Values { return authorize("client_id", "web", "redirect_uri", appURI+"2") }

func webRedemption(code string, change ...string) url.Values {
	return redemption(code, append([]string{"client_id", "", "redirect_uri", appURI + "2"}, change...)...)
}

func (b *browser) webCode(user string) string {
	b.w.t.Helper()
	return b.authorizeAs(user, webAuthorize()).location().Query().Get("code")
}

// basic is the header of a client that authenticates by it.
func basic(id, secret string) (string, string) {
	r, _ := http.NewRequest(http.MethodPost, issuer, nil)
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	return "Authorization", r.Header.Get("Authorization")
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, p := w.browser(), w.program()
	t.Run("S49 only POST, and only its body", func(t *testing.T) {
		code := b.code("lin")
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead, http.MethodDelete, http.MethodPatch} {
			if a := p.do(method, "/token?"+redemption(code).Encode(), nil); a.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d", method, a.StatusCode)
			}
		}
		p.post("/token?"+redemption(code).Encode(), url.Values{}).oauthError(t, 401, "invalid_client")
		p.post("/token?"+url.Values{"code": {code}}.Encode(), redemption("", "code", "")).oauthError(t, 400, "invalid_request")
		if a := p.post("/token?code=other&client_id=web", redemption(code)); a.StatusCode != http.StatusOK {
			t.Errorf("a query disturbs: %d %s", a.StatusCode, a.body)
		}
	})
	t.Run("S50 grant types", func(t *testing.T) {
		for grant, want := range map[string]string{"": "invalid_request", "password": "unsupported_grant_type", "implicit": "unsupported_grant_type",
			"Authorization_code": "unsupported_grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer": "unsupported_grant_type"} {
			p.post("/token", redemption("x", "grant_type", grant)).oauthError(t, 400, want)
		}
	})
	t.Run("S62 a form, each parameter once, not too long", func(t *testing.T) {
		code := b.code("lin")
		for name := range redemption(code) {
			twice := redemption(code)
			twice.Add(name, twice.Get(name))
			p.post("/token", twice).oauthError(t, 400, "invalid_request")
		}
		send := func(contentType, body string) answer {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", contentType)
			return p.send(r)
		}
		form := redemption(code).Encode()
		for _, contentType := range []string{"application/json", "multipart/form-data; boundary=x", "text/plain", "", "application/x-www-form-urlencoded; charset"} {
			send(contentType, form).oauthError(t, 400, "invalid_request")
		}
		send("application/x-www-form-urlencoded", form+"&%zz").oauthError(t, 400, "invalid_request")
		send("application/x-www-form-urlencoded", form+"&x="+strings.Repeat("x", 64<<10)).oauthError(t, 413, "invalid_request")
		if a := send("application/x-www-form-urlencoded; charset=UTF-8", form); a.StatusCode != http.StatusOK {
			t.Errorf("with a charset: %d %s", a.StatusCode, a.body)
		}
	})
	t.Run("S67 scripts of registered origins may read", func(t *testing.T) {
		for origin, want := range map[string]string{"https://app.test": "https://app.test", "https://evil.test": "", "null": "", "": "", "https://APP.test": ""} {
			pre := p.do(http.MethodOptions, "/token", nil, "Origin", origin, "Access-Control-Request-Method", "POST")
			if got := pre.Header.Get("Access-Control-Allow-Origin"); got != want || pre.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("preflight from %q: %q", origin, got)
			}
			if got := pre.Header.Get("Access-Control-Allow-Methods"); (got == "POST") != (want != "") {
				t.Errorf("preflight from %q: methods %q", origin, got)
			}
			a := p.post("/token", redemption("x"), "Origin", origin)
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != want || a.Header.Get("Vary") != "Origin" {
				t.Errorf("answer to %q: %q, Vary %q", origin, got, a.Header.Get("Vary"))
			}
		}
	})
}

func TestRedeem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, p := w.browser(), w.program()
	t.Run("S51 the verifier", func(t *testing.T) {
		code, other := b.code("lin"), b.code("lin", "code_challenge", challengeOf(strings.Repeat("w", 43)))
		p.post("/token", redemption(code, "code_verifier", "")).oauthError(t, 400, "invalid_request")
		for _, wrong := range []string{strings.Repeat("w", 43), "v", challenge, strings.Repeat("v", 44)} {
			p.post("/token", redemption(code, "code_verifier", wrong)).oauthError(t, 400, "invalid_grant")
		}
		p.post("/token", redemption(other)).oauthError(t, 400, "invalid_grant")
		w.tokens(code)
		short := b.code("lin", "code_challenge", challengeOf("v"))
		p.post("/token", redemption(short, "code_verifier", "v")).oauthError(t, 400, "invalid_grant")
	})
	t.Run("S52 a verifier needs a challenge, and a challenge is always asked for", func(t *testing.T) {
		b.get("/authorize?"+authorize("code_challenge", "", "code_challenge_method", "").Encode()).refused(t, "invalid_request")
	})
	t.Run("S53 the code of another client", func(t *testing.T) {
		code := b.code("lin")
		p.post("/token", redemption(code, "client_id", "other")).oauthError(t, 400, "invalid_grant")
		p.post("/token", redemption(code, "client_id", "web", "client_secret", webSecret)).oauthError(t, 400, "invalid_grant")
		p.post("/token", redemption(b.webCode("lin"), "redirect_uri", appURI+"2")).oauthError(t, 400, "invalid_grant")
		for range 9 { // nor do strangers burn it
			p.post("/token", redemption(code, "client_id", "other", "code_verifier", strings.Repeat("w", 43))).oauthError(t, 400, "invalid_grant")
		}
		w.tokens(code)
	})
	t.Run("S54 the redirect URI of the authorization request", func(t *testing.T) {
		code := b.code("lin", "redirect_uri", "http://127.0.0.1:4000/cb")
		for _, uri := range []string{appURI, "http://127.0.0.1/cb", "http://127.0.0.1:4001/cb"} {
			p.post("/token", redemption(code, "redirect_uri", uri)).oauthError(t, 400, "invalid_grant")
		}
		w.tokens(code, "redirect_uri", "http://127.0.0.1:4000/cb")
		w.tokens(b.code("lin"), "redirect_uri", "") // OAuth 2.1 does without
	})
	t.Run("S55 a code works once", func(t *testing.T) {
		code := b.code("lin")
		w.tokens(code)
		before := w.key.signed.Load()
		p.post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
		if w.key.signed.Load() != before {
			t.Error("something was signed for it")
		}
	})
	t.Run("S56 of a thousand redemptions of one code one succeeds", func(t *testing.T) {
		code := b.code("lin")
		var (
			wg      sync.WaitGroup
			success atomic.Int32
		)
		w.table.failWrite = meeting(20) // nobody writes before all have read
		defer func() { w.table.failWrite = nil }()
		for range 20 {
			wg.Go(func() {
				for range 50 {
					if a := p.post("/token", redemption(code)); a.StatusCode == http.StatusOK {
						success.Add(1)
					} else if a.StatusCode != http.StatusBadRequest {
						t.Errorf("%d %s", a.StatusCode, a.body)
					}
				}
			})
		}
		wg.Wait()
		if n := success.Load(); n != 1 {
			t.Errorf("%d succeeded", n)
		}
	})
	t.Run("S57 an expired code is refused, though it is still there", func(t *testing.T) {
		defer w.at(0)
		for after, want := range map[time.Duration]int{57 * time.Second: 200, 61 * time.Second: 400, 72 * time.Hour: 400, -time.Hour: 400} {
			w.at(0)
			code := b.code("lin")
			w.at(after)
			if a := p.post("/token", redemption(code)); a.StatusCode != want {
				t.Errorf("after %v: %d %s", after, a.StatusCode, a.body)
			}
		}
	})
	t.Run("S58 five wrong verifiers burn a code", func(t *testing.T) {
		code := b.code("lin")
		for range 5 {
			p.post("/token", redemption(code, "code_verifier", strings.Repeat("w", 43))).oauthError(t, 400, "invalid_grant")
		}
		before := w.key.signed.Load()
		p.post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
		if w.key.signed.Load() != before {
			t.Error("something was signed for it")
		}
		code = b.code("lin")
		for range 4 {
			p.post("/token", redemption(code, "code_verifier", strings.Repeat("w", 43))).oauthError(t, 400, "invalid_grant")
		}
		w.tokens(code)
	})
	t.Run("S58 a verifier that is right does not overtake five wrong ones", func(t *testing.T) {
		code := b.code("lin")
		w.table.failWrite = func([]table.Write) error {
			w.table.failWrite = nil
			for range 5 {
				p.post("/token", redemption(code, "code_verifier", strings.Repeat("w", 43))).oauthError(t, 400, "invalid_grant")
			}
			return nil
		}
		p.post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
	})
	t.Run("S57 the row of a code goes away by itself", func(t *testing.T) {
		seen := false
		w.table.failWrite = func(writes []table.Write) error {
			if ttl, ok := writes[0].Item[table.TTL].(int64); ok && strings.HasPrefix(writes[0].Key.PK, "code#") {
				seen = ttl > w.now().Unix() && ttl <= w.now().Unix()+60
			}
			return nil
		}
		defer func() { w.table.failWrite = nil }()
		if b.code("lin"); !seen {
			t.Error("it does not")
		}
	})
	t.Run("a code that is none", func(t *testing.T) {
		code := b.code("lin")
		for _, bad := range []string{"x", code + "A", code[:42], strings.ToUpper(code), code + "\n", " " + code, strings.Repeat("x", 5000)} {
			p.post("/token", redemption(bad)).oauthError(t, 400, "invalid_grant")
		}
		w.tokens(code)
	})
	t.Run("S79 a user suspended meanwhile", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code := w.browser().code("lin")
		w.suspend("demo-lin")
		w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
	})
	t.Run("the key is out of reach", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code := w.browser().code("lin")
		w.key.fail = keys.ErrUnavailable
		a := w.program().post("/token", redemption(code))
		a.oauthError(t, 503, "temporarily_unavailable")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w.key.fail = nil
		w.tokens(code)
	})
	t.Run("the table is down", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code := w.browser().code("lin")
		w.table.failWrite = func([]table.Write) error { return errDown }
		w.program().post("/token", redemption(code)).oauthError(t, 503, "temporarily_unavailable")
		w.table.failWrite, w.table.failRead = nil, errDown
		w.program().post("/token", redemption(code)).oauthError(t, 503, "temporarily_unavailable")
		w.table.failRead = nil
		w.tokens(code)
	})
}

// suspend suspends the user of a subject at the demo provider.
func (w *world) suspend(subject string) {
	w.t.Helper()
	user, err := w.config.Users.EnsureUser(w.t.Context(), usersvc.Profile{Issuer: demo, Subject: subject, Provider: "demo"}, usersvc.Active)
	if err != nil {
		w.t.Fatal(err)
	}
	key := table.Key{PK: "user#" + user.ID, SK: "user"}
	if err := w.table.Write(w.t.Context(), table.Update(key, map[string]any{"status": "suspended"})); err != nil {
		w.t.Fatal(err)
	}
}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, p := w.browser(), w.program()
	t.Run("S59 a wrong secret, and the code stays", func(t *testing.T) {
		code := b.webCode("lin")
		for _, secret := range []string{"wrong", webSecret + " ", "", "WEB: SECRET+1"} {
			name, value := basic("web", secret)
			a := p.post("/token", webRedemption(code), name, value)
			a.oauthError(t, 401, "invalid_client")
			if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("WWW-Authenticate %q", a.Header.Get("WWW-Authenticate"))
			}
			p.post("/token", webRedemption(code, "client_id", "web", "client_secret", secret)).oauthError(t, 401, "invalid_client")
		}
		name, value := basic("web", webSecret)
		if a := p.post("/token", webRedemption(code), name, value); a.StatusCode != http.StatusOK {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("S60 both ways at once", func(t *testing.T) {
		code := b.webCode("lin")
		name, value := basic("web", webSecret)
		p.post("/token", webRedemption(code, "client_secret", webSecret), name, value).oauthError(t, 400, "invalid_request")
		p.post("/token", webRedemption(code, "client_id", "spa"), name, value).oauthError(t, 400, "invalid_request")
		p.post("/token", webRedemption(code), name, value, name, value).oauthError(t, 400, "invalid_request")
		p.post("/token", webRedemption(code), name, "Bearer x").oauthError(t, 400, "invalid_request")
		p.post("/token", webRedemption(code), name, "Basic !").oauthError(t, 400, "invalid_request")
		if a := p.post("/token", webRedemption(code, "client_id", "web"), name, value); a.StatusCode != http.StatusOK {
			t.Errorf("the id alone in the body too: %d %s", a.StatusCode, a.body)
		}
	})
	t.Run("S60 the header is form-decoded", func(t *testing.T) {
		r, _ := http.NewRequest(http.MethodPost, issuer, nil)
		r.SetBasicAuth("web", "web%3A+secret%2B1")
		if a := p.post("/token", webRedemption(b.webCode("lin")), "Authorization", r.Header.Get("Authorization")); a.StatusCode != http.StatusOK {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		r.SetBasicAuth("odd+id%3A%2B", "odd%3A%2B+secret")
		p.post("/token", redemption("x", "client_id", ""), "Authorization", r.Header.Get("Authorization")).oauthError(t, 400, "invalid_grant")
		r.SetBasicAuth("web", "%zz")
		p.post("/token", webRedemption("x"), "Authorization", r.Header.Get("Authorization")).oauthError(t, 400, "invalid_request")
	})
	t.Run("S61 a confidential client without its secret", func(t *testing.T) {
		code := b.webCode("lin")
		p.post("/token", webRedemption(code, "client_id", "web")).oauthError(t, 401, "invalid_client")
		p.post("/token", webRedemption(code)).oauthError(t, 401, "invalid_client")
	})
	t.Run("a client that nobody knows", func(t *testing.T) {
		p.post("/token", redemption("x", "client_id", "nobody")).oauthError(t, 401, "invalid_client")
		name, value := basic("nobody", "x")
		p.post("/token", redemption("x", "client_id", ""), name, value).oauthError(t, 401, "invalid_client")
	})
	t.Run("a public client with a secret", func(t *testing.T) {
		p.post("/token", redemption("x", "client_secret", "x")).oauthError(t, 401, "invalid_client")
		name, value := basic("spa", "")
		if a := p.post("/token", redemption(b.code("lin"), "client_id", ""), name, value); a.StatusCode != http.StatusOK {
			t.Errorf("its name in the header and no secret: %d %s", a.StatusCode, a.body)
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.now()
	got := w.tokens(w.browser().code("lin", "scope", "openid profile email notes:read", "max_age", "100"))
	t.Run("S63 the answer", func(t *testing.T) {
		for name := range got {
			switch name {
			case "access_token", "token_type", "expires_in", "scope", "id_token":
			default:
				t.Errorf("%s stands in it", name)
			}
		}
		if got["token_type"] != "Bearer" || got["expires_in"] != 600.0 || got["scope"] != "openid profile email notes:read" {
			t.Errorf("%v", got)
		}
	})
	access := w.access(got["access_token"])
	t.Run("S64 the access token", func(t *testing.T) {
		if !strings.HasPrefix(access.Subject, "u_") || access.ClientID != "spa" || access.ID == "" || access.SessionID == "" ||
			strings.Join(access.Scopes, " ") != "openid profile email notes:read" || strings.Join(access.Roles, " ") != "user" ||
			access.Name != "Lin" || access.Email != "lin@example.com" {
			t.Errorf("%+v", access)
		}
		if life := access.ExpiresAt.Sub(access.IssuedAt); life != 10*time.Minute || access.IssuedAt.Before(before) || access.IssuedAt.After(w.now()) {
			t.Errorf("issued %v, lives %v", access.IssuedAt, life)
		}
	})
	t.Run("S65 the ID token", func(t *testing.T) {
		id := w.idToken(got["id_token"], "spa")
		if id.Subject != access.Subject || id.Nonce != nonce || id.SessionID != access.SessionID || id.AuthTime.IsZero() ||
			id.Claims["name"] != "Lin" || id.Claims["email"] != "lin@example.com" || id.Claims["email_verified"] != true {
			t.Errorf("%+v", id)
		}
		raw, _ := got["id_token"].(string)
		if _, err := token.VerifyAccess(t.Context(), raw, w.published(), token.Expect{Issuer: issuer, Audience: "spa", Now: w.now()}); err == nil {
			t.Error("it passes for an access token")
		}
	})
	t.Run("S68 what a provider claims changes nothing of ours", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.claims(func(c map[string]any) {
			for _, name := range []string{"jti", "client_id", "scope", "roles", "typ", "sid"} {
				c[name] = "evil"
			}
			c["name"] = `","sub":"u_evil`
		})
		got := w.tokens(w.browser().code("lin"))
		a, id := w.access(got["access_token"]), w.idToken(got["id_token"], "spa")
		if a.ID == "evil" || a.ClientID != "spa" || strings.Join(a.Roles, "") != "user" || a.SessionID == "evil" || id.Subject != a.Subject {
			t.Errorf("%+v %+v", a, id)
		}
	})
	t.Run("S66 a scope of a role is for those who have the role", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.config.RoleScopes = map[string][]string{"admin": {"notes:write"}, "user": {"notes:read"}}
		w.rebuild()
		for user, want := range map[string]string{"lin": "openid notes:read", "ada": "openid notes:read notes:write"} {
			got := w.tokens(w.browser().code(user, "scope", "openid notes:read notes:write"))
			if got["scope"] != want || strings.Join(w.access(got["access_token"]).Scopes, " ") != want {
				t.Errorf("%s: %v", user, got["scope"])
			}
		}
	})
	t.Run("two signatures and no more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code := w.browser().code("lin")
		w.tokens(code)
		if n := w.key.signed.Load(); n != 2 {
			t.Errorf("%d", n)
		}
	})
}

// TestRolesClaim: the claim roles, perhaps empty, is in the tokens of users of
// first-party clients, and in no others.
func TestRolesClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.code("lin")
	claims := func(rawToken any) map[string]any {
		t.Helper()
		text, _ := rawToken.(string)
		body, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, roles := range [][]string{{"user"}, {}} {
		w.give(w.onlyUser().ID, roles...)
		w.clock.Pass(2 * time.Second)
		got := w.offlineTokens(b)
		for range 2 {
			list, ok := claims(got["access_token"])["roles"].([]any)
			if !ok || len(list) != len(roles) {
				t.Errorf("a user with %q: the claim is %v", roles, list)
			}
			got = w.renew(got["refresh_token"])
		}
	}
	code := b.answerConsent(b.authorizeAs("lin", extAuthorize()), "allow").location().Query().Get("code")
	got := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")
	for name, rawToken := range map[string]any{
		"a third-party client": got["access_token"], "one that renewed": w.renew(got["refresh_token"], "client_id", "ext")["access_token"], "a machine": w.robotToken(),
	} {
		if list, ok := claims(rawToken)["roles"]; ok {
			t.Errorf("%s has the claim %v", name, list)
		}
	}
}

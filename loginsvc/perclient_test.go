package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// with makes the service know these clients and no others.
func (w *world) with(clients ...client.Client) {
	w.t.Helper()
	w.config.Clients = client.List(clients).Lookup
	w.rebuild()
	for _, c := range clients {
		if c.Registration == "" {
			continue
		}
		key := schema.Client(c.ID)
		if err := w.table.Table.Write(w.t.Context(), table.Put(table.Item{table.PK: key.PK, table.SK: key.SK, "registration": c.Registration})); err != nil {
			w.t.Fatal(err)
		}
	}
}

// audienceOf is the API that an access token is for, if it is one of these.
func (w *world) audienceOf(rawToken any, apis ...string) string {
	w.t.Helper()
	text, _ := rawToken.(string)
	for _, api := range apis {
		if _, err := token.VerifyAccess(w.t.Context(), text, w.published(), token.Expect{Issuer: issuer, Audience: api, Now: w.now()}); err == nil {
			return api
		}
	}
	w.t.Fatal("the token is for none of them")
	return ""
}

const orders, stock = "https://orders.test", "https://stock.test"

// spa is the client spa with a change.
func spa(change func(*client.Client)) client.Client {
	c := defaultClients[0]
	change(&c)
	return c
}

func TestAudiences(t *testing.T) {
	t.Parallel()
	both := spa(func(c *client.Client) { c.Audiences = []string{orders, stock} })
	start := func(t *testing.T, change ...string) (*world, map[string]any) {
		t.Helper()
		w := newWorld(t)
		w.with(both, client.Client{ID: "robot", Secret: "r", Grants: []string{client.GrantClientCredentials}, Scopes: []string{"notes:read"}, Audiences: []string{stock}})
		return w, w.tokens(w.browser().code("lin", append([]string{"scope", offline}, change...)...))
	}
	wants := func(t *testing.T, w *world, rawToken any, want string) {
		t.Helper()
		if got := w.audienceOf(rawToken, orders, stock, audience); got != want {
			t.Errorf("for %s, want %s", got, want)
		}
	}
	t.Run("the first is the usual one, and another is asked for", func(t *testing.T) {
		w, got := start(t)
		wants(t, w, got["access_token"], orders)
		got = w.renew(got["refresh_token"], "resource", stock)
		wants(t, w, got["access_token"], stock)
		wants(t, w, w.renew(got["refresh_token"])["access_token"], orders)
		wants(t, w, w.tokens(w.browser().code("lin"), "resource", stock)["access_token"], stock)
	})
	t.Run("S66 what was asked for at the sign-in is all there is", func(t *testing.T) {
		w, got := start(t, "resource", stock)
		wants(t, w, got["access_token"], stock)
		w.program().post("/token", renewal(got["refresh_token"], "resource", orders)).oauthError(t, 400, "invalid_target")
		wants(t, w, w.renew(got["refresh_token"])["access_token"], stock)
		code := w.browser().code("lin", "resource", stock)
		w.program().post("/token", redemption(code, "resource", orders)).oauthError(t, 400, "invalid_target")
		wants(t, w, w.tokens(code)["access_token"], stock) // and the code was not used up
	})
	t.Run("S66 nobody gets a token for an API of others, or for two", func(t *testing.T) {
		w, got := start(t)
		for _, evil := range []string{audience, issuer, "https://evil.test", orders + "/"} {
			w.browser().authorizeAs("lin", authorize("resource", evil)).refused(t, "invalid_target")
			w.program().post("/token", renewal(got["refresh_token"], "resource", evil)).oauthError(t, 400, "invalid_target")
			w.program().post("/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"robot"}, "client_secret": {"r"}, "resource": {evil}}).oauthError(t, 400, "invalid_target")
		}
		two := renewal(got["refresh_token"])
		two["resource"] = []string{orders, stock}
		w.program().post("/token", two).oauthError(t, 400, "invalid_target")
		w.renew(got["refresh_token"])
	})
	t.Run("two at the sign-in, one at a time after it", func(t *testing.T) {
		w, _ := start(t)
		v := authorize("scope", offline)
		v["resource"] = []string{stock, orders}
		b := w.browser()
		to := b.authorizeAs("lin", v).location() // by way of the provider
		got := w.tokens(to.Query().Get("code"))
		wants(t, w, got["access_token"], stock)
		wants(t, w, w.renew(got["refresh_token"], "resource", orders)["access_token"], orders)
	})
	t.Run("a machine and a device", func(t *testing.T) {
		w, _ := start(t)
		got := w.program().post("/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"robot"}, "client_secret": {"r"}}).json(t)
		wants(t, w, got["access_token"], stock)
		tv := defaultClients[4]
		tv.Audiences = []string{orders, stock}
		w.with(both, tv)
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice("resource", stock)
		b.answerDevice(user, "allow")
		w.poll(device, "resource", orders).oauthError(t, 400, "invalid_target")
		wants(t, w, w.poll(device).json(t)["access_token"], stock)
		w.program().post("/device_authorization", url.Values{"client_id": {"tv"}, "resource": {audience}}).oauthError(t, 400, "invalid_target")
	})
	t.Run("an API that the client loses is lost at the next renewal", func(t *testing.T) {
		w, got := start(t)
		w.with(spa(func(c *client.Client) { c.Audiences = []string{stock} }))
		got = w.renew(got["refresh_token"])
		wants(t, w, got["access_token"], stock)
		w.with(spa(func(*client.Client) {}))
		w.program().post("/token", renewal(got["refresh_token"])).oauthError(t, 400, "invalid_target")
	})
	t.Run("the issuer is no API, whatever a row says", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.with(spa(func(c *client.Client) { c.Audiences = []string{issuer} }))
		w.program().post("/token", redemption(w.browser().code("lin", "resource", issuer))).oauthError(t, 400, "invalid_target")
	})
	t.Run("S106 user info and introspection know tokens for each of them", func(t *testing.T) {
		w, got := start(t)
		raw, _ := got["access_token"].(string)
		ask := func() int { return w.program().get("/userinfo", "Authorization", "Bearer "+raw).StatusCode }
		if ask() != http.StatusOK {
			t.Errorf("%d", ask())
		}
		w.with(spa(func(*client.Client) {}))
		if ask() != http.StatusUnauthorized {
			t.Errorf("for an API that the client may not have: %d", ask())
		}
		w.with()
		if ask() != http.StatusUnauthorized {
			t.Errorf("of a client that is gone: %d", ask())
		}
	})
}

func TestLifetimesOfClients(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, lives client.Lifetimes) (*world, map[string]any) {
		t.Helper()
		w := newWorld(t)
		w.with(spa(func(c *client.Client) { c.Lifetimes = lives }))
		return w, w.offlineTokens(w.browser())
	}
	t.Run("access and ID tokens", func(t *testing.T) {
		w, got := start(t, client.Lifetimes{AccessToken: 2 * time.Minute})
		a := w.access(got["access_token"])
		if got["expires_in"] != 120.0 || a.ExpiresAt.Sub(a.IssuedAt) != 2*time.Minute || w.idToken(got["id_token"], "spa").ExpiresAt.Sub(a.IssuedAt) != 2*time.Minute {
			t.Errorf("%v %+v", got, a)
		}
	})
	t.Run("nothing outlives the house's", func(t *testing.T) {
		w, got := start(t, client.Lifetimes{AccessToken: time.Hour, RefreshToken: 10000 * time.Hour, RefreshIdle: 10000 * time.Hour})
		if got["expires_in"] != 600.0 {
			t.Errorf("%v", got)
		}
		w.jump(t, 7*24*time.Hour+time.Second)
		w.refuses(got["refresh_token"])
	})
	t.Run("refresh tokens that are not used", func(t *testing.T) {
		w, got := start(t, client.Lifetimes{RefreshIdle: time.Hour})
		for range 3 {
			w.jump(t, 59*time.Minute)
			got = w.renew(got["refresh_token"])
		}
		w.jump(t, time.Hour)
		w.refuses(got["refresh_token"])
	})
	t.Run("refresh tokens however often they are used", func(t *testing.T) {
		w, got := start(t, client.Lifetimes{RefreshToken: 2 * time.Hour})
		w.jump(t, 119*time.Minute)
		got = w.renew(got["refresh_token"])
		w.jump(t, time.Minute)
		w.refuses(got["refresh_token"])
	})
	t.Run("what is shortened later is shorter for all", func(t *testing.T) {
		for _, lives := range []client.Lifetimes{{RefreshToken: time.Hour}, {RefreshIdle: time.Hour}} {
			w, got := start(t, client.Lifetimes{})
			w.jump(t, time.Hour+time.Second)
			w.with(spa(func(c *client.Client) { c.Lifetimes = lives }))
			w.refuses(got["refresh_token"])
		}
	})
	t.Run("a scope that the client loses is lost at the next renewal", func(t *testing.T) {
		w, got := start(t, client.Lifetimes{})
		w.with(spa(func(c *client.Client) { c.Scopes = []string{"openid", "offline_access"} }))
		got = w.renew(got["refresh_token"], "scope", offline)
		if a := w.access(got["access_token"]); strings.Join(a.Scopes, " ") != "openid offline_access" || a.Name != "" || got["scope"] != "openid offline_access" {
			t.Errorf("%+v", a)
		}
	})
}

// TestRegistrations removes a client and adds another of the same id.
func TestRegistrations(t *testing.T) {
	t.Parallel()
	first := spa(func(c *client.Client) { c.Registration = "first" })
	second := spa(func(c *client.Client) { c.Registration = "second" })
	of := func(c client.Client, id string) client.Client {
		d := defaultClients[map[string]int{"ext": 3, "tv": 4, "web": 1}[id]]
		d.Registration = c.Registration
		return d
	}
	t.Run("what is removed gets nothing any more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.with(first)
		got, code := w.offlineTokens(w.browser()), w.browser().code("lin")
		w.with()
		w.program().post("/token", renewal(got["refresh_token"])).oauthError(t, 401, "invalid_client")
		w.program().post("/token", redemption(code)).oauthError(t, 401, "invalid_client")
	})
	t.Run("codes and refresh tokens are not inherited", func(t *testing.T) {
		for name, heir := range map[string]client.Client{"added again": second, "in the file now": spa(func(*client.Client) {})} {
			w := newWorld(t)
			w.with(first)
			got, code := w.offlineTokens(w.browser()), w.browser().code("lin")
			w.with(heir)
			w.refuses(got["refresh_token"])
			w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
			w.program().post("/revoke", url.Values{"client_id": {"spa"}, "token": {got["refresh_token"].(string)}}).oauthError(t, 400, "invalid_grant")
			w.with(first)
			w.renew(got["refresh_token"]) // and were not ended by who may not
			if t.Failed() {
				t.Fatal(name)
			}
		}
	})
	t.Run("nor is what introspection tells", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.with(of(first, "web"))
		b := w.browser()
		to := b.authorizeAs("lin", authorize("client_id", "web", "redirect_uri", appURI+"2", "scope", "openid offline_access")).location()
		got := w.tokens(to.Query().Get("code"), "client_id", "web", "client_secret", webSecret, "redirect_uri", appURI+"2")
		ask := func() any {
			return w.program().post("/introspect", revoking(got["refresh_token"], "client_id", "web", "client_secret", webSecret)).json(t)["active"]
		}
		if ask() != true {
			t.Error("its own")
		}
		w.with(of(second, "web"))
		if ask() != false {
			t.Error("that of the one before")
		}
	})
	t.Run("devices wait for who asked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.with(of(first, "tv"), defaultClients[0])
		b := w.browser()
		b.code("lin")
		approved, its := w.startDevice()
		b.answerDevice(its, "allow")
		device, user := w.startDevice()
		w.with(of(second, "tv"), defaultClients[0])
		b.get("/device?user_code="+user).page(t, http.StatusBadRequest, "")
		w.poll(device).oauthError(t, 400, "invalid_grant")
		w.poll(approved).oauthError(t, 400, "invalid_grant")
	})
	t.Run("consent is asked for anew", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.with(of(first, "ext"))
		b := w.browser()
		code := b.answerConsent(b.authorizeAs("lin", extAuthorize()), "allow").location().Query().Get("code")
		w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")
		if to := b.authorizeAs("lin", extAuthorize("scope", "openid")).location(); to == nil || to.Query().Get("code") == "" {
			t.Errorf("asked again: %v", to)
		}
		b.get("/account").page(t, http.StatusOK, "Elsewhere")
		w.with(of(second, "ext"))
		if a := b.get("/account"); a.StatusCode != http.StatusOK || strings.Contains(a.body, "Elsewhere") {
			t.Errorf("the account page lists it: %d", a.StatusCode)
		}
		page := b.authorizeAs("lin", extAuthorize("scope", "openid"))
		page.page(t, http.StatusOK, "Elsewhere")
		b.get("/authorize?"+extAuthorize("scope", "openid", "prompt", "none").Encode()).refused(t, "consent_required")
		code = b.answerConsent(page, "allow").location().Query().Get("code")
		w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb")
		user := w.onlyUser()
		given, err := w.config.Users.Consent(t.Context(), user.ID, usersvc.App{ID: "ext", Ref: "ext#second"})
		if err != nil || strings.Join(given.Scopes, " ") != "openid" {
			t.Errorf("%v %v", given, err)
		}
	})
}

// TestServes introspects as an API, which no token was issued to.
func TestServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := client.Client{ID: "api", Secret: "api-secret", Serves: []string{orders}}
	all := []client.Client{
		spa(func(c *client.Client) { c.Audiences = []string{orders, stock} }), defaultClients[1], api,
	}
	w.with(all...)
	got := w.tokens(w.browser().code("lin", "scope", offline))
	ask := func(rawToken any, id, secret string) map[string]any {
		t.Helper()
		return w.program().post("/introspect", revoking(rawToken, "client_id", id, "client_secret", secret)).json(t)
	}
	told := ask(got["access_token"], "api", "api-secret")
	if told["active"] != true || told["aud"] != orders || told["client_id"] != "spa" || told["scope"] != offline {
		t.Errorf("%v", told)
	}
	forStock := w.renew(got["refresh_token"], "resource", stock)
	for name, told := range map[string]map[string]any{
		"a token for another API":         ask(forStock["access_token"], "api", "api-secret"),
		"a refresh token":                 ask(forStock["refresh_token"], "api", "api-secret"),
		"by a client that is not the API": ask(got["access_token"], "web", webSecret),
		"an ID token for the client":      ask(got["id_token"], "api", "api-secret"),
		"no token at all":                 ask("x", "api", "api-secret"),
	} {
		if len(told) != 1 || told["active"] != false {
			t.Errorf("%s: %v", name, told)
		}
	}
	w.program().post("/revoke", revoking(got["access_token"], "client_id", "api", "client_secret", "api-secret")).oauthError(t, 400, "invalid_grant")
	w.suspend("demo-lin")
	if told := ask(got["access_token"], "api", "api-secret"); told["active"] != false {
		t.Errorf("of a suspended user: %v", told)
	}
	w.browser().get("/authorize?"+authorize("client_id", "api").Encode()).page(t, http.StatusBadRequest, "")
}

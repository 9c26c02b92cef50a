package loginsvc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

const offline = "openid profile email offline_access notes:read"

// offlineTokens signs in with offline access, as the client spa.
func (w *world) offlineTokens(b *browser) map[string]any {
	w.t.Helper()
	return w.tokens(b.code("lin", "scope", offline))
}

// renewal are the parameters with which spa renews.
func renewal(refreshToken any, change ...string) url.Values {
	v := url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {fmt.Sprint(refreshToken)}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

// renew renews and returns the new tokens.
func (w *world) renew(refreshToken any, change ...string) map[string]any {
	w.t.Helper()
	a := w.program().post("/token", renewal(refreshToken, change...))
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	return a.json(w.t)
}

// refuses asserts that a refresh token is good for nothing.
func (w *world) refuses(refreshToken any, change ...string) {
	w.t.Helper()
	w.program().post("/token", renewal(refreshToken, change...)).oauthError(w.t, 400, "invalid_grant")
}

func TestRenew(t *testing.T) {
	t.Parallel()
	t.Run("S63 a refresh token only with offline access", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		if got := w.tokens(b.code("lin"))["refresh_token"]; got != nil {
			t.Error("without offline_access there is one")
		}
		got := w.offlineTokens(b)
		if got["refresh_token"] == nil || got["scope"] != offline {
			t.Errorf("%v", got)
		}
	})
	t.Run("S71 each renewal brings another refresh token", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())
		seen := map[any]bool{}
		for got, i := first, 0; i < 5; i++ {
			got = w.renew(got["refresh_token"])
			for _, name := range []string{"refresh_token", "access_token"} {
				if got[name] == nil || seen[got[name]] {
					t.Errorf("%s: %v", name, got[name])
				}
				seen[got[name]] = true
			}
			a := w.access(got["access_token"])
			if a.ClientID != "spa" || a.SessionID != w.access(first["access_token"]).SessionID || strings.Join(a.Scopes, " ") != offline || a.Name != "Lin" || a.Email == "" {
				t.Errorf("%+v", a)
			}
		}
	})
	t.Run("S71 an old refresh token ends its family", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())
		second := w.renew(first["refresh_token"])
		access := w.access(second["access_token"])
		w.jump(t, 61*time.Second)
		w.refuses(first["refresh_token"])
		w.refuses(second["refresh_token"])
		if !w.feed().Revoked(access) {
			t.Error("S72 its access token lives on")
		}
		if later := w.access(w.tokens(w.browser().code("lin"))["access_token"]); w.feed().Revoked(later) {
			t.Error("and so dies the next one")
		}
	})
	t.Run("S74 a lost answer is given again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())
		second := w.renew(first["refresh_token"])
		for range 3 {
			w.jump(t, 20*time.Second)
			again := w.renew(first["refresh_token"])
			if again["refresh_token"] != second["refresh_token"] {
				t.Error("another successor")
			}
			w.access(again["access_token"])
		}
		w.renew(second["refresh_token"])
	})
	t.Run("S75 a token two generations old gets nothing within the grace, and ends nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())["refresh_token"]
		second := w.renew(first)["refresh_token"]
		w.jump(t, 59*time.Second)
		third := w.renew(second)["refresh_token"]
		for range 3 {
			w.refuses(first)
		}
		if again := w.renew(second)["refresh_token"]; again != third {
			t.Error("another successor")
		}
		w.renew(third)
	})
	t.Run("a token two generations old ends its family after its grace", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())["refresh_token"]
		second := w.renew(first)["refresh_token"]
		w.jump(t, 59*time.Second)
		third := w.renew(second)["refresh_token"]
		w.jump(t, 2*time.Second) // the grace of the first is over, that of the second is not
		w.refuses(first)
		w.refuses(third)
	})
	t.Run("a token three generations old ends its family at once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())["refresh_token"]
		last := w.renew(w.renew(w.renew(first)["refresh_token"])["refresh_token"])["refresh_token"]
		w.refuses(first)
		w.refuses(last)
	})
	t.Run("a client has a grace of its own, and the others keep theirs", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) {
			clients := slices.Clone(defaultClients)
			for i := range clients {
				switch clients[i].ID {
				case "spa":
					clients[i].RefreshGrace = time.Hour // more than a public client can have
				case "web":
					clients[i].RefreshGrace = 5 * time.Minute
				}
			}
			c.Clients = client.List(clients).Lookup
		})
		web := func(token any) answer {
			return w.program().post("/token", renewal(token, "client_id", "web", "client_secret", webSecret))
		}
		b := w.browser()
		code := b.authorizeAs("lin", authorize("client_id", "web", "redirect_uri", appURI+"2", "scope", "openid offline_access")).location().Query().Get("code")
		mine := w.program().post("/token", webRedemption(code, "client_id", "web", "client_secret", webSecret)).json(t)["refresh_token"]
		spa, ext := w.offlineTokens(b)["refresh_token"], w.offlineTokens(w.browser())["refresh_token"]
		web(mine)
		w.renew(spa)
		w.renew(ext)
		w.jump(t, 2*time.Minute)
		w.renew(spa)
		w.jump(t, 3*time.Minute)
		if a := web(mine); a.StatusCode != http.StatusOK {
			t.Errorf("web after 5 minutes: %d %s", a.StatusCode, a.body)
		}
		w.refuses(ext)
		w.jump(t, time.Second)
		if a := web(mine); a.StatusCode != http.StatusBadRequest {
			t.Errorf("web after its grace: %d", a.StatusCode)
		}
	})
	t.Run("S76 a token is its client's", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		got := w.offlineTokens(w.browser())
		w.refuses(got["refresh_token"], "client_id", "other")
		w.refuses(got["refresh_token"], "client_id", "web", "client_secret", webSecret)
		w.program().post("/token", renewal(got["refresh_token"], "client_id", "web")).oauthError(t, 401, "invalid_client")
		w.program().post("/token", renewal("", "client_id", "spa")).oauthError(t, 400, "invalid_request")
		w.renew(got["refresh_token"])
	})
	t.Run("S77 fewer scopes, never more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		got := w.offlineTokens(w.browser())
		for _, scope := range []string{offline + " notes:write", "admin", "OPENID"} {
			w.program().post("/token", renewal(got["refresh_token"], "scope", scope)).oauthError(t, 400, "invalid_scope")
		}
		w.program().post("/token", renewal(got["refresh_token"], "resource", "https://evil.test")).oauthError(t, 400, "invalid_target")
		few := w.renew(got["refresh_token"], "scope", "notes:read")
		if few["scope"] != "notes:read" || strings.Join(w.access(few["access_token"]).Scopes, " ") != "notes:read" || few["id_token"] != nil {
			t.Errorf("%v", few)
		}
		if all := w.renew(few["refresh_token"]); all["scope"] != offline {
			t.Errorf("the next one has %v", all["scope"])
		}
	})
	t.Run("an ID token comes with each renewal of a grant with openid", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		got := w.offlineTokens(w.browser())
		first := w.idToken(got["id_token"], "spa")
		w.jump(t, time.Minute)
		got = w.renew(got["refresh_token"])
		second := w.idToken(got["id_token"], "spa")
		before := w.key.signed.Load()
		got = w.renew(got["refresh_token"], "scope", "notes:read")
		if got["id_token"] != nil || w.key.signed.Load() != before+1 {
			t.Errorf("a renewal for less than openid: %v, %d signatures", got["id_token"], w.key.signed.Load()-before)
		}
		w.idToken(w.renew(got["refresh_token"])["id_token"], "spa")
		without := w.tokens(w.browser().code("lin", "scope", "notes:read offline_access"))
		if got := w.renew(without["refresh_token"]); got["id_token"] != nil {
			t.Errorf("a grant without openid: %v", got)
		}
		if second.Nonce != first.Nonce || !second.AuthTime.Equal(first.AuthTime) || second.Subject != first.Subject || !second.IssuedAt.After(first.IssuedAt) {
			t.Errorf("%+v, then %+v", first, second)
		}
	})
	t.Run("two requests to the table", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		got := w.offlineTokens(w.browser())
		before := w.table.requests.Load()
		w.renew(got["refresh_token"])
		if n := w.table.requests.Load() - before; n != 2 {
			t.Errorf("%d", n)
		}
	})
	t.Run("a client without the grant", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		got := w.offlineTokens(w.browser())
		w.config.Clients = client.List{{ID: "spa", RedirectURIs: []string{appURI}}}.Lookup
		w.rebuild()
		w.program().post("/token", renewal(got["refresh_token"])).oauthError(t, 400, "unauthorized_client")
		w.config.Clients = nobodyKnown
		w.rebuild()
		w.program().post("/token", renewal(got["refresh_token"])).oauthError(t, 401, "invalid_client")
	})
}

func TestRenewLifetimes(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*world, any) {
		w := newWorld(t, func(c *loginsvc.Config) { c.RefreshTTL, c.RefreshIdleTTL = 20*time.Hour, 4*time.Hour })
		return w, w.offlineTokens(w.browser())["refresh_token"]
	}
	t.Run("S78 renewing does not go on for ever", func(t *testing.T) {
		w, token := start(t)
		for range 6 {
			w.jump(t, 3*time.Hour)
			token = w.renew(token)["refresh_token"]
		}
		w.jump(t, 2*time.Hour)
		w.refuses(token)
	})
	t.Run("S78 nor does it wait for ever", func(t *testing.T) {
		w, token := start(t)
		w.jump(t, 4*time.Hour-time.Second)
		token = w.renew(token)["refresh_token"]
		w.jump(t, 4*time.Hour+time.Second)
		w.refuses(token)
	})
	t.Run("S78 it ends with its session", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) { c.Users.SessionTTL = 2 * time.Hour })
		token := w.offlineTokens(w.browser())["refresh_token"]
		w.jump(t, time.Hour)
		token = w.renew(token)["refresh_token"]
		w.jump(t, time.Hour)
		w.refuses(token)
	})
	t.Run("a clock that was set back revives nothing", func(t *testing.T) {
		w, token := start(t)
		w.jump(t, -time.Hour)
		w.refuses(token)
	})
	t.Run("without grace a second use ends the family", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) { c.RefreshGrace = -1 })
		first := w.offlineTokens(w.browser())["refresh_token"]
		second := w.renew(first)["refresh_token"]
		w.jump(t, -time.Second) // also if our clock is behind that of the instance that renewed
		w.refuses(first)
		w.refuses(second)
	})
}

func TestRenewAfterChange(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*world, *browser, map[string]any) {
		w := newWorld(t)
		b := w.browser()
		return w, b, w.offlineTokens(b)
	}
	t.Run("S79 a suspended user", func(t *testing.T) {
		w, _, got := start(t)
		sub := w.access(got["access_token"]).Subject
		second := w.renew(got["refresh_token"])
		if _, err := w.config.Users.Suspend(t.Context(), usersvc.By{Operator: "test"}, sub); err != nil {
			t.Fatal(err)
		}
		w.refuses(second["refresh_token"])
		w.refuses(got["refresh_token"]) // nor by repeating
		if _, err := w.config.Users.Activate(t.Context(), usersvc.By{Operator: "test"}, sub); err != nil {
			t.Fatal(err)
		}
		w.refuses(second["refresh_token"])
	})
	t.Run("S79 a deleted user", func(t *testing.T) {
		w, _, got := start(t)
		sub := w.access(got["access_token"]).Subject
		if err := w.config.Users.Delete(t.Context(), usersvc.By{Operator: "test"}, sub); err != nil {
			t.Fatal(err)
		}
		w.refuses(got["refresh_token"])
		page, err := w.table.Query(t.Context(), table.Query{PK: "user#" + sub, Prefix: "refresh#", Limit: 10})
		if err != nil || len(page.Items) != 0 {
			t.Errorf("%d rows of the user's tokens are left, %v", len(page.Items), err)
		}
	})
	t.Run("S79 new roles are in the next token", func(t *testing.T) {
		w, _, got := start(t)
		sub := w.access(got["access_token"]).Subject
		if _, err := w.config.Users.SetRoles(t.Context(), usersvc.By{Operator: "test"}, sub, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		w.jump(t, time.Second) // no token is issued in the second of a change
		got = w.renew(got["refresh_token"])
		if roles := w.access(got["access_token"]).Roles; strings.Join(roles, " ") != "admin" {
			t.Errorf("roles %v", roles)
		}
		before := w.table.requests.Load()
		if roles := w.access(w.renew(got["refresh_token"])["access_token"]).Roles; strings.Join(roles, " ") != "admin" {
			t.Errorf("then roles %v", roles)
		}
		if n := w.table.requests.Load() - before; n != 2 {
			t.Errorf("the family does not remember the user as they are: %d requests", n)
		}
	})
	t.Run("S79 a scope of a role that is gone", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) { c.RoleScopes = map[string][]string{"user": {"notes:read"}} })
		got := w.offlineTokens(w.browser())
		sub := w.access(got["access_token"]).Subject
		if _, err := w.config.Users.SetRoles(t.Context(), usersvc.By{Operator: "test"}, sub, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		w.jump(t, time.Second) // no token is issued in the second of a change
		got = w.renew(got["refresh_token"])
		if got["scope"] != "openid profile email offline_access" {
			t.Errorf("%v", got["scope"])
		}
		// A client that asks for everything it asked for at the sign-in is not refused.
		w.renew(got["refresh_token"], "scope", offline)
	})
	t.Run("S113 a session that was signed out", func(t *testing.T) {
		w, b, got := start(t)
		hint, _ := got["id_token"].(string)
		b.get("/logout?" + url.Values{"id_token_hint": {hint}}.Encode())
		w.refuses(got["refresh_token"])
	})
	t.Run("all sessions ended", func(t *testing.T) {
		w, _, got := start(t)
		sub := w.access(got["access_token"]).Subject
		if err := w.config.Users.EndSessions(t.Context(), usersvc.By{UserID: sub}, sub, ""); err != nil {
			t.Fatal(err)
		}
		w.refuses(got["refresh_token"])
	})
	t.Run("S55 a code that comes again ends what it gave", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code := w.browser().code("lin", "scope", offline)
		got := w.tokens(code)
		w.program().post("/token", redemption(code, "client_id", "other")).oauthError(t, 400, "invalid_grant")
		got = w.renew(got["refresh_token"])
		w.program().post("/token", redemption(code)).oauthError(t, 400, "invalid_grant")
		w.refuses(got["refresh_token"])
	})
	t.Run("a user changed while the code is redeemed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code := w.browser().code("lin", "scope", offline)
		w.table.failWrite = func([]table.Write) error {
			w.table.failWrite = nil
			user, err := w.config.Users.List(t.Context(), usersvc.Filter{})
			if err == nil {
				_, err = w.config.Users.SetRoles(t.Context(), usersvc.By{Operator: "test"}, user.Items[0].ID, []string{"admin"}, 0)
			}
			return err
		}
		if roles := w.access(w.tokens(code)["access_token"]).Roles; strings.Join(roles, " ") != "admin" {
			t.Errorf("roles %v", roles)
		}
	})
}

func TestRenewHostile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.offlineTokens(w.browser())
	token, _ := got["refresh_token"].(string)
	t.Run("S80 a token that was changed is none, and ends nothing", func(t *testing.T) {
		var bad []string
		for i := range token {
			bad = append(bad, token[:i], token[:i]+flip(token[i:]), token[:i]+"\n"+token[i:], token[:i]+"\x00"+token[i:])
		}
		bad = append(bad, token+"A", token+token, "ghx_"+token[4:], token[4:], strings.ToUpper(token), strings.ToLower(token),
			strings.ReplaceAll(token, ".", " "), strings.ReplaceAll(token, "_", "+"), " "+token, token+" ", token+"\n", strings.Repeat("x", 9000))
		for _, b := range bad {
			if b == token || b == "" {
				continue
			}
			if a := w.program().post("/token", renewal(b)); a.StatusCode != 400 || a.json(t)["error"] != "invalid_grant" {
				t.Errorf("%q: %d %s", b, a.StatusCode, a.body)
			}
		}
	})
	t.Run("S81 a dump of the table renews nothing", func(t *testing.T) {
		access := w.access(got["access_token"])
		page, err := w.table.Query(t.Context(), table.Query{PK: "user#" + access.Subject, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		secret := token[len(token)-49 : len(token)-6]
		for _, item := range page.Items {
			if strings.Contains(fmt.Sprint(item), secret) {
				t.Errorf("%s holds the token", item.Key().SK)
			}
		}
	})
	t.Run("S84 refresh tokens are as long as each other", func(t *testing.T) {
		for range 5 {
			if next, _ := w.offlineTokens(w.browser())["refresh_token"].(string); len(next) != len(token) {
				t.Errorf("%d and %d", len(next), len(token))
			}
		}
	})
	t.Run("S80 and the true one still works", func(t *testing.T) { w.renew(token) })
}

func TestRenewFaults(t *testing.T) {
	t.Parallel()
	t.Run("S82 the table fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		token := w.offlineTokens(w.browser())["refresh_token"]
		for range 3 {
			w.table.failWrite = func([]table.Write) error { return errDown }
			a := w.program().post("/token", renewal(token))
			a.oauthError(t, 503, "temporarily_unavailable")
			if a.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			w.table.failWrite, w.table.failRead = nil, errDown
			w.program().post("/token", renewal(token)).oauthError(t, 503, "temporarily_unavailable")
			w.table.failRead = nil
			w.jump(t, time.Minute)
		}
		w.renew(token)
	})
	t.Run("S83 the key fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		token := w.offlineTokens(w.browser())["refresh_token"]
		w.key.fail = keys.ErrUnavailable
		w.program().post("/token", renewal(token)).oauthError(t, 503, "temporarily_unavailable")
		w.jump(t, time.Minute) // longer than the grace
		w.program().post("/token", renewal(token)).oauthError(t, 503, "temporarily_unavailable")
		w.key.fail = nil
		w.renew(token)
	})
	t.Run("the answer to a write that was done is lost", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		token := w.offlineTokens(w.browser())["refresh_token"]
		w.table.failAfter = errDown
		w.program().post("/token", renewal(token)).oauthError(t, 503, "temporarily_unavailable")
		w.table.failAfter = nil
		next := w.renew(token)["refresh_token"]
		w.jump(t, time.Minute)
		w.renew(next)
	})
	t.Run("ending a family fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())["refresh_token"]
		w.renew(first)
		w.jump(t, time.Minute)
		w.table.failWrite = func([]table.Write) error { return errDown }
		w.program().post("/token", renewal(first)).oauthError(t, 503, "temporarily_unavailable")
	})
}

func TestRenewRaces(t *testing.T) {
	t.Parallel()
	// race renews a token n times at once and returns the successors.
	race := func(w *world, token any, n int) (successors map[string]int, refused int) {
		var (
			wg sync.WaitGroup
			mu sync.Mutex
		)
		successors = map[string]int{}
		for range n {
			wg.Go(func() {
				a := w.program().post("/token", renewal(token))
				mu.Lock()
				defer mu.Unlock()
				if a.StatusCode != http.StatusOK {
					refused++
					return
				}
				successors[fmt.Sprint(a.json(w.t)["refresh_token"])]++
			})
		}
		wg.Wait()
		return successors, refused
	}
	t.Run("S73 all who renew at once get the same successor", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		var token any = w.offlineTokens(w.browser())["refresh_token"]
		for range 10 {
			w.table.failWrite = meeting(20)
			successors, refused := race(w, token, 20)
			w.table.failWrite = nil
			if len(successors) != 1 || refused != 0 {
				t.Fatalf("%d successors, %d refused", len(successors), refused)
			}
			for next := range successors {
				token = next
			}
		}
	})
	t.Run("S73 without grace one renews", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) { c.RefreshGrace = -1 })
		token := w.offlineTokens(w.browser())["refresh_token"]
		w.table.failWrite = meeting(20)
		successors, refused := race(w, token, 20)
		w.table.failWrite = nil
		if len(successors) != 1 || refused != 19 {
			t.Fatalf("%d successors, %d refused", len(successors), refused)
		}
	})
	t.Run("one that was overtaken twice is no thief", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())["refresh_token"]
		var third any
		w.table.failWrite = func([]table.Write) error {
			w.table.failWrite = nil
			third = w.renew(w.renew(first)["refresh_token"])["refresh_token"]
			return nil
		}
		w.refuses(first)
		w.renew(third)
	})
	t.Run("a repeat that was overtaken gives what it would have given", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first := w.offlineTokens(w.browser())["refresh_token"]
		second := w.renew(first)["refresh_token"]
		w.table.failWrite = func([]table.Write) error {
			w.table.failWrite = nil
			w.renew(second)
			return nil
		}
		if again := w.renew(first)["refresh_token"]; again != second {
			t.Error("another successor")
		}
	})
}

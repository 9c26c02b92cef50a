package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// startDevice asks for the codes of a device.
func (w *world) startDevice(change ...string) (deviceCode, userCode string) {
	w.t.Helper()
	v := url.Values{"client_id": {"tv"}, "scope": {"openid profile offline_access"}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	got := w.program().post("/device_authorization", v).json(w.t)
	deviceCode, _ = got["device_code"].(string)
	userCode, _ = got["user_code"].(string)
	if deviceCode == "" || userCode == "" {
		w.t.Fatalf("%v", got)
	}
	return deviceCode, userCode
}

// poll asks whether the device has been let in.
func (w *world) poll(deviceCode string, change ...string) answer {
	w.t.Helper()
	v := url.Values{"grant_type": {client.GrantDevice}, "client_id": {"tv"}, "device_code": {deviceCode}}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return w.program().post("/token", v)
}

// answerDevice types a code and answers.
func (b *browser) answerDevice(userCode, consent string) answer {
	b.w.t.Helper()
	page := b.post("/device", url.Values{"user_code": {userCode}})
	page.page(b.w.t, http.StatusOK, "Telly")
	return b.post("/device", deviceForm(b.w.t, page, consent))
}

// deviceForm is the form of a page that asks about a device, with an answer.
func deviceForm(t *testing.T, page answer, consent string) url.Values {
	return url.Values{"user_code": {hidden(t, page.body, "user_code")}, "shown_to": {hidden(t, page.body, "shown_to")}, "consent": {consent}}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	t.Run("the codes", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		a := w.program().post("/device_authorization", url.Values{"client_id": {"tv"}})
		got := a.json(t)
		user, _ := got["user_code"].(string)
		if len(user) != 9 || user[4] != '-' || strings.Trim(user, "BCDFGHJKLMNPQRSTVWXZ-") != "" || len(got["device_code"].(string)) != 43 {
			t.Errorf("%v", got)
		}
		if got["verification_uri"] != issuer+"/device" || got["verification_uri_complete"] != issuer+"/device?user_code="+user ||
			got["expires_in"] != 600.0 || got["interval"] != 5.0 || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", got)
		}
	})
	t.Run("no two devices share a code, and each row goes away by itself", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		var taken table.Key
		w.table.failWrite = func(writes []table.Write) error {
			if len(writes) != 2 {
				return nil // a limit
			}
			for _, write := range writes {
				if ttl, _ := write.Item[table.TTL].(int64); ttl < w.now().Unix() || ttl > w.now().Unix()+600 {
					t.Errorf("%s goes away at %d", write.Key.SK, ttl)
				}
			}
			if taken = writes[1].Key; taken.PK == "" {
				t.Error("no user code")
			}
			w.table.failWrite = nil
			return w.table.Table.Write(t.Context(), table.Put(table.Item{
				table.PK: taken.PK, table.SK: taken.SK, "device": "another", "expires_at": w.now().Unix() + 60,
			}))
		}
		w.startDevice()
		if item, err := w.table.Get(t.Context(), taken); err != nil || item["device"] != "another" {
			t.Errorf("the other device has lost its code: %v %v", item, err)
		}
	})
	t.Run("let in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		device, user := w.startDevice()
		w.poll(device).oauthError(t, 400, "authorization_pending")
		b.code("lin")
		b.get("/device").page(t, http.StatusOK, "user_code")
		page := b.get("/device?user_code=" + user)
		page.page(t, http.StatusOK, "Telly")
		if !strings.Contains(page.body, "Lin") || !strings.Contains(page.body, user) {
			t.Errorf("the page does not say who and what: %s", page.body)
		}
		w.jump(t, 5*time.Second)
		w.poll(device).oauthError(t, 400, "authorization_pending") // to look is not to agree
		b.answerDevice(strings.ToLower(strings.ReplaceAll(user, "-", " ")), "allow").page(t, http.StatusOK, "Telly")
		w.jump(t, 5*time.Second)
		got := w.poll(device).json(t)
		access := w.access(got["access_token"])
		if access.ClientID != "tv" || access.Name != "Lin" || got["scope"] != "openid profile offline_access" || w.idToken(got["id_token"], "tv").Subject != access.Subject {
			t.Errorf("%v", got)
		}
		next := w.renew(got["refresh_token"], "client_id", "tv")
		w.poll(device).oauthError(t, 400, "invalid_grant")
		w.refuses(next["refresh_token"], "client_id", "tv") // the code was seen twice
	})
	t.Run("without a session one signs in first", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		_, user := w.startDevice()
		b.follow("lin", b.get("/device?user_code="+user)).page(t, http.StatusOK, "Telly")
		w.browser().follow("lin", w.browser().get("/device?user_code="+url.QueryEscape("//evil.test"))) // harmless
		w.table.failRead = errDown
		b.get("/device").page(t, http.StatusServiceUnavailable, "")
	})
	t.Run("not let in", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		for _, no := range []string{"deny", "ALLOW", "x"} {
			device, user := w.startDevice()
			b.answerDevice(user, no).page(t, http.StatusOK, "")
			for range 2 {
				w.poll(device).oauthError(t, 400, "access_denied")
			}
			b.post("/device", url.Values{"user_code": {user}, "consent": {"allow"}}).page(t, http.StatusBadRequest, "")
			b.get("/device?user_code="+user).page(t, http.StatusBadRequest, "")
		}
	})
	t.Run("asked too often", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		device, _ := w.startDevice()
		w.poll(device).oauthError(t, 400, "authorization_pending")
		w.jump(t, 2*time.Second)
		w.poll(device).oauthError(t, 400, "slow_down")
		w.jump(t, 9*time.Second)
		w.poll(device).oauthError(t, 400, "slow_down")
		w.jump(t, 16*time.Second)
		w.poll(device).oauthError(t, 400, "authorization_pending")
	})
	t.Run("too late", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice()
		approved, its := w.startDevice()
		b.answerDevice(its, "allow")
		w.jump(t, 10*time.Minute+time.Second)
		w.poll(device).oauthError(t, 400, "expired_token")
		w.poll(approved).oauthError(t, 400, "expired_token")
		b.post("/device", url.Values{"user_code": {user}}).page(t, http.StatusBadRequest, "")
	})
	t.Run("a code of another client, or none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice()
		b.answerDevice(user, "allow")
		w.config.Clients = client.List{defaultClients[4], {ID: "tv2", Grants: []string{client.GrantDevice}}, {ID: "tv", Grants: []string{client.GrantDevice}}}.Lookup
		w.rebuild()
		w.poll(device, "client_id", "tv2").oauthError(t, 400, "invalid_grant")
		w.poll("x").oauthError(t, 400, "invalid_grant")
		w.poll("").oauthError(t, 400, "invalid_request")
		if a := w.poll(device); a.StatusCode != http.StatusOK {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a client that may not", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		p := w.program()
		p.post("/device_authorization", url.Values{"client_id": {"spa"}}).oauthError(t, 400, "unauthorized_client")
		p.post("/device_authorization", url.Values{"client_id": {"nobody"}}).oauthError(t, 401, "invalid_client")
		p.post("/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"admin"}}).oauthError(t, 400, "invalid_scope")
		p.post("/device_authorization", url.Values{"client_id": {"tv"}, "resource": {"https://evil.test"}}).oauthError(t, 400, "invalid_target")
		w.poll("x", "client_id", "spa").oauthError(t, 400, "unauthorized_client")
	})
	t.Run("an answer from another site", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice()
		page := b.get("/device?user_code=" + user)
		b.post("/device", deviceForm(t, page, "allow"), "Sec-Fetch-Site", "cross-site").page(t, http.StatusForbidden, "another site")
		b.get("/device?consent=allow&user_code="+user).page(t, http.StatusOK, "Telly")
		w.poll(device).oauthError(t, 400, "authorization_pending")
		if a := w.browser().post("/device", url.Values{"user_code": {user}, "consent": {"allow"}}); a.location() == nil || a.location().Host != "127.0.0.1:8788" {
			t.Errorf("without a session: %d", a.StatusCode)
		}
		b.get("/device?user_code=a&user_code=b").page(t, http.StatusBadRequest, "")
	})
	t.Run("who answers is who was asked, where they were asked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b, ada := w.browser(), w.browser()
		b.code("lin")
		ada.code("ada")
		device, user := w.startDevice()
		shown := b.get("/device?user_code=" + user)
		_, others := w.startDevice()
		other := b.get("/device?user_code=" + others)
		again := w.browser() // Lin too, in another browser
		again.code("lin")
		for name, answer := range map[string]answer{
			"nobody was asked":           b.post("/device", url.Values{"user_code": {user}, "consent": {"allow"}}),
			"somebody else was asked":    ada.post("/device", deviceForm(t, shown, "allow")),
			"in another browser":         again.post("/device", deviceForm(t, shown, "allow")),
			"about another device":       b.post("/device", url.Values{"user_code": {user}, "shown_to": {hidden(t, other.body, "shown_to")}, "consent": {"allow"}}),
			"no, by somebody else":       ada.post("/device", deviceForm(t, shown, "deny")),
			"by a page of another login": b.post("/device", url.Values{"user_code": {user}, "shown_to": {hidden(t, ada.get("/device?user_code="+user).body, "shown_to")}, "consent": {"allow"}}),
		} {
			answer.page(t, http.StatusOK, "shown_to") // asked, who they are
			w.poll(device).oauthError(t, 400, "authorization_pending")
			w.jump(t, 5*time.Second)
			if t.Failed() {
				t.Fatal(name)
			}
		}
		b.authorizeAs("ada", authorize("prompt", "login")) // the page is still open in another tab
		anew := b.post("/device", deviceForm(t, shown, "allow"))
		anew.page(t, http.StatusOK, "Ada")
		w.poll(device).oauthError(t, 400, "authorization_pending")
		w.jump(t, 5*time.Second)
		b.post("/device", deviceForm(t, anew, "allow")).page(t, http.StatusOK, "Telly")
		if access := w.access(w.poll(device).json(t)["access_token"]); access.Name != "Ada" {
			t.Errorf("the device is %s", access.Name)
		}
	})
	t.Run("codes are not to be guessed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		b, other := w.browser(), w.browser()
		b.code("lin")
		other.code("ada")
		_, user := w.startDevice()
		for _, wrong := range []string{"BBBB-BBBB", "x", "BBBBBBBB", "AAAA-AAAA", "BBBB-BBBBB", "BBBB-BBBC", "BBBB-BBBD", "BBBB-BBBF", "BBBB-BBBG", "BBBB-BBBH"} {
			b.post("/device", url.Values{"user_code": {wrong}}).page(t, http.StatusBadRequest, "")
		}
		a := b.post("/device", url.Values{"user_code": {"BBBB-BBBJ"}})
		a.page(t, http.StatusTooManyRequests, "")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		// The right code looks like a wrong one now, by either method.
		for name, right := range map[string]answer{
			"POST": b.post("/device", url.Values{"user_code": {user}}), "GET": b.get("/device?user_code=" + user),
			"an answer":           b.post("/device", url.Values{"user_code": {user}, "consent": {"allow"}, "shown_to": {"x"}}),
			"a wrong code by GET": b.get("/device?user_code=BBBB-BBBJ"),
		} {
			if right.StatusCode != a.StatusCode || right.body != a.body || right.Header.Get("Retry-After") != a.Header.Get("Retry-After") {
				t.Errorf("%s: %d %s", name, right.StatusCode, right.body)
			}
		}
		other.answerDevice(user, "allow").page(t, http.StatusOK, "")
	})
	t.Run("right codes do not count as wrong ones", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		b := w.browser()
		b.code("lin")
		for range 12 {
			_, user := w.startDevice()
			b.get("/device?user_code="+user).page(t, http.StatusOK, "Telly")
			b.answerDevice(user, "allow").page(t, http.StatusOK, "")
		}
	})
	t.Run("guesses that come at once do not get past the limit", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		b := w.browser()
		b.code("lin")
		var looked, limited atomic.Int64
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				if b.post("/device", url.Values{"user_code": {"BBBB-BBBB"}}).StatusCode == http.StatusTooManyRequests {
					limited.Add(1)
				} else {
					looked.Add(1)
				}
			})
		}
		all.Wait()
		if looked.Load() != 10 || limited.Load() != 20 {
			t.Errorf("%d were looked up, %d refused", looked.Load(), limited.Load())
		}
	})
	t.Run("many users at one source are limited, too", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.onTheHour(t)
		_, user := w.startDevice()
		var b *browser
		for _, person := range []string{"lin", "ada", "max", "may", "bob", "eve"} {
			b = w.browser()
			w.claims(func(c map[string]any) { c["sub"], c["email"] = person, person+"@example.com" })
			b.authorizeAs("lin", authorize())
			for range 10 {
				b.post("/device", url.Values{"user_code": {"BBBB-BBBB"}}).page(t, http.StatusBadRequest, "")
			}
		}
		b = w.browser()
		w.claims(func(c map[string]any) { c["sub"], c["email"] = "zoe", "zoe@example.com" })
		b.authorizeAs("lin", authorize())
		b.post("/device", url.Values{"user_code": {user}}).page(t, http.StatusTooManyRequests, "")
		b.header.Set("X-Test-Source", "198.51.100.1")
		b.post("/device", url.Values{"user_code": {user}}).page(t, http.StatusOK, "Telly")
	})
	t.Run("somebody else's app is remembered", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(c *loginsvc.Config) {
			tv := defaultClients[4]
			tv.ThirdParty = true
			c.Clients = client.List{tv, defaultClients[0]}.Lookup
		})
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice()
		b.answerDevice(user, "allow")
		if got := w.poll(device).json(t); w.renew(got["refresh_token"], "client_id", "tv")["access_token"] == nil {
			t.Errorf("%v", got)
		}
		if given := w.consents(w.onlyUser().ID); len(given) != 1 || given[0].ClientID != "tv" {
			t.Errorf("%v", given)
		}
	})
	t.Run("twenty polls at once give tokens once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice("scope", "openid")
		b.answerDevice(user, "allow")
		w.table.failWrite = meeting(20)
		var (
			wg      sync.WaitGroup
			mu      sync.Mutex
			success int
		)
		for range 20 {
			wg.Go(func() {
				a := w.poll(device)
				mu.Lock()
				defer mu.Unlock()
				if a.StatusCode == http.StatusOK {
					success++
				}
			})
		}
		wg.Wait()
		if success != 1 {
			t.Errorf("%d", success)
		}
	})
	t.Run("answered twice at once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice()
		page := b.get("/device?user_code=" + user)
		w.table.failWrite = func([]table.Write) error {
			w.table.failWrite = nil
			b.answerDevice(user, "deny")
			return nil
		}
		b.post("/device", deviceForm(t, page, "allow")).page(t, http.StatusBadRequest, "")
		w.poll(device).oauthError(t, 400, "access_denied")
	})
	t.Run("the user is suspended meanwhile", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		device, user := w.startDevice()
		b.answerDevice(user, "allow")
		w.suspend("demo-lin")
		w.poll(device).oauthError(t, 400, "invalid_grant")
	})
	t.Run("the table is down", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		device, _ := w.startDevice()
		w.table.failWrite = func([]table.Write) error { return errDown }
		w.poll(device).oauthError(t, 503, "temporarily_unavailable")
		w.program().post("/device_authorization", url.Values{"client_id": {"tv"}}).oauthError(t, 503, "temporarily_unavailable")
	})
}

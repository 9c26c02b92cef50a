package loginsvc_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestSeedLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const accept, jsonType = "Accept", "application/json"
	start := func(b *browser) (at string) {
		t.Helper()
		b.header.Set(accept, jsonType)
		a := b.get("/users/login")
		got := a.json(t)
		if a.StatusCode != http.StatusOK || got["message"] != "Authorization from Demo required" || len(got) != 2 || a.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		at, _ = got["url"].(string)
		if !strings.Contains(a.body, at) {
			t.Errorf("people cannot copy the URL out of %s", a.body)
		}
		return at
	}
	t.Run("asked for JSON it says where to go, and ends with a token", func(t *testing.T) {
		b := w.browser()
		callback := b.post(start(b), url.Values{"user": {"lin"}}).location().String()
		if !strings.HasPrefix(callback, issuer+"/callback/demo?") {
			t.Fatalf("the provider leads to %s", callback)
		}
		a := b.get(callback)
		got := a.json(t)
		if a.StatusCode != http.StatusOK || got["message"] != "Authorization Success!" || len(got) != 2 || a.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		access := w.access(got["jwt"])
		if access.Name != "Lin" || access.SessionID == "" || w.key.signed.Load() != 1 {
			t.Errorf("%+v, %d signatures", access, w.key.signed.Load())
		}
		raw, _ := got["jwt"].(string)
		if a := b.get("/userinfo", "Authorization", "Bearer "+raw); a.StatusCode != http.StatusOK {
			t.Errorf("userinfo: %d", a.StatusCode)
		}
	})
	t.Run("asked for a page it goes there", func(t *testing.T) {
		b := w.browser()
		a := b.get("/users/login")
		if a.location() == nil || a.location().Host != "127.0.0.1:8788" {
			t.Fatalf("%d %v", a.StatusCode, a.location())
		}
		if got := b.follow("lin", a).json(t); got["message"] != "Authorization Success!" {
			t.Errorf("%v", got)
		}
	})
	t.Run("another browser does not finish it", func(t *testing.T) {
		b, thief := w.browser(), w.browser()
		callback := b.post(start(b), url.Values{"user": {"lin"}}).location().String()
		if a := thief.get(callback); a.StatusCode != http.StatusBadRequest || strings.Contains(a.body, "jwt") {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		a := w.program().get(callback, accept, jsonType)
		if a.StatusCode != http.StatusBadRequest || a.json(t)["code"] != "cookies_blocked" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a provider by name", func(t *testing.T) {
		if a := w.browser().get("/users/login?provider=demo"); a.location() == nil {
			t.Errorf("%d", a.StatusCode)
		}
		w.browser().get("/users/login?provider=nosuch").page(t, http.StatusBadRequest, "")
		w.browser().get("/users/login?provider=demo&provider=demo").page(t, http.StatusBadRequest, "")
	})
	t.Run("S38 a suspended user", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.code("lin")
		w.suspend("demo-lin")
		a := b.follow("lin", b.get("/users/login"))
		a.page(t, http.StatusForbidden, "suspended")
	})
	t.Run("the token never has the role admin", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		got := b.follow("ada", b.get("/users/login")).json(t)
		if roles := w.access(got["jwt"]).Roles; len(roles) != 1 || roles[0] != "user" {
			t.Errorf("roles %q", roles)
		}
		if roles := w.access(w.tokens(b.code("ada"))["access_token"]).Roles; len(roles) != 2 {
			t.Errorf("elsewhere she has the roles %q", roles)
		}
	})
	t.Run("nor has it when the user changes while it is issued", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		user := w.access(w.tokens(b.code("ada"))["access_token"]).Subject
		renamed := false
		w.table.failWrite = func(writes []table.Write) error {
			if slices.ContainsFunc(writes, func(w table.Write) bool { return w.Op != table.OpCheck }) {
				return nil // not yet the write that checks the grounds of the token
			}
			w.table.failWrite, renamed = nil, true
			_, err := w.config.Users.Rename(t.Context(), usersvc.By{UserID: user}, user, "Ada L.", 0)
			return err
		}
		got := b.follow("ada", b.get("/users/login")).json(t)
		if roles := w.access(got["jwt"]).Roles; !renamed || len(roles) != 1 || roles[0] != "user" {
			t.Errorf("renamed: %t, roles %q", renamed, roles)
		}
	})
	t.Run("it is off unless the configuration says so", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		callback := b.post(b.get("/users/login").location().String(), url.Values{"user": {"lin"}}).location().String()
		w.config.LegacyLogin = false
		w.rebuild()
		if a := b.get("/users/login"); a.StatusCode != http.StatusNotFound {
			t.Errorf("%d", a.StatusCode)
		}
		if a := b.get(callback); a.StatusCode != http.StatusBadRequest || strings.Contains(a.body, "jwt") {
			t.Errorf("one that is under way ends with %d %s", a.StatusCode, a.body)
		}
	})
	t.Run("the key is out of reach", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.key.fail = keys.ErrUnavailable
		b := w.browser()
		b.follow("lin", b.get("/users/login")).page(t, http.StatusServiceUnavailable, "")
	})
}

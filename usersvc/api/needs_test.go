package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestNeeds(t *testing.T) {
	t.Parallel()
	h := &harness{Harness: userstest.OpenBolt(t)}
	lin, ada := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("ada"))
	h.Clock.Pass(time.Hour)
	now := h.Clock.Now()
	// What a token without the scope, and one of an old sign-in, get.
	const free, scope, recent = "free", "scope", "recent"
	want := map[string]string{
		"GET /me": free, "PATCH /me": scope, "DELETE /me": recent, "GET /me/sessions": free, "DELETE /me/sessions": free,
		"DELETE /me/sessions/others": free, "DELETE /me/sessions/{sid}": free, "GET /me/identities": free,
		"DELETE /me/identities/{identity}": recent, "GET /me/export": recent,
	}
	for _, route := range api.Routes() {
		if strings.Contains(route, " /me") != (want[route] != "") {
			t.Errorf("%s: teach this test what it needs", route)
		}
	}
	token := func(who userstest.SignedIn, age time.Duration, scopes ...string) identity.Identity {
		i := as(who)
		i.Scopes, i.AuthTime = scopes, now.Add(-age)
		return i
	}
	refused := func(t *testing.T, who identity.Identity, method, path, body, code, scope string) {
		t.Helper()
		status, challenge := 403, `Bearer error="insufficient_scope", scope="`+scope+`"`
		if code == "insufficient_user_authentication" {
			status, challenge = 401, `Bearer error="insufficient_user_authentication", error_description="sign in again", max_age="600"`
		}
		a := h.call(t, who, method, path, body).want(t, status, code)
		if got := a.header.Get("WWW-Authenticate"); got != challenge {
			t.Errorf("%s %s: challenge %s", method, path, got)
		}
	}
	for route, needs := range want {
		method, path := concrete(route, "")
		t.Run(route, func(t *testing.T) {
			if needs == free {
				return
			}
			h.WantUnchanged(t, lin.User.ID, func() {
				for _, scopes := range [][]string{nil, {"openid"}, {"openid", "accounts", "Account", "account:read"}} {
					refused(t, token(lin, 0, scopes...), method, path, bodyFor(route), "insufficient_scope", "account")
				}
			})
			if needs == recent {
				h.WantUnchanged(t, lin.User.ID, func() {
					refused(t, token(lin, 10*time.Minute+time.Second, "account"), method, path, bodyFor(route), "insufficient_user_authentication", "")
					forgotten := token(lin, 0, "account")
					forgotten.AuthTime = time.Time{}
					refused(t, forgotten, method, path, bodyFor(route), "insufficient_user_authentication", "")
				})
			}
		})
	}
	t.Run("admins without the scope", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			for _, route := range api.Routes() {
				if strings.Contains(route, " /me") {
					continue
				}
				method, path := concrete(route, lin.User.ID)
				refused(t, token(ada, 0, "openid", "account", "Admin", "admins"), method, path, bodyFor(route), "insufficient_scope", "admin")
			}
		})
	})
	t.Run("admins on themselves", func(t *testing.T) {
		path := "/users/" + ada.User.ID
		h.WantUnchanged(t, ada.User.ID, func() {
			refused(t, token(ada, 0, "admin"), "PATCH", path, `{"name":"x"}`, "insufficient_scope", "account")
			refused(t, token(ada, 0, "admin"), "DELETE", path, "", "insufficient_scope", "account")
			refused(t, token(ada, time.Hour, "admin", "account"), "DELETE", path, "", "insufficient_user_authentication", "")
			refused(t, token(ada, 0, "admin"), "GET", path+"/export", "", "insufficient_scope", "account")
			refused(t, token(ada, time.Hour, "admin", "account"), "GET", path+"/export", "", "insufficient_user_authentication", "")
		})
		h.call(t, token(ada, time.Hour, "admin"), "PATCH", "/users/"+lin.User.ID, `{"name":"Lin"}`).want(t, 200, "")
	})
	t.Run("enough", func(t *testing.T) {
		h.call(t, token(lin, time.Hour, "account"), "PATCH", "/me", `{"name":"Lin"}`).want(t, 200, "")
		h.call(t, token(lin, 10*time.Minute, "account"), "GET", "/me/export", "").want(t, 200, "")
	})
	t.Run("signing out needs neither", func(t *testing.T) {
		old := token(lin, 24*time.Hour, "openid")
		second := h.MustSignIn(t, userstest.Profile("lin"))
		h.call(t, old, "DELETE", "/me/sessions/"+second.Session.ID, "").want(t, 204, "")
		h.call(t, old, "DELETE", "/me/sessions/others", "").want(t, 204, "")
		h.call(t, old, "DELETE", "/me/sessions", "").want(t, 204, "")
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
	})
	t.Run("deleting, with both", func(t *testing.T) {
		h.call(t, token(lin, 10*time.Minute, "account"), "DELETE", "/me", "").want(t, 204, "")
		if users := h.All(t); slices.ContainsFunc(users, func(u usersvc.User) bool { return u.ID == lin.User.ID }) {
			t.Error(fmt.Sprint(users))
		}
	})
}

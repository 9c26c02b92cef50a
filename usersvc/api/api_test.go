package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// TestAPI goes through every operation and every answer that the document has,
// and so proves that the document promises nothing that does not happen.
func TestAPI(t *testing.T) { onEngines(t, testAPI) }

func testAPI(t *testing.T, open engine) {
	h := open(t)
	h.seen = map[string]bool{}
	h.Roles = []string{"user", "admin", "editor"}
	ada, lin, kim, sam := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("kim")), h.MustSignIn(t, userstest.Profile("sam"))
	h.MustSignIn(t, userstest.At(userstest.Profile("lin"), "other"))
	if _, err := h.Suspend(t.Context(), userstest.Operator, sam.User.ID); err != nil {
		t.Fatal(err)
	}
	gone := h.MustSignIn(t, userstest.Profile("gone"))
	if err := h.Delete(t.Context(), userstest.Operator, gone.User.ID); err != nil {
		t.Fatal(err)
	}

	const name = `{"name":"Linnéa"}`
	linPath, kimPath := "/users/"+lin.User.ID, "/users/"+kim.User.ID

	t.Run("who I am", func(t *testing.T) {
		a := h.call(t, as(lin), "GET", "/me", "").want(t, 200, "")
		want := `{"id":"` + lin.User.ID + `","email":"lin@example.com","email_verified":true,"name":"lin","roles":["user"],` +
			`"status":"active","created_at":"2026-03-01T12:00:00Z","version":2}`
		if strings.TrimSpace(a.body) != want || a.header.Get("ETag") != `"2"` {
			t.Errorf("%s\n%s\n%v", a.body, want, a.header)
		}
		h.call(t, as(lin), "GET", "/me", "", "If-None-Match", `W/"1", "2"`).want(t, 304, "")
		h.call(t, as(lin), "GET", "/me", "", "If-None-Match", `"1"`).want(t, 200, "")
		h.call(t, as(sam), "GET", "/me", "").want(t, 403, "suspended")
		h.call(t, as(gone), "GET", "/me", "").want(t, 401, "invalid_token")
	})
	t.Run("my name", func(t *testing.T) {
		h.call(t, as(lin), "PATCH", "/me", `{"name":1}`).want(t, 400, "invalid_request")
		h.call(t, as(lin), "PATCH", "/me", `{}`).want(t, 400, "invalid_request")
		h.call(t, as(lin), "PATCH", "/me", name, "If-Match", `"1"`).want(t, 412, "version_changed")
		h.call(t, as(lin), "PATCH", "/me", name, "If-Match", `W/"2"`).want(t, 412, "version_changed")
		a := h.call(t, as(lin), "PATCH", "/me", name, "If-Match", `"2"`).want(t, 200, "")
		if a.object(t)["name"] != "Linnéa" || a.header.Get("ETag") != `"3"` {
			t.Error(a.body, a.header)
		}
		h.call(t, as(sam), "PATCH", "/me", name).want(t, 403, "insufficient_role")
	})
	t.Run("where I am signed in", func(t *testing.T) {
		second, third := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("lin"))
		a := h.call(t, as(lin), "GET", "/me/sessions", "").want(t, 200, "")
		if current := a.items(t, "current"); len(current) != 4 || slices.Index(current, any(true)) != slices.Index(a.items(t, "id"), any(lin.Session.ID)) {
			t.Error(a.body)
		}
		h.call(t, as(lin), "DELETE", "/me/sessions/"+second.Session.ID, "").want(t, 204, "")
		h.WantSession(t, second.Cookie, usersvc.ErrNoSession)
		h.call(t, as(lin), "DELETE", "/me/sessions/"+second.Session.ID, "").want(t, 404, "not_found")
		h.call(t, as(lin), "DELETE", "/me/sessions/others", "").want(t, 204, "")
		h.WantSession(t, third.Cookie, usersvc.ErrNoSession)
		h.WantSession(t, lin.Cookie, nil)
		h.call(t, identity.Identity{Subject: lin.User.ID, Roles: lin.User.Roles}, "DELETE", "/me/sessions/others", "").want(t, 401, "invalid_token")
		h.call(t, as(third), "DELETE", "/me/sessions/others", "").want(t, 401, "invalid_token")
		h.call(t, as(lin), "DELETE", "/me/sessions", "").want(t, 204, "")
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		h.call(t, as(sam), "DELETE", "/me/sessions", "").want(t, 403, "insufficient_role")
	})
	t.Run("what I sign in with", func(t *testing.T) {
		a := h.call(t, as(lin), "GET", "/me/identities", "").want(t, 200, "")
		ids := a.items(t, "id")
		if !slices.Contains(a.items(t, "provider"), any("other")) || len(ids) != 2 {
			t.Error(a.body)
		}
		path := func(i int) string { return "/me/identities/" + ids[i].(string) }
		h.call(t, as(lin), "DELETE", path(0), "").want(t, 204, "")
		h.call(t, as(lin), "DELETE", path(0), "").want(t, 404, "not_found")
		h.call(t, as(lin), "DELETE", path(1), "").want(t, 409, "last_identity")
		h.call(t, as(sam), "DELETE", h.firstIdentity(t, sam), "").want(t, 403, "insufficient_role")
	})
	t.Run("everything about me", func(t *testing.T) {
		if _, err := h.GiveConsent(t.Context(), userstest.By(lin), usersvc.App{ID: "photos", Ref: "photos"}, []string{"openid"}); err != nil {
			t.Fatal(err)
		}
		a := h.call(t, as(lin), "GET", "/me/export", "").want(t, 200, "")
		for _, want := range []string{`"client_id":"photos"`, "consent.given", "lin@example.com", "identity.unlinked", "192.0.2.9", "curl", `"issuer"`} {
			if !strings.Contains(a.body, want) {
				t.Errorf("no %s: %s", want, a.body)
			}
		}
		h.call(t, as(sam), "GET", "/me/export", "").want(t, 200, "")
		if strings.Contains(a.body, kim.User.ID) || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
			t.Error(a.body, a.header)
		}
	})
	t.Run("one user", func(t *testing.T) {
		a := h.call(t, as(ada), "GET", linPath, "").want(t, 200, "")
		tag := a.header.Get("ETag")
		h.call(t, as(ada), "GET", linPath, "", "If-None-Match", tag).want(t, 304, "")
		h.call(t, as(ada), "PATCH", linPath, `{"name":"Lin"}`, "If-Match", `"1"`).want(t, 412, "version_changed")
		if a := h.call(t, as(ada), "PATCH", linPath, `{"name":"Lin"}`, "If-Match", tag).want(t, 200, ""); a.header.Get("ETag") == tag {
			t.Error(a.header)
		}
		h.call(t, as(ada), "PATCH", linPath, `{"name":"Lin"}`, "If-Match", "*").want(t, 200, "")
		h.call(t, as(ada), "PATCH", linPath, `[]`).want(t, 400, "invalid_request")
	})
	t.Run("roles", func(t *testing.T) {
		a := h.call(t, as(ada), "PUT", linPath+"/roles", `{"roles":["editor"]}`).want(t, 200, "")
		if fmt.Sprint(a.object(t)["roles"]) != "[editor]" {
			t.Error(a.body)
		}
		h.call(t, as(ada), "PUT", linPath+"/roles", `{"roles":["root"]}`).want(t, 400, "unknown_role")
		h.call(t, as(ada), "PUT", linPath+"/roles", `{"roles":null}`).want(t, 400, "invalid_request")
		h.call(t, as(ada), "PUT", linPath+"/roles", `{"roles":[]}`, "If-Match", `"1"`).want(t, 412, "version_changed")
		h.call(t, as(ada), "PUT", "/users/"+ada.User.ID+"/roles", `{"roles":[]}`).want(t, 409, "last_admin")
		h.call(t, as(ada), "PUT", linPath+"/roles", `{"roles":[]}`).want(t, 200, "")
	})
	t.Run("status", func(t *testing.T) {
		h.call(t, as(ada), "POST", linPath+"/suspend", "").want(t, 200, "")
		h.call(t, as(ada), "POST", linPath+"/activate", "").want(t, 200, "")
		h.call(t, as(ada), "POST", "/users/"+ada.User.ID+"/suspend", "").want(t, 409, "oneself")
		h.call(t, as(ada), "POST", "/users/"+ada.User.ID+"/activate", "").want(t, 409, "oneself")
	})
	t.Run("another's sessions", func(t *testing.T) {
		lin := h.MustSignIn(t, userstest.Profile("kim"))
		h.call(t, as(ada), "GET", kimPath+"/sessions", "").want(t, 200, "")
		h.call(t, as(ada), "GET", kimPath+"/identities", "").want(t, 200, "")
		if a := h.call(t, as(ada), "GET", kimPath+"/export", ""); a.want(t, 200, "").status == 200 && !strings.Contains(a.body, "kim@example.com") {
			t.Error("not the user's export:", a.body)
		}
		h.call(t, as(ada), "DELETE", kimPath+"/sessions/"+lin.Session.ID, "").want(t, 204, "")
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		h.call(t, as(ada), "DELETE", kimPath+"/sessions", "").want(t, 204, "")
		h.WantSession(t, kim.Cookie, usersvc.ErrNoSession)
	})
	t.Run("the list", func(t *testing.T) {
		a := h.call(t, as(ada), "GET", "/users?q=ad&role=admin&status=active&limit=5", "").want(t, 200, "")
		if ids := a.items(t, "id"); len(ids) != 1 || ids[0] != ada.User.ID {
			t.Error(a.body)
		}
		for _, query := range []string{"limit=0", "limit=201", "limit=x", "limit=1;q=a", "status=deleted", "status=Active", "q=a&q=b", "rôle=admin", "%zz"} {
			h.call(t, as(ada), "GET", "/users?"+query, "").want(t, 400, "invalid_request")
		}
	})
	t.Run("what was done", func(t *testing.T) {
		h.Clock.Pass(time.Second)
		h.call(t, as(ada), "DELETE", kimPath+"/sessions", "").want(t, 204, "")
		a := h.call(t, as(ada), "GET", "/audit?user="+kim.User.ID+"&limit=1", "").want(t, 200, "")
		if fmt.Sprint(a.items(t, "action"), a.items(t, "actor"), a.items(t, "source_ip")) != fmt.Sprintf("[sessions.ended] [%s] [192.0.2.9]", ada.User.ID) {
			t.Error(a.body)
		}
		h.call(t, as(ada), "GET", "/audit?actor="+ada.User.ID+"&time=2026-03", "").want(t, 200, "")
		for _, query := range []string{"user=%23", "actor=a%00", "time=%25", "time=2026-03%23", "who=x"} {
			h.call(t, as(ada), "GET", "/audit?"+query, "").want(t, 400, "invalid_request")
		}
	})
	t.Run("deletion", func(t *testing.T) {
		h.call(t, as(ada), "DELETE", linPath, "").want(t, 204, "")
		h.call(t, as(ada), "DELETE", linPath, "").want(t, 404, "not_found")
		h.call(t, as(ada), "DELETE", "/me", "").want(t, 409, "last_admin")
		h.call(t, as(ada), "DELETE", "/users/"+ada.User.ID, "").want(t, 409, "last_admin")
		h.call(t, as(sam), "DELETE", "/me", "").want(t, 403, "insufficient_role")
		h.call(t, as(kim), "DELETE", "/me", "").want(t, 204, "")
	})
	t.Run("every operation, refused", func(t *testing.T) { h.refusals(t, ada) })
	t.Run("the document promises nothing else", func(t *testing.T) {
		d, _ := apiDocument()
		for path, operations := range d.Paths {
			for method, op := range operations {
				for code := range op.Responses {
					status, _ := strconv.Atoi(code)
					if key := strings.ToUpper(method) + " " + path + " " + http.StatusText(status); !h.seen[key] {
						t.Error("never happens:", key)
					}
				}
			}
		}
	})
}

// firstIdentity is the path of an identity of the user, to unlink it.
func (h *harness) firstIdentity(t *testing.T, who userstest.SignedIn) string {
	t.Helper()
	linked, err := h.Identities(t.Context(), who.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	return "/me/identities/" + linked[0].ID
}

// concrete is a route with something in place of its variables.
func concrete(route, id string) (method, path string) {
	method, path, _ = strings.Cut(route, " ")
	return method, strings.NewReplacer("{id}", id, "{sid}", "s_1", "{identity}", "x").Replace(path)
}

// bodyFor is a good body for an operation that takes one.
func bodyFor(route string) string {
	switch {
	case strings.HasSuffix(route, "/roles"):
		return `{"roles":["user"]}`
	case strings.HasPrefix(route, "PATCH"):
		return `{"name":"x"}`
	}
	return ""
}

// refusals asks every operation without an identity, without the role, about a
// user who is not there, as an admin who is none any more, with a body of another
// type, and while the table is out of reach.
func (h *harness) refusals(t *testing.T, admin userstest.SignedIn) {
	working := h.Users.Table
	forged := identity.Identity{Subject: "u_forged", Roles: []string{"admin"}, Scopes: []string{"admin"}}
	for _, route := range api.Routes() {
		method, path := concrete(route, "u_unknown")
		body := bodyFor(route)
		h.call(t, nobody, method, path, body).want(t, 401, "invalid_token")
		if body != "" {
			h.call(t, as(admin), method, path, body, "Content-Type", "text/plain").want(t, 415, "invalid_request")
			h.call(t, as(admin), method, path, body+"{}").want(t, 400, "invalid_request")
		}
		if strings.Contains(route, "{id}") {
			h.call(t, as(admin), method, path, body).want(t, 404, "not_found")
		}
		// The app of somebody else, which a user let have their name.
		h.call(t, identity.Identity{Subject: admin.User.ID, SessionID: admin.Session.ID, Scopes: []string{"openid", "profile"}, ClientID: "ext"},
			method, path, body).want(t, 403, "insufficient_role")
		if !strings.HasPrefix(path, "/me") {
			h.call(t, identity.Identity{Subject: "u_1", Roles: []string{"user", "Admin", "admins"}}, method, path, body).want(t, 403, "insufficient_role")
		}
		if strings.Contains(route, "{id}") && method != "GET" {
			_, path := concrete(route, admin.User.ID)
			h.call(t, forged, method, path, body).want(t, 403, "insufficient_role")
		}
		h.Users.Table = userstest.Unavailable{}
		a := h.call(t, as(admin), method, path, body).want(t, 503, "temporarily_unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Error(route, a.header)
		}
		h.Users.Table = working
	}
}

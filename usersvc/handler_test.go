package usersvc_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// answer is what the API says.
type answer struct {
	status int
	header http.Header
	body   string
}

// field returns a member of the answer's object, printed.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return m
}

// as is who calls: the identity that the authorizer makes of the user's token.
func as(user usersvc.User) identity.Identity {
	return identity.Identity{Subject: user.ID, Roles: user.Roles}
}

// call makes one request of the API, as who; nobody is the zero identity.
func (h *house) call(t *testing.T, who identity.Identity, method, path, body string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if who.Subject != "" {
		r = r.WithContext(identity.NewContext(r.Context(), who))
	}
	w := httptest.NewRecorder()
	usersvc.NewHandler(h.Users, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func wantStatus(t *testing.T, a answer, status int, code string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
		return
	}
	if code == "" {
		return
	}
	if got := a.object(t)["code"]; got != code || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v %v, want %v", a.header, a.body, code)
	}
}

var nobody identity.Identity

func TestMe(t *testing.T) {
	h := open(t)
	lin := h.signIn(t, profile("lin"))
	t.Run("who I am", func(t *testing.T) {
		a := h.call(t, as(lin.user), "GET", "/me", "")
		wantStatus(t, a, 200, "")
		want := `{"id":"` + lin.user.ID + `","email":"lin@example.com","email_verified":true,"name":"lin","roles":["user"],` +
			`"status":"active","created_at":"2026-03-01T12:00:00Z","version":1}`
		if strings.TrimSpace(a.body) != want || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s\n%s\n%v", a.body, want, a.header)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		wantStatus(t, h.call(t, nobody, "GET", "/me", ""), 401, "invalid_token")
		wantStatus(t, h.call(t, nobody, "GET", "/users", ""), 401, "invalid_token")
	})
	t.Run("a path that is not there", func(t *testing.T) {
		wantStatus(t, h.call(t, as(lin.user), "GET", "/", ""), 404, "not_found")
	})
}

func TestListUsers(t *testing.T) {
	h := open(t)
	names := []string{"ada", "lin", "sam", "kim"}
	for _, name := range names {
		h.clock.pass(time.Second)
		h.signIn(t, profile(name))
	}
	ada := identity.Identity{Subject: "u_ada", Roles: []string{"admin"}}
	t.Run("S129 only for admins", func(t *testing.T) {
		for _, who := range []identity.Identity{{Subject: "u_lin"}, {Subject: "u_lin", Roles: []string{"user", "Admin", "admins"}}} {
			for _, method := range []string{"GET", "HEAD"} {
				if a := h.call(t, who, method, "/users", ""); a.status != 403 {
					t.Errorf("%s: %d %s", method, a.status, a.body)
				}
			}
		}
	})
	t.Run("newest first, in pages, each one query", func(t *testing.T) {
		var got []string
		for next := ""; ; {
			var a answer
			if n := h.table.during(func() { a = h.call(t, ada, "GET", "/users?limit=3&cursor="+next, "") }); n != 1 {
				t.Errorf("%d calls of the table", n)
			}
			wantStatus(t, a, 200, "")
			page := a.object(t)
			for _, item := range page["items"].([]any) {
				got = append(got, item.(map[string]any)["name"].(string))
			}
			if next, _ = page["next"].(string); next == "" {
				break
			}
		}
		if strings.Join(got, " ") != "kim sam lin ada" {
			t.Error(got)
		}
	})
	t.Run("S131 a cursor that is not ours", func(t *testing.T) {
		next := h.call(t, ada, "GET", "/users?limit=1", "").object(t)["next"].(string)
		for i := range next {
			b := []byte(next)
			b[i] ^= 2
			a := h.call(t, ada, "GET", "/users?limit=1&cursor="+string(b), "")
			if a.status != 400 {
				t.Errorf("byte %d: %d %s", i, a.status, a.body)
			}
		}
		for _, cursor := range []string{"'%20OR%201=1", "%00", "attribute_exists(pk)", strings.Repeat("a", 5000)} {
			wantStatus(t, h.call(t, ada, "GET", "/users?cursor="+cursor, ""), 400, "bad_cursor")
		}
	})
	t.Run("a limit that is none", func(t *testing.T) {
		for _, limit := range []string{"0", "-1", "201", "x", "1e1", "9999999999999999999"} {
			wantStatus(t, h.call(t, ada, "GET", "/users?limit="+limit, ""), 400, "invalid_request")
		}
	})
}

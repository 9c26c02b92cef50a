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

func TestStrangers(t *testing.T) { onEngines(t, testStrangers) }

func testStrangers(t *testing.T, open engine) {
	h := open(t)
	h.MustSignIn(t, userstest.Profile("ada"))
	lin, kim := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("kim"))
	t.Run("S129 a user gets the same answer about another user and about nobody", func(t *testing.T) {
		h.WantUnchanged(t, kim.User.ID, func() {
			for _, route := range api.Routes() {
				if !strings.Contains(route, "{id}") {
					continue
				}
				var bodies []string
				for _, id := range []string{kim.User.ID, "u_unknown", "%00", strings.Repeat("u", 4000)} {
					method, path := concrete(route, id)
					calls := h.Table.During(func() {
						bodies = append(bodies, h.call(t, as(lin), method, path, bodyFor(route)).want(t, 403, "insufficient_role").body)
					})
					if calls != 0 {
						t.Errorf("%s: the table was asked: the time tells", route)
					}
				}
				if len(slices.Compact(bodies)) != 1 {
					t.Error(route, bodies)
				}
			}
		})
	})
	t.Run("S129 and HEAD is no way round", func(t *testing.T) {
		for _, route := range api.Routes() {
			method, path := concrete(route, kim.User.ID)
			if method != "GET" || strings.HasPrefix(path, "/me") {
				continue
			}
			if a := h.call(t, as(lin), "HEAD", path, ""); a.status != 403 {
				t.Error(path, a.status)
			}
			if a := h.call(t, nobody, "HEAD", path, ""); a.status != 401 {
				t.Error(path, a.status)
			}
		}
	})
	t.Run("S129 another's session or identity is like none", func(t *testing.T) {
		linked, err := h.Identities(t.Context(), kim.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		for path, unknown := range map[string]string{
			"/me/sessions/" + kim.Session.ID:  "/me/sessions/s_unknown",
			"/me/identities/" + linked[0].ID:  "/me/identities/unknown",
			"/me/sessions/session%23":         "/me/sessions/s_unknown",
			"/me/sessions/" + kim.User.ID:     "/me/sessions/s_unknown",
			"/me/sessions/" + kim.Cookie[:40]: "/me/sessions/s_unknown",
		} {
			a, b := h.call(t, as(lin), "DELETE", path, ""), h.call(t, as(lin), "DELETE", unknown, "")
			if a.status != 404 || a.body != b.body {
				t.Errorf("%s: %d %s and %s", path, a.status, a.body, b.body)
			}
		}
		h.WantSession(t, kim.Cookie, nil)
	})
	t.Run("S135 nobody learns whether an address is known, but who owns it and admins", func(t *testing.T) {
		for _, address := range []string{"kim@example.com", "nobody@example.com"} {
			h.call(t, as(lin), "GET", "/users?q="+address, "").want(t, 403, "insufficient_role")
			p := userstest.At(userstest.Profile("eve"), "stranger")
			p.Email, p.EmailVerified, p.Subject = address, false, "eve "+address
			if _, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{}); err != nil {
				t.Errorf("%s: %v", address, err)
			}
		}
	})
	t.Run("S135 no answer has a hash or a secret", func(t *testing.T) {
		admin := identity.Identity{Subject: "u_1", Roles: []string{"admin"}, Scopes: []string{"admin"}}
		for _, path := range []string{"/me", "/me/sessions", "/me/identities", "/me/export"} {
			h.call(t, as(lin), "GET", path, "").want(t, 200, "") // call looks for them
		}
		for _, path := range []string{"/users", "/users/" + lin.User.ID, "/users/" + lin.User.ID + "/sessions", "/users/" + lin.User.ID + "/identities", "/users/" + lin.User.ID + "/export", "/audit"} {
			h.call(t, admin, "GET", path, "").want(t, 200, "")
		}
	})
	t.Run("an identity without a subject is nobody", func(t *testing.T) {
		a := h.call(t, identity.Identity{Roles: []string{"admin"}}, "GET", "/users", "")
		a.want(t, 401, "invalid_token")
	})
}

func TestMassAssignment(t *testing.T) { onEngines(t, testMassAssignment) }

func testMassAssignment(t *testing.T, open engine) {
	h := open(t)
	ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
	for _, member := range []string{
		`"roles":["admin"]`, `"role":"admin"`, `"email":"ada@example.com"`, `"email_verified":true`, `"iss":"x"`, `"sub":"x"`, `"issuer":"x"`,
		`"subject":"x"`, `"disabled":false`, `"status":"active"`, `"created_at":"2020-01-01T00:00:00Z"`, `"id":"u_1"`, `"ID":"u_1"`, `"version":9`,
		`"epoch":0`, `"claimed_email":"ada@example.com"`, `"admin_given":true`, `"identities":9`, `"picture":"https://x.example"`, `"":1`, `"__proto__":{}`,
	} {
		t.Run("S130 "+member, func(t *testing.T) {
			h.WantUnchanged(t, lin.User.ID, func() {
				h.call(t, as(lin), "PATCH", "/me", `{`+member+`}`).want(t, 400, "invalid_request")
				h.call(t, as(lin), "PATCH", "/me", `{"name":"x",`+member+`}`).want(t, 400, "invalid_request")
				h.call(t, as(ada), "PATCH", "/users/"+lin.User.ID, `{"name":"x",`+member+`}`).want(t, 400, "invalid_request")
				if !strings.HasPrefix(member, `"roles"`) {
					h.call(t, as(ada), "PUT", "/users/"+lin.User.ID+"/roles", `{"roles":["user"],`+member+`}`).want(t, 400, "invalid_request")
				}
			})
		})
	}
}

func TestBodies(t *testing.T) { onEngines(t, testBodies) }

func testBodies(t *testing.T, open engine) {
	h := open(t)
	lin := h.MustSignIn(t, userstest.Profile("lin"))
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for name, body := range map[string]string{
		"a member twice":                      `{"name":"a","name":"b"}`,
		"a member twice, once escaped":        `{"name":"a","n\u0061me":"b"}`,
		"a member in other case":              `{"Name":"a"}`,
		"a member in two cases":               `{"name":"a","NAME":"b"}`,
		"a member that folds to it":           "{\"na\u006de\":\"a\",\"nam\u0065\":\"b\"}",
		"a number beyond 2^53":                `{"name":9007199254740993}`,
		"a number beyond all":                 `{"name":1e999}`,
		"64 levels and one":                   `{"name":` + deep(64) + `}`,
		"thousands of levels":                 `{"name":` + strings.Repeat("[", 30000) + `}`,
		"lists as well":                       `{"name":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
		"more than 64 kB":                     `{"name":"` + strings.Repeat("a", 64<<10) + `"}`,
		"more than 64 kB of white space":      `{"name":"a"}` + strings.Repeat(" ", 64<<10),
		"NUL":                                 `{"name":"a\u0000b"}`,
		"NUL in a member":                     `{"name":"a","x\u0000":1}`,
		"NUL as it is":                        "{\"name\":\"a\x00b\"}",
		"a lone high surrogate":               `{"name":"\ud800"}`,
		"a lone low surrogate":                `{"name":"\udc00"}`,
		"a high one and no low one":           `{"name":"\ud800\u0061"}`,
		"two high ones":                       `{"name":"\ud800\ud800"}`,
		"a high one and a backslash":          `{"name":"\ud800\\dc00"}`,
		"bytes that are not UTF-8":            "{\"name\":\"\xff\"}",
		"a surrogate in UTF-8":                "{\"name\":\"\xed\xa0\x80\"}",
		"nothing":                             "",
		"null":                                `null`,
		"a list":                              `[{"name":"a"}]`,
		"a string":                            `"name"`,
		"two objects":                         `{"name":"a"}{"name":"b"}`,
		"an object and a word":                `{"name":"a"} x`,
		"a byte order mark":                   "\ufeff{\"name\":\"a\"}",
		"a comment":                           `{"name":"a"/**/}`,
		"a comma too many":                    `{"name":"a",}`,
		"no end":                              `{"name":"a"`,
		"the wrong type":                      `{"name":["a"]}`,
		"the wrong type, null":                `{"name":null}`,
		"a single quote":                      `{'name':'a'}`,
		"an object in place of a string":      `{"name":{"name":"a"}}`,
		"a member twice within":               `{"name":{"a":1,"A":2}}`,
		"NaN":                                 `{"name":NaN}`,
		"a leading zero":                      `{"name":01}`,
		"a form":                              `name=a`,
		"a member twice by a Kelvin sign":     "{\"k\":1,\"\u212a\":2}",
		"a control character":                 "{\"name\":\"a\nb\"}",
		"a hexadecimal escape that is broken": `{"name":"\u00g0"}`,
	} {
		t.Run("S134 "+name, func(t *testing.T) {
			h.WantUnchanged(t, lin.User.ID, func() {
				h.call(t, as(lin), "PATCH", "/me", body, "Content-Type", "application/json").want(t, 400, "invalid_request")
			})
		})
	}
	t.Run("a good one is read as it stands", func(t *testing.T) {
		for body, want := range map[string]string{
			`{"name":"Ada"}`:                       "Ada",
			" {\n\t\"name\" : \"\\ud83d\\ude00\"}": "😀",
			`{"n\u0061me":"\"\\u0000\""}`:          `"\u0000"`,
			`{"name":"😀"}`:                         "😀",
		} {
			a := h.call(t, as(lin), "PATCH", "/me", body).want(t, 200, "")
			if a.object(t)["name"] != want {
				t.Errorf("%s: %s", body, a.body)
			}
		}
		h.call(t, as(lin), "PATCH", "/me", `{"name":"Ada"}`, "Content-Type", "application/merge-patch+json; charset=utf-8").want(t, 200, "")
	})
	t.Run("a body of another type", func(t *testing.T) {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data", ";"} {
			h.WantUnchanged(t, lin.User.ID, func() {
				h.call(t, as(lin), "PATCH", "/me", `{"name":"x"}`, "Content-Type", kind).want(t, 415, "invalid_request")
			})
		}
	})
}

func TestIfMatch(t *testing.T) { onEngines(t, testIfMatch) }

func testIfMatch(t *testing.T, open engine) {
	h := open(t)
	lin := h.MustSignIn(t, userstest.Profile("lin"))
	t.Run("S132 what is not the version changes nothing", func(t *testing.T) {
		for _, tag := range []string{`"2"`, `"0"`, `"-1"`, `"01"`, `1`, `W/"1"`, `"1", "2"`, `"`, `""`, `"1`, `"x"`, `"9223372036854775808"`, "''"} {
			h.WantUnchanged(t, lin.User.ID, func() {
				h.call(t, as(lin), "PATCH", "/me", `{"name":"x"}`, "If-Match", tag).want(t, 412, "version_changed")
			})
		}
	})
	t.Run("S132 the last wins without one", func(t *testing.T) {
		for i := range 3 {
			h.call(t, as(lin), "PATCH", "/me", fmt.Sprintf(`{"name":"%d"}`, i)).want(t, 200, "")
		}
	})
}

func TestCursors(t *testing.T) { onEngines(t, testCursors) }

func testCursors(t *testing.T, open engine) {
	h := open(t)
	ada := h.MustSignIn(t, userstest.Profile("ada"))
	for _, name := range []string{"lin", "sam", "kim"} {
		h.Clock.Pass(time.Second)
		h.MustSignIn(t, userstest.Profile(name))
	}
	next := func(path string) string {
		return h.call(t, as(ada), "GET", path, "").want(t, 200, "").object(t)["next"].(string)
	}
	t.Run("in pages, each one query", func(t *testing.T) {
		var got []any
		for cursor := ""; ; {
			var a answer
			if n := h.Table.During(func() { a = h.call(t, as(ada), "GET", "/users?limit=3&cursor="+cursor, "") }); n != 1 {
				t.Errorf("%d calls of the table", n)
			}
			got = append(got, a.items(t, "name")...)
			if cursor, _ = a.object(t)["next"].(string); cursor == "" {
				break
			}
		}
		if fmt.Sprint(got) != "[kim sam lin ada]" {
			t.Error(got)
		}
	})
	t.Run("S131 with any byte changed", func(t *testing.T) {
		for _, path := range []string{"/users?limit=1", "/users?limit=1&q=a", "/audit?limit=1", "/audit?limit=1&user=" + ada.User.ID} {
			cursor := h.call(t, as(ada), "GET", path, "").want(t, 200, "").object(t)["next"]
			if cursor == nil {
				continue
			}
			for i := range cursor.(string) {
				b := []byte(cursor.(string))
				b[i] ^= 2
				h.call(t, as(ada), "GET", path+"&cursor="+string(b), "").want(t, 400, "")
			}
		}
	})
	t.Run("S131 of another list", func(t *testing.T) {
		users, audit := next("/users?limit=1"), next("/audit?limit=1")
		mine := next("/audit?limit=1&user=" + ada.User.ID)
		for _, path := range []string{
			"/users?cursor=" + audit, "/users?cursor=" + mine, "/users?q=a&cursor=" + users, "/audit?cursor=" + users, "/audit?cursor=" + mine,
			"/audit?user=u_other&cursor=" + mine, "/audit?actor=" + ada.User.ID + "&cursor=" + mine,
		} {
			h.call(t, as(ada), "GET", path, "").want(t, 400, "bad_cursor")
		}
	})
	t.Run("S131 made up", func(t *testing.T) {
		for _, cursor := range []string{"'%20OR%201=1", "%00", "attribute_exists(pk)", "e30", "bnVsbA", strings.Repeat("a", 5000)} {
			h.call(t, as(ada), "GET", "/users?cursor="+cursor, "").want(t, 400, "bad_cursor")
		}
	})
}

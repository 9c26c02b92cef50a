package loginsvc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// adminRequests are all that one can ask of the pages of admins.
func (o *office) adminRequests() (gets []string, posts map[string]url.Values) {
	lin := "/admin/users/" + o.linID
	gets = []string{"/admin", "/admin/users", "/admin/users?q=u_", lin, "/admin/users/u_nobody", "/admin/audit", "/admin/audit?user=" + o.linID, "/admin/keys"}
	posts = map[string]url.Values{
		"/admin/users": {"q": {"lin@"}}, "/admin/audit": {"user": {"lin@example.com"}},
		lin + "?1": roles(o.userNow(o.linID).Version, "admin"), lin + "?2": {"do": {"suspend"}}, lin + "?3": {"do": {"activate"}},
		lin + "?4": {"do": {"end_sessions"}}, lin + "?5": {"do": {"delete"}, "confirm": {o.linID}},
		lin + "?6": {"do": {"delete"}, "confirm": {"x"}}, lin + "?7": roles(1 << 40), // which show the page again
	}
	return gets, posts
}

func TestAdminAttacks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	// untouched does attack and asserts that nothing has changed of Lin.
	untouched := func(t *testing.T, attack func()) {
		t.Helper()
		before, sessions := o.trail(o.linID), o.lin.live()
		attack()
		if got := o.trail(o.linID); len(got) != len(before) || o.lin.live() != sessions {
			t.Errorf("something was done: %q", got[0])
		}
	}
	// everything asks for all of it.
	everything := func(t *testing.T, b *browser, check func(t *testing.T, what string, a answer)) {
		t.Helper()
		untouched(t, func() {
			gets, posts := o.adminRequests()
			for _, target := range gets {
				check(t, "GET "+target, b.get(target))
			}
			for target, form := range posts {
				check(t, "POST "+target, b.post(target, form))
			}
		})
	}
	toLogin := func(t *testing.T, what string, a answer) {
		t.Helper()
		if to := a.location(); to == nil || to.Path != "/login" || strings.Contains(a.body, "lin") || strings.Contains(to.RawQuery, "%40") {
			t.Errorf("%s: %d %v", what, a.StatusCode, to)
		}
	}
	forbidden := func(t *testing.T, what string, a answer) {
		t.Helper()
		if a.StatusCode != http.StatusForbidden || strings.Contains(a.body, "lin@example.com") || strings.Contains(a.body, o.linID) {
			t.Errorf("%s: %d %s", what, a.StatusCode, a.body)
		}
	}
	kim := o.browser()
	kim.code("sam")
	kimID := o.find("sam@example.com").ID

	t.Run("a stranger", func(t *testing.T) { everything(t, o.browser(), toLogin) })
	t.Run("a program with a token of an admin", func(t *testing.T) {
		token := o.tokens(o.ada.code("ada"))["access_token"]
		p := o.program()
		p.header.Set("Authorization", "Bearer "+fmt.Sprint(token))
		everything(t, p, toLogin)
	})
	t.Run("S129 a user without the role", func(t *testing.T) { everything(t, kim, forbidden) })
	t.Run("a user without the role can sign in as somebody else", func(t *testing.T) {
		kim.get("/admin").page(t, http.StatusForbidden, `/login?return_to=%2Fadmin"`)
	})
	t.Run("a user with a role of another name", func(t *testing.T) {
		o.config.Users.Roles = []string{"admin", "user", "Admin", "administrator"}
		defer func() { o.config.Users.Roles = nil }()
		o.give(kimID, "Admin", "administrator")
		everything(t, kim, forbidden)
	})
	t.Run("an admin who is suspended, with the cookie of before", func(t *testing.T) {
		o.give(kimID, "admin")
		kim.get("/admin/users").page(t, http.StatusOK, "lin@example.com")
		if _, err := o.config.Users.Suspend(t.Context(), usersvc.By{Operator: "test"}, kimID); err != nil {
			t.Fatal(err)
		}
		everything(t, kim, toLogin)
		if _, err := o.config.Users.Activate(t.Context(), usersvc.By{Operator: "test"}, kimID); err != nil {
			t.Fatal(err)
		}
		everything(t, kim, toLogin)
	})
	t.Run("an admin who is demoted", func(t *testing.T) {
		kim.code("sam")
		kim.get("/admin/users").page(t, http.StatusOK, "lin@example.com")
		o.give(kimID, "user")
		everything(t, kim, forbidden)
	})
	t.Run("S129 an admin who is demoted while the request is under way", func(t *testing.T) {
		_, posts := o.adminRequests()
		for target, form := range posts {
			if form.Get("do") == "" || form.Get("do") == "activate" || strings.HasSuffix(target, "?6") || strings.HasSuffix(target, "?7") { // which write nothing here
				continue
			}
			o.give(kimID, "admin")
			untouched(t, func() {
				o.table.failWrite = func([]table.Write) error {
					o.table.failWrite = nil
					o.give(kimID, "user")
					return nil
				}
				forbidden(t, target, kim.post(target, form))
			})
		}
	})
	t.Run("S82 forms of another site", func(t *testing.T) {
		untouched(t, func() {
			_, posts := o.adminRequests()
			for target, form := range posts {
				for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.test"}, {"Origin", "null"}} {
					forbidden(t, target, o.ada.post(target, form, header...))
				}
			}
		})
	})
	t.Run("forms of another kind", func(t *testing.T) {
		untouched(t, func() {
			for _, contentType := range []string{"text/plain", "application/json", "multipart/form-data; boundary=x", ""} {
				r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/admin/users/"+o.linID, strings.NewReader("do=suspend"))
				r.Header = http.Header{"Accept": {"text/html"}, "Content-Type": {contentType}}
				o.ada.send(r).page(t, http.StatusBadRequest, "")
			}
		})
	})
	t.Run("a GET changes nothing", func(t *testing.T) {
		untouched(t, func() {
			_, posts := o.adminRequests()
			for target, form := range posts {
				path, _, _ := strings.Cut(target, "?")
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					o.ada.do(method, path+"?"+form.Encode(), nil)
				}
			}
			for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
				if a := o.ada.do(method, "/admin/users/"+o.linID, url.Values{"do": {"suspend"}}); a.StatusCode != http.StatusMethodNotAllowed {
					t.Error(method, a.StatusCode)
				}
			}
		})
	})
	t.Run("no address, and nothing else of a query, is in the log", func(t *testing.T) {
		o.ada.post("/admin/users", url.Values{"q": {"lin@example.com"}}).page(t, http.StatusOK, o.linID)
		o.ada.get("/admin/users?q=lin%40example.com").page(t, http.StatusBadRequest, "")
		o.ada.get("/admin/audit?user=lin%40example.com").page(t, http.StatusBadRequest, "")
		for _, bad := range []string{"example.com", "%40", "q=", "u_&"} {
			if strings.Contains(o.log.String(), bad) {
				t.Errorf("the log says %q", bad)
			}
		}
	})
	t.Run("a table that is out of reach", func(t *testing.T) {
		o.table.failRead = errDown
		defer func() { o.table.failRead = nil }()
		o.ada.get("/admin/users").page(t, http.StatusServiceUnavailable, "")
	})
}

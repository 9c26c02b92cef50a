package loginsvc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// office is a world in which Ada, who is an admin, and Lin have signed in.
type office struct {
	*world
	ada, lin     *browser
	adaID, linID string
}

func newOffice(t *testing.T, change ...func(*loginsvc.Config)) *office {
	t.Helper()
	o := &office{world: newWorld(t, change...)}
	o.ada, o.lin = o.browser(), o.browser()
	o.ada.code("ada")
	o.clock.Pass(time.Millisecond) // lists are in the order of sign-ins
	o.lin.code("lin")
	o.adaID, o.linID = o.find("ada@example.com").ID, o.find("lin@example.com").ID
	return o
}

// find returns the user with an address.
func (w *world) find(address string) usersvc.User {
	w.t.Helper()
	page, err := w.config.Users.List(w.t.Context(), usersvc.Filter{Search: address})
	if err != nil || len(page.Items) != 1 {
		w.t.Fatalf("%s: %v, %v", address, page.Items, err)
	}
	return page.Items[0]
}

func (w *world) userNow(id string) usersvc.User {
	w.t.Helper()
	user, err := w.config.Users.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return user
}

// trail returns what was done to a user, the newest first, by whom and from where.
func (w *world) trail(id string) []string {
	w.t.Helper()
	page, err := w.config.Users.Audit(w.t.Context(), usersvc.AuditFilter{UserID: id, Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, e := range page.Items {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s by %s from %s %s", e.Action, e.Actor, e.SourceIP, e.Detail)))
	}
	return lines
}

// done asserts that the newest thing done to a user is this. What is done within
// the same millisecond is in no particular order.
func (w *world) done(id, want string) {
	w.t.Helper()
	page, err := w.config.Users.Audit(w.t.Context(), usersvc.AuditFilter{UserID: id, Limit: 10})
	if err != nil || len(page.Items) == 0 {
		w.t.Fatal(page.Items, err)
	}
	for i, got := range w.trail(id)[:len(page.Items)] {
		if got == want && page.Items[i].At.Equal(page.Items[0].At) {
			return
		}
	}
	w.t.Errorf("the audit trail says %q, want %q first", w.trail(id), want)
}

// give gives roles as an operator does.
func (w *world) give(id string, roles ...string) {
	w.t.Helper()
	if _, err := w.config.Users.SetRoles(w.t.Context(), usersvc.By{Operator: "test"}, id, roles, 0); err != nil {
		w.t.Fatal(err)
	}
}

func roles(version int64, roles ...string) url.Values {
	return url.Values{"do": {"roles"}, "version": {strconv.FormatInt(version, 10)}, "role": roles}
}

func TestAdminUser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lin := "/admin/users/" + o.linID
	by := " by " + o.adaID + " from 192.0.2.7"

	t.Run("the page", func(t *testing.T) {
		a := o.ada.get(lin)
		a.page(t, http.StatusOK, "lin@example.com")
		for _, want := range []string{o.linID, "First sign-in", "Demo", `name="version" value="` + strconv.FormatInt(o.userNow(o.linID).Version, 10) + `"`, "Suspend"} {
			if !strings.Contains(a.body, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		if a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Error(a.Header)
		}
	})
	t.Run("roles", func(t *testing.T) {
		before := o.userNow(o.linID)
		o.ada.post(lin, roles(before.Version, "user", "admin")).page(t, http.StatusOK, "The roles are saved.")
		if got := o.userNow(o.linID); !got.HasRole("admin") || !got.HasRole("user") {
			t.Error(got.Roles)
		}
		o.done(o.linID, "roles.changed"+by+" +admin")
		a := o.ada.post(lin, roles(before.Version))
		a.page(t, http.StatusConflict, "Somebody else changed this user meanwhile")
		if got := o.userNow(o.linID); !got.HasRole("admin") || !strings.Contains(a.body, `value="admin" checked`) {
			t.Error("the change of somebody else is overwritten, or not shown", got.Roles)
		}
		o.ada.post(lin, roles(o.userNow(o.linID).Version, "user")).page(t, http.StatusOK, "The roles are saved.")
		o.done(o.linID, "roles.changed"+by+" -admin")
	})
	t.Run("suspending ends what the user has, and letting in again does not give it back", func(t *testing.T) {
		tokens := o.tokens(o.lin.code("lin"))
		o.ada.post(lin, url.Values{"do": {"suspend"}}).page(t, http.StatusOK, "The user is suspended and signed out.")
		o.done(o.linID, "user.suspended"+by)
		if o.lin.live() {
			t.Error("the session lives")
		}
		if a := o.program().get("/userinfo", "Authorization", "Bearer "+fmt.Sprint(tokens["access_token"])); a.StatusCode != http.StatusUnauthorized {
			t.Error("the access token lives", a.StatusCode)
		}
		o.ada.post(lin, url.Values{"do": {"activate"}}).page(t, http.StatusOK, "The user can sign in again.")
		o.done(o.linID, "user.activated"+by)
		if o.lin.live() {
			t.Error("the session came back")
		}
		o.lin.code("lin")
	})
	t.Run("ending all sessions", func(t *testing.T) {
		o.ada.post(lin, url.Values{"do": {"end_sessions"}}).page(t, http.StatusOK, "All sessions have ended.")
		o.done(o.linID, "sessions.ended"+by)
		if o.lin.live() {
			t.Error("the session lives")
		}
	})
	t.Run("forms that make no sense do nothing", func(t *testing.T) {
		before := o.trail(o.linID)
		version := strconv.FormatInt(o.userNow(o.linID).Version, 10)
		for _, form := range []url.Values{
			{}, {"do": {""}}, {"do": {"everything"}}, {"do": {"suspend", "activate"}}, {"do": {"roles"}}, {"do": {"roles"}, "version": {"0"}},
			{"do": {"roles"}, "version": {"-1"}}, {"do": {"roles"}, "version": {"x"}}, {"do": {"roles"}, "version": {version, version}},
			{"do": {"roles"}, "version": {version}, "role": {"root"}}, {"do": {"roles"}, "version": {version}, "role": {"admin", ""}},
			{"do": {"roles"}, "version": {"99999999999999999999"}},
		} {
			o.ada.post(lin, form).page(t, http.StatusBadRequest, "")
		}
		o.ada.post(lin+"?do=suspend", url.Values{}).page(t, http.StatusBadRequest, "") // a URL is no form
		if got := o.trail(o.linID); len(got) != len(before) {
			t.Error(got[0])
		}
	})
	t.Run("there is no such user", func(t *testing.T) {
		for _, id := range []string{"u_nobody", "x", "%00", "..%2faudit", "u_" + strings.Repeat("a", 5000), "%ff"} {
			o.ada.get("/admin/users/"+id).page(t, http.StatusNotFound, "")
			for _, do := range []string{"suspend", "activate", "end_sessions"} {
				o.ada.post("/admin/users/"+id, url.Values{"do": {do}}).page(t, http.StatusNotFound, "")
			}
		}
	})
	t.Run("deleting wants the id, typed", func(t *testing.T) {
		for _, typed := range []string{"", "lin@example.com", o.adaID, strings.ToUpper(o.linID)} {
			o.ada.post(lin, url.Values{"do": {"delete"}, "confirm": {typed}}).page(t, http.StatusConflict, "nothing was deleted")
		}
		o.userNow(o.linID)
		a := o.ada.post(lin, url.Values{"do": {"delete"}, "confirm": {" " + o.linID + " "}})
		if to := a.location(); to == nil || to.Path != "/admin/users" {
			t.Error(a.StatusCode, a.body)
		}
		o.done(o.linID, "user.deleted"+by)
		o.ada.get(lin).page(t, http.StatusNotFound, "")
	})
}

// TestAdminDeletesOneself asks for what the account page asks for, too.
func TestAdminDeletesOneself(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.clock.Pass(10*time.Minute + time.Second)
	o.ada.post("/admin/users/"+o.adaID, url.Values{"do": {"delete"}, "confirm": {o.adaID}}).
		redirects(t, issuer+"/login?fresh=yes&return_to=%2Fadmin%2Fusers%2F"+o.adaID)
	o.userNow(o.adaID)
	o.ada.post("/admin/users/"+o.linID, url.Values{"do": {"delete"}, "confirm": {o.linID}})
	o.done(o.linID, "user.deleted by "+o.adaID+" from 192.0.2.7")
}

// TestAdminDeletesTwice interrupts a deletion after its transaction, which leaves
// rows to erase.
func TestAdminDeletesTwice(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	form := url.Values{"do": {"delete"}, "confirm": {o.linID}}
	rows := func() (n int) {
		page, err := o.table.Query(t.Context(), table.Query{PK: "user#" + o.linID, Prefix: "session#", Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Items)
	}
	writes := 0
	o.table.failWrite = func([]table.Write) error {
		if writes++; writes > 1 {
			return errDown
		}
		return nil
	}
	o.ada.post("/admin/users/"+o.linID, form).page(t, http.StatusServiceUnavailable, "")
	o.table.failWrite = nil
	if o.lin.live() || rows() == 0 {
		t.Fatal("the deletion was not interrupted where it should be")
	}
	o.ada.post("/admin/users/"+o.linID, form).page(t, http.StatusNotFound, "") // the user is gone already
	if n := rows(); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// TestAdminUnderPath has an issuer with a path.
func TestAdminUnderPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *loginsvc.Config) { c.Issuer += "/auth" })
	w.config.Providers[0] = w.provider("demo", issuer+"/auth")
	b := w.browser()
	a := b.get("/auth/admin/users")
	if to := a.location(); to == nil || to.Path != "/auth/login" || to.Query().Get("return_to") != "/auth/admin/users" {
		t.Fatal(a.location())
	}
	a = b.get("/auth/login?idp_hint=demo&return_to=%2Fauth%2Fadmin%2Fusers")
	a = b.follow("ada", a)
	a.page(t, http.StatusOK, `action="/auth/admin/users"`)
	for _, want := range []string{`href="/auth/admin/users/u_`, `href="/auth/admin/audit"`, `href="/auth/admin/keys"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
	for target, form := range map[string]url.Values{"/auth/admin/users": {"role": {"admin"}}, "/auth/admin/audit": {"user": {"ada@example.com"}}} {
		if to := b.post(target, form).location(); to == nil || to.Path != target || len(to.RawQuery) == 0 {
			t.Error(to)
		}
	}
}

// TestAdminThemselves is about admins who act on themselves.
func TestAdminThemselves(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ada := "/admin/users/" + o.adaID

	t.Run("the last one stays", func(t *testing.T) {
		before := o.trail(o.adaID)
		o.ada.get(ada).page(t, http.StatusOK, "the last administrator keeps it")
		o.ada.post(ada, roles(o.userNow(o.adaID).Version, "user")).page(t, http.StatusConflict, "the last administrator")
		o.ada.post(ada, url.Values{"do": {"delete"}, "confirm": {o.adaID}}).page(t, http.StatusConflict, "the last administrator")
		if got := o.trail(o.adaID); len(got) != len(before) || !o.userNow(o.adaID).HasRole("admin") {
			t.Error(got)
		}
	})
	o.give(o.linID, "admin")
	t.Run("nobody suspends or activates themselves", func(t *testing.T) {
		a := o.ada.get(ada)
		a.page(t, http.StatusOK, "This is you.")
		if strings.Contains(a.body, `value="suspend"`) || strings.Contains(a.body, "keeps it") {
			t.Error("the page offers what cannot be, or keeps what need not be kept")
		}
		for _, do := range []string{"suspend", "activate"} {
			o.ada.post(ada, url.Values{"do": {do}}).page(t, http.StatusConflict, "Nobody can do this to themselves")
		}
	})
	t.Run("who ends their own sessions signs in again", func(t *testing.T) {
		a := o.ada.post(ada, url.Values{"do": {"end_sessions"}})
		to := a.location()
		if to == nil || to.Path != ada || o.ada.live() {
			t.Fatal(a.StatusCode, to)
		}
		if to := o.ada.get(to.String()).location(); to == nil || to.Path != "/login" || to.Query().Get("return_to") != ada {
			t.Error(to)
		}
		o.ada.code("ada")
	})
	t.Run("who gives up the role sees no more", func(t *testing.T) {
		a := o.ada.post(ada, roles(o.userNow(o.adaID).Version, "user"))
		if to := a.location(); to == nil || strings.Contains(a.body, "lin@") {
			t.Error(a.StatusCode, a.body)
		}
		o.ada.get(ada).page(t, http.StatusForbidden, "")
	})
	t.Run("who deletes themselves is gone", func(t *testing.T) {
		o.give(o.adaID, "admin")
		o.ada.code("ada")
		o.ada.post(ada, url.Values{"do": {"delete"}, "confirm": {o.adaID}}).page(t, http.StatusOK, "Your account is deleted")
		if o.ada.live() {
			t.Error("the session lives")
		}
		for _, c := range o.ada.jar.Cookies(&url.URL{Scheme: "https", Host: "login.test", Path: "/"}) {
			if strings.Contains(c.Name, "session") {
				t.Error("the cookie stays")
			}
		}
	})
}

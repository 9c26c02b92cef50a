package loginsvc_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// guest is somebody at a browser that is signed in.
type guest struct {
	*browser
	user    usersvc.User
	session usersvc.Session
}

// guest signs somebody in with a browser of their own.
func (w *world) guest(name string) guest {
	w.t.Helper()
	g := guest{browser: w.browser()}
	g.code(name)
	var err error
	if g.session, g.user, err = w.config.Users.Session(w.t.Context(), g.cookie()); err != nil {
		w.t.Fatal(err)
	}
	return g
}

// cookie is the session cookie of the browser, or "".
func (b *browser) cookie() string {
	u, _ := url.Parse(issuer)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == "__Host-gatehouse_session" {
			return c.Value
		}
	}
	return ""
}

// now returns the user as the table has them, with what they sign in with.
func (g guest) now() (usersvc.User, []usersvc.Identity) {
	g.w.t.Helper()
	user, err := g.w.config.Users.Get(g.w.t.Context(), g.user.ID)
	if err != nil {
		g.w.t.Fatal(err)
	}
	identities, err := g.w.config.Users.Identities(g.w.t.Context(), g.user.ID)
	if err != nil {
		g.w.t.Fatal(err)
	}
	return user, identities
}

// latest is the newest entry of the audit trail.
func (g guest) latest() usersvc.Entry {
	g.w.t.Helper()
	page, err := g.w.config.Users.Audit(g.w.t.Context(), usersvc.AuditFilter{UserID: g.user.ID, Limit: 1})
	if err != nil || len(page.Items) != 1 {
		g.w.t.Fatal(page, err)
	}
	return page.Items[0]
}

// act posts a form of the account page, some time after what was done before.
func (b *browser) act(do string, fields ...string) answer {
	b.w.t.Helper()
	b.w.clock.Pass(time.Millisecond) // the audit trail sorts by it
	v := url.Values{"do": {do}}
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return b.post("/account", v)
}

// told follows the way back to the account page and asserts what it says.
func (b *browser) told(a answer, notice, says string) {
	b.w.t.Helper()
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != issuer+"/account?notice="+notice {
		b.w.t.Errorf("%d, sent to %q, want the account page with %s: %s", a.StatusCode, got, notice, a.body)
		return
	}
	for range 2 { // reloading says the same and does nothing
		b.get(a.Header.Get("Location")).page(b.w.t, http.StatusOK, says)
	}
}

// toLogin asserts that the person has to sign in, and comes back to the page.
func (a answer) toLogin(t *testing.T, back string) {
	t.Helper()
	want := issuer + "/login?" + url.Values{"return_to": {back}}.Encode()
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != want || a.body != "" {
		t.Errorf("%d, sent to %q, want %q: %s", a.StatusCode, got, want, a.body)
	}
}

func TestAccountIsOnesOwn(t *testing.T) {
	t.Parallel()
	forms := []string{"rename", "end_session", "end_others", "link", "unlink", "withdraw", "delete", ""}
	t.Run("without a session one signs in first", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b := w.browser()
		b.get("/account").toLogin(t, "/account")
		b.get("/account?notice=renamed").toLogin(t, "/account")
		b.get("/account/export").toLogin(t, "/account/export")
		for _, do := range forms {
			b.act(do).toLogin(t, "/account")
		}
		for _, odd := range []string{"/admin/users/a%5Cb", "/admin/users/%0d%0a"} {
			b.get(odd).redirects(t, issuer+"/login") // and not back there
		}
		if w.users() != 0 || w.hit("127.0.0.1:8788/authorize") != 0 {
			t.Error("something was done")
		}
		page := b.follow("lin", b.get("/account"))
		a := b.follow("lin", b.get(option(t, page.body, "demo")))
		a.page(t, http.StatusOK, "Your account")
	})
	for name, stop := range map[string]func(g guest) error{
		"a session that has ended stops at once": func(g guest) error {
			return g.w.config.Users.EndSession(g.w.t.Context(), g.user.ID, g.session.ID)
		},
		"a user who is suspended stops at once": func(g guest) error {
			_, err := g.w.config.Users.Suspend(g.w.t.Context(), usersvc.By{Operator: "test"}, g.user.ID)
			return err
		},
		"a user who is deleted stops at once": func(g guest) error {
			return g.w.config.Users.Delete(g.w.t.Context(), usersvc.By{Operator: "test"}, g.user.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lin := w.guest("lin")
			lin.get("/account").page(t, http.StatusOK, "Your account")
			if err := stop(lin); err != nil {
				t.Fatal(err)
			}
			lin.get("/account").toLogin(t, "/account")
			lin.get("/account/export").toLogin(t, "/account/export")
			for _, do := range forms {
				lin.act(do, "name", "x", "session", lin.session.ID, "confirm", "lin@example.com", "provider", "demo").toLogin(t, "/account")
			}
		})
	}
	t.Run("a form of another site does nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		before := lin.latest()
		for _, do := range forms {
			v := url.Values{"do": {do}, "name": {"x"}, "session": {lin.session.ID}, "confirm": {"lin@example.com"}, "provider": {"demo"}}
			for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.test"}} {
				lin.post("/account", v, header...).page(t, http.StatusForbidden, "another site")
			}
		}
		if lin.latest() != before || w.hit("127.0.0.1:8788/authorize") != 1 {
			t.Error("something was done:", lin.latest())
		}
	})
	t.Run("whatever a link says", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		before := lin.latest()
		for _, do := range forms {
			lin.get("/account?"+url.Values{"do": {do}, "name": {"x"}, "session": {lin.session.ID}, "confirm": {"lin@example.com"}, "provider": {"demo"}}.Encode()).
				page(t, http.StatusOK, "Your account")
		}
		a := lin.post("/account?do=rename&name=x", url.Values{})
		a.page(t, http.StatusBadRequest, "")
		if lin.latest() != before {
			t.Error("something was done:", lin.latest())
		}
	})
	t.Run("the table fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		w.table.failRead = errDown
		for _, a := range []answer{lin.get("/account"), lin.get("/account/export"), lin.act("rename", "name", "x")} {
			a.page(t, http.StatusServiceUnavailable, "")
			if a.Header.Get("Retry-After") == "" {
				t.Error("it does not say when to try again")
			}
		}
	})
}

func TestAccountPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := w.guest("lin")
	lin := w.guest("lin")
	ada := w.guest("ada")
	if to := lin.answerConsent(lin.authorizeAs("lin", extAuthorize()), "allow").location(); to == nil {
		t.Fatal("no consent")
	}
	a := lin.get("/account")
	a.page(t, http.StatusOK, "Your account")
	for _, want := range []string{
		"Lin", "lin@example.com", lin.user.ID, lin.session.ID, phone.session.ID, "This browser", "Elsewhere", "The only way in", "Add Demo",
		`action="/account"`, `href="/account/export"`, "Type lin@example.com to confirm",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if there := phone.get("/account").body; strings.Index(a.body, lin.session.ID) > strings.Index(a.body, phone.session.ID) ||
		strings.Index(there, phone.session.ID) > strings.Index(there, lin.session.ID) {
		t.Error("this browser is not the first in the list")
	}
	for _, not := range []string{ada.user.ID, ada.session.ID, "ada@example.com", "/admin/users", "role=\"status\""} {
		if strings.Contains(a.body, not) {
			t.Errorf("%q stands in Lin's page", not)
		}
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self';") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q, %q", csp, a.Header.Get("Cache-Control"))
	}
	lin.get("/logout").page(t, http.StatusOK, `href="/account"`) // who does not want to leave after all
	if a.Header.Get("Set-Cookie") != "" {
		t.Error("looking at a page sets a cookie")
	}
	ada.get("/account").page(t, http.StatusOK, "/admin/users")

	t.Run("a notice is one of ours", func(t *testing.T) {
		lin.get("/account?notice=renamed").page(t, http.StatusOK, "Your name is changed.")
		for _, other := range []string{"", "unknown", "Renamed", "%3Cb%3E"} {
			if a := lin.get("/account?notice=" + other); a.StatusCode != http.StatusOK || strings.Contains(a.body, `class="notice`) {
				t.Errorf("%s: %d", other, a.StatusCode)
			}
		}
	})
	t.Run("an app that is not registered any more", func(t *testing.T) {
		w.config.Clients = nobodyKnown
		w.rebuild()
		lin.get("/account").page(t, http.StatusOK, `value="ext"`)
		w.config.Clients = func(context.Context, string) (c client.Client, err error) { return c, errDown }
		w.rebuild()
		lin.get("/account").page(t, http.StatusServiceUnavailable, "")
	})
	t.Run("a provider that is not configured any more", func(t *testing.T) {
		w.config.Providers = nil
		w.rebuild()
		w.config.Clients = defaultClients.Lookup
		w.rebuild()
		lin.get("/account").page(t, http.StatusOK, "127.0.0.1:8788")
	})
}

func TestAccountForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lin, ada := w.guest("lin"), w.guest("ada")
	by := func(t *testing.T, action usersvc.Action) {
		t.Helper()
		e := lin.latest()
		if e.Action != action || e.Actor != lin.user.ID || e.SourceIP != "192.0.2.7" || e.Agent != "test" {
			t.Errorf("the audit trail says %+v, want %s", e, action)
		}
	}
	t.Run("rename", func(t *testing.T) {
		lin.told(lin.act("rename", "name", "Lin <b>M</b>"), "renamed", "Lin &lt;b&gt;M&lt;/b&gt;")
		by(t, usersvc.ProfileChanged)
	})
	t.Run("end another session", func(t *testing.T) {
		phone := w.guest("lin")
		lin.told(lin.act("end_session", "session", phone.session.ID), "session_ended", "That browser is signed out.")
		by(t, usersvc.SessionEnded)
		lin.told(lin.act("end_session", "session", phone.session.ID), "session_ended", "")
		if phone.live() || !lin.live() {
			t.Error("the wrong one has ended")
		}
	})
	t.Run("S129 not another's session", func(t *testing.T) {
		for _, sid := range []string{ada.session.ID, "", "session#x", ada.user.ID} {
			lin.told(lin.act("end_session", "session", sid), "session_ended", "")
		}
		if !ada.live() || !lin.live() {
			t.Error("it has ended")
		}
	})
	t.Run("end all others", func(t *testing.T) {
		phone, tablet := w.guest("lin"), w.guest("lin")
		lin.told(lin.act("end_others"), "others_ended", "signed out everywhere else")
		by(t, usersvc.SessionsEnded)
		if phone.live() || tablet.live() || !lin.live() || !ada.live() {
			t.Error("the wrong ones have ended")
		}
	})
	t.Run("end this session", func(t *testing.T) {
		here := w.guest("lin")
		cookie := here.cookie()
		a := here.act("end_session", "session", here.session.ID)
		a.page(t, http.StatusOK, "You are signed out")
		if _, _, err := w.config.Users.Session(t.Context(), cookie); !errors.Is(err, usersvc.ErrNoSession) || here.cookie() != "" {
			t.Error("the session lives, or its cookie", err)
		}
		by(t, usersvc.SessionEnded)
	})
	t.Run("withdraw a consent", func(t *testing.T) {
		lin.answerConsent(lin.authorizeAs("lin", extAuthorize()), "allow")
		lin.get("/account").page(t, http.StatusOK, "Elsewhere")
		lin.told(lin.act("withdraw", "client", "ext"), "withdrawn", "no longer has your permission")
		by(t, usersvc.ConsentWithdrawn)
		for _, id := range []string{"ext", "", "unknown", strings.Repeat("x", 2000)} {
			lin.told(lin.act("withdraw", "client", id), "withdrawn", "")
		}
		lin.authorizeAs("lin", extAuthorize()).page(t, http.StatusOK, "Elsewhere") // it asks again
	})
	t.Run("the last way to sign in stays", func(t *testing.T) {
		_, linked := lin.now()
		lin.told(lin.act("unlink", "identity", linked[0].ID), "last_identity", "your only way to sign in")
		if _, after := lin.now(); len(after) != 1 {
			t.Error(after)
		}
	})
	t.Run("no such form", func(t *testing.T) {
		before := lin.latest()
		for _, v := range []url.Values{{}, {"do": {"suspend"}}, {"do": {"rename", "rename"}}, {"do": {"rename"}, "name": {"x", "y"}}} {
			lin.post("/account", v).page(t, http.StatusBadRequest, "")
		}
		if lin.latest() != before {
			t.Error(lin.latest())
		}
	})
}

// TestUnlink removes a way to sign in. Whoever came in that way is out.
func TestUnlinkOnAccountPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lin := w.guest("lin")
	lin.link("ada")
	other := w.guest("ada")
	if other.user.ID != lin.user.ID {
		t.Fatal("not linked")
	}
	refresh := func(g guest) string {
		text, _ := w.tokens(g.code("nobody", "scope", "openid offline_access"))["refresh_token"].(string)
		return text
	}
	mine, theirs := refresh(lin), refresh(other)
	_, linked := lin.now()
	i := slices.IndexFunc(linked, func(i usersvc.Identity) bool { return i.Subject == "demo-ada" })
	lin.told(lin.act("unlink", "identity", linked[i].ID), "unlinked", "no longer sign in that way")
	if e := lin.latest(); e.Action != usersvc.IdentityUnlinked || e.Actor != lin.user.ID || e.SourceIP != "192.0.2.7" {
		t.Errorf("%+v", e)
	}
	if !lin.live() || other.live() {
		t.Error("the wrong session has ended")
	}
	for token, want := range map[string]int{mine: http.StatusOK, theirs: http.StatusBadRequest} {
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {token}}
		if a := w.program().post("/token", form); a.StatusCode != want {
			t.Errorf("renewing: %d %s, want %d", a.StatusCode, a.body, want)
		}
	}
	lin.told(lin.act("unlink", "identity", linked[i].ID), "unlinked", "") // twice
	if ada := w.guest("ada"); ada.user.ID == lin.user.ID {
		t.Error("the identity still leads to Lin")
	}
	t.Run("the one that this browser came in with", func(t *testing.T) {
		lin.link("sam")
		sam := w.guest("sam")
		_, linked := lin.now()
		i := slices.IndexFunc(linked, func(i usersvc.Identity) bool { return i.Subject == "demo-lin" })
		a := lin.act("unlink", "identity", linked[i].ID)
		lin.get(a.location().String()).toLogin(t, "/account")
		if !sam.live() {
			t.Error("the other has ended, too")
		}
	})
}

func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	t.Run("only with the right word", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin := w.guest("lin")
		for _, typed := range []string{"", "x", "lin", "LIN@example.com", "ada@example.com", lin.user.ID} {
			lin.told(lin.act("delete", "confirm", typed), "not_confirmed", "nothing was deleted")
		}
		if !lin.live() {
			t.Error("deleted")
		}
	})
	t.Run("S133 the person is forgotten", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		lin, phone := w.guest("lin"), w.guest("lin")
		a := lin.act("delete", "confirm", " lin@example.com ")
		a.page(t, http.StatusOK, "Your account is deleted")
		if lin.cookie() != "" || phone.live() {
			t.Error("somebody is still signed in")
		}
		if _, err := w.config.Users.Get(t.Context(), lin.user.ID); !errors.Is(err, usersvc.ErrNotFound) {
			t.Error(err)
		}
		if e := lin.latest(); e.Action != usersvc.UserDeleted || e.Actor != lin.user.ID || e.SourceIP != "" {
			t.Errorf("%+v", e)
		}
		lin.get("/account").toLogin(t, "/account")
		if again := w.guest("lin"); again.user.ID == lin.user.ID {
			t.Error("the same user is back")
		}
	})
	t.Run("the only administrator stays", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ada := w.guest("ada")
		ada.told(ada.act("delete", "confirm", "ada@example.com"), "last_admin", "only administrator")
		if !ada.live() {
			t.Error("deleted")
		}
	})
	t.Run("a user without an address types their id", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		none := func(c map[string]any) { delete(c, "email") }
		w.demo.Behave(demoidp.Behaviour{Claims: none, UserInfo: none})
		defer w.demo.Behave(demoidp.Behaviour{})
		lin := w.guest("lin")
		lin.get("/account").page(t, http.StatusOK, "Type "+lin.user.ID+" to confirm")
		lin.told(lin.act("delete", "confirm", ""), "not_confirmed", "")
		lin.act("delete", "confirm", lin.user.ID).page(t, http.StatusOK, "deleted")
	})
}

func TestAccountExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lin := w.guest("lin")
	w.guest("ada")
	a := lin.get("/account/export")
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Disposition") != `attachment; filename="account.json"` ||
		a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	var export usersvc.Export
	if err := json.Unmarshal([]byte(a.body), &export); err != nil {
		t.Fatal(err)
	}
	if export.User.ID != lin.user.ID || len(export.Sessions) != 1 || len(export.Identities) != 1 || len(export.Audit) == 0 || strings.Contains(a.body, "ada@example.com") {
		t.Errorf("%s", a.body)
	}
	secret := lin.cookie()[strings.LastIndex(lin.cookie(), ".")+1:]
	if strings.Contains(a.body, secret) || strings.Contains(a.body, "secret") {
		t.Error("a secret of the session stands in the export")
	}
}

// TestSuspendedMeanwhile suspends or deletes the user between the check at the
// door and what the form does.
func TestSuspendedMeanwhile(t *testing.T) {
	t.Parallel()
	operator := usersvc.By{Operator: "test"}
	meddle := func(t *testing.T, do func(*usersvc.Users, string) error) guest {
		w := newWorld(t)
		lin := w.guest("lin")
		lin.link("sam")
		users := *w.config.Users
		w.config.Users.Table = &meddled{Table: w.table, gets: 2, do: func() { // the door reads session and user
			if err := do(&users, lin.user.ID); err != nil {
				t.Error(err)
			}
		}}
		return lin
	}
	suspend := func(u *usersvc.Users, id string) error {
		_, err := u.Suspend(t.Context(), operator, id)
		return err
	}
	for do, fields := range map[string][]string{"rename": {"name", "x"}, "end_others": nil, "delete": {"confirm", "lin@example.com"}, "unlink": nil} {
		t.Run(do, func(t *testing.T) {
			lin := meddle(t, suspend)
			a := lin.act(do, fields...)
			if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != issuer+"/account" {
				t.Errorf("%d %q %s", a.StatusCode, got, a.body)
			}
			if lin.latest().Action != usersvc.UserSuspended {
				t.Error("it was done:", lin.latest())
			}
			lin.get("/account").toLogin(t, "/account")
		})
	}
	t.Run("export", func(t *testing.T) {
		lin := meddle(t, func(u *usersvc.Users, id string) error { return u.Delete(t.Context(), operator, id) })
		if a := lin.get("/account/export"); a.StatusCode != http.StatusSeeOther {
			t.Error(a.StatusCode, a.body)
		}
	})
}

// meddled is a table where something else happens after a number of reads.
type meddled struct {
	table.Table
	gets int
	do   func()
}

func (m *meddled) Get(ctx context.Context, key table.Key) (table.Item, error) {
	item, err := m.Table.Get(ctx, key)
	if m.gets--; m.gets == 0 {
		m.do()
	}
	return item, err
}

// TestAccountAsksForRecentSignIn: ten minutes after the sign-in, what harms most
// needs another one.
func TestAccountAsksForRecentSignIn(t *testing.T) {
	t.Parallel()
	const again = issuer + "/login?fresh=yes&return_to=%2Faccount"
	w := newWorld(t)
	lin := w.guest("lin")
	_, identities := lin.now()
	act := map[string]func() answer{
		"link": func() answer { return lin.act("link", "provider", "demo") }, "unlink": func() answer { return lin.act("unlink", "identity", identities[0].ID) },
		"delete": func() answer { return lin.act("delete", "confirm", "lin@example.com") },
		"export": func() answer { return lin.get("/account/export") },
	}
	w.clock.Pass(9 * time.Minute)
	if a := act["export"](); a.StatusCode != http.StatusOK {
		t.Errorf("after nine minutes: %d", a.StatusCode)
	}
	w.clock.Pass(time.Minute + time.Second)
	before := lin.latest()
	for name, do := range map[string]string{"link": again, "unlink": again, "delete": again, "export": again + "%2Fexport"} {
		a := act[name]()
		a.redirects(t, do)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if lin.latest().ID != before.ID {
		t.Errorf("something was done: %+v", lin.latest())
	}
	lin.told(lin.act("rename", "name", "Lina"), "renamed", "")
	lin.told(lin.act("end_others"), "others_ended", "")

	page := lin.get(again)
	page.page(t, http.StatusOK, "Sign in again")
	if strings.Contains(page.body, "Continue as") {
		t.Error("the page offers to go on with the session")
	}
	if a := lin.get(again + "&continue=yes"); a.location() != nil {
		t.Errorf("goes on with the session to %v", a.location())
	}
	at := lin.get(again + "&idp_hint=demo").location()
	if at.Query().Get("prompt") != "login" || at.Query().Get("max_age") != "0" {
		t.Errorf("the provider is asked for %v", at.Query())
	}
	w.claims(func(c map[string]any) { c["auth_time"] = w.now().Add(-time.Hour).Unix() })
	if lin.follow("lin", lin.get(again+"&idp_hint=demo")).StatusCode == http.StatusOK {
		t.Error("a sign-in of an hour ago at the provider is recent")
	}
	w.demo.Behave(demoidp.Behaviour{})
	a := lin.get(again + "&idp_hint=demo")
	a = lin.post(a.location().String(), url.Values{"user": {"lin"}})
	lin.get(a.location().String()).redirects(t, issuer+"/account")
	if a := act["export"](); a.StatusCode != http.StatusOK {
		t.Errorf("after another sign-in: %d", a.StatusCode)
	}
}

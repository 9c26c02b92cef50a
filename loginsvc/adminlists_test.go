package loginsvc_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// people adds n users who have never signed in.
func (w *world) people(n int) {
	w.t.Helper()
	for i := range n {
		w.clock.Pass(time.Millisecond)
		name := fmt.Sprintf("p%04d", i)
		p := usersvc.Profile{Issuer: demo, Subject: name, Provider: "demo", Email: name + "@example.com", EmailVerified: true, Name: name}
		if _, err := w.config.Users.EnsureUser(w.t.Context(), p, usersvc.Active); err != nil {
			w.t.Fatal(err)
		}
	}
}

var (
	rowOf  = regexp.MustCompile(`<a href="/admin/users/(u_[a-z0-9]+)">([^<]*)</a>`)
	pager  = regexp.MustCompile(`(?s)<form class="pager" method="(get|post)" action="([^"]*)">(.*?)</form>`)
	field  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	button = regexp.MustCompile(`name="cursor" value="([^"]*)">([^<]*)<`)
)

// names are the users that a page lists.
func names(a answer) []string {
	var names []string
	for _, m := range rowOf.FindAllStringSubmatch(a.body, -1) {
		names = append(names, m[2])
	}
	return names
}

// turn goes where a button of the pager leads; ok is false if there is none.
func (b *browser) turn(a answer, label string) (next answer, ok bool) {
	b.w.t.Helper()
	m := pager.FindStringSubmatch(a.body)
	if m == nil {
		return a, false
	}
	form := url.Values{}
	for _, f := range field.FindAllStringSubmatch(m[3], -1) {
		form.Set(f[1], html.UnescapeString(f[2]))
	}
	for _, f := range button.FindAllStringSubmatch(m[3], -1) {
		if f[2] != label {
			continue
		}
		form.Set("cursor", html.UnescapeString(f[1]))
		if m[1] == "post" {
			return b.post(m[2], form), true
		}
		return b.get(m[2] + "?" + form.Encode()), true
	}
	return a, false
}

// thereAndBack turns the pages of a list to its end and back, and returns the
// users that it has.
func (b *browser) thereAndBack(t *testing.T, a answer) []string {
	t.Helper()
	all := names(a)
	for {
		next, ok := b.turn(a, "Next")
		if !ok {
			break
		}
		next.page(t, http.StatusOK, "Users")
		if len(names(next)) > 25 {
			t.Errorf("%d rows", len(names(next)))
		}
		all, a = append(all, names(next)...), next
	}
	back := names(a)
	for {
		before, ok := b.turn(a, "Previous")
		if !ok {
			break
		}
		back, a = append(names(before), back...), before
	}
	if !slices.Equal(all, back) {
		t.Errorf("there %q\nback %q", all, back)
	}
	return all
}

func TestAdminUsers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.people(60)

	t.Run("/admin leads there", func(t *testing.T) {
		if to := o.ada.get("/admin").location(); to == nil || to.Path != "/admin/users" {
			t.Error(to)
		}
	})
	t.Run("everybody, the newest first", func(t *testing.T) {
		got := o.ada.thereAndBack(t, o.ada.get("/admin/users"))
		if len(got) != 62 || !strings.HasPrefix(got[0], "p00") || !slices.Contains(got[50:], "Ada") {
			t.Error(len(got), got)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != 62 {
			t.Error("somebody is listed twice")
		}
	})
	t.Run("by the beginning of an address, which stands in no URL", func(t *testing.T) {
		a := o.ada.post("/admin/users", url.Values{"q": {" P00"}, "role": {""}, "status": {""}})
		a.page(t, http.StatusOK, `value="P00"`)
		got := o.ada.thereAndBack(t, a)
		if len(got) != 60 || got[0] != "p0000" {
			t.Error(len(got), got)
		}
		for _, m := range regexp.MustCompile(`(?:href|action)="([^"]*)"`).FindAllStringSubmatch(a.body, -1) {
			if strings.Contains(strings.ToLower(m[1]), "p00") || strings.Contains(m[1], "cursor") {
				t.Errorf("%s leads on with the address", m[0])
			}
		}
		if len(names(o.ada.post("/admin/users", url.Values{"q": {"zoe@"}}))) != 0 {
			t.Error("somebody is found who is not there")
		}
	})
	t.Run("every other search has a URL", func(t *testing.T) {
		if _, err := o.config.Users.Suspend(t.Context(), usersvc.By{Operator: "test"}, o.linID); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			form url.Values
			want int
		}{
			{url.Values{"q": {o.linID}}, 1}, {url.Values{"q": {strings.ToUpper(o.linID[2:])}}, -1}, {url.Values{"q": {"u_"}}, 62}, {url.Values{"role": {"admin"}}, 1},
			{url.Values{"status": {"suspended"}, "role": {"user"}}, 1}, {url.Values{"status": {"active"}}, 61}, {url.Values{"q": {""}}, 62},
		} {
			a := o.ada.post("/admin/users", c.form)
			if c.want < 0 {
				a.page(t, http.StatusOK, "Nobody matches")
				continue
			}
			to := a.location()
			if to == nil || to.Path != "/admin/users" {
				t.Fatal(c.form, a.StatusCode)
			}
			if got := o.ada.thereAndBack(t, o.ada.get(to.String())); len(got) != c.want {
				t.Errorf("%v: %d users", c.form, len(got))
			}
		}
	})
	t.Run("S131 what is no filter is refused", func(t *testing.T) {
		page := o.ada.get("/admin/users")
		cursor := button.FindStringSubmatch(page.body)[1]
		for _, q := range []string{
			"q=lin@example.com", "q=lin", "q=u_&q=u_", "role=root", "role=Admin", "status=deleted", "status=x", "limit=1000", "Q=u_", "role=admin&role=user",
			"cursor=x", "cursor=" + cursor + "x", "cursor=" + cursor + "&q=u_", "cursor=" + strings.Repeat("A", 9000), "cursor=%00", "q=u_%00", "q=u_%ff", "q=u_" + strings.Repeat("a", 400), "%zz", "a;b",
		} {
			o.ada.get("/admin/users?"+q).page(t, http.StatusBadRequest, "That request does not make sense")
			if values, err := url.ParseQuery(q); err == nil && !strings.HasPrefix(q, "q=lin") && values.Get("cursor") == "" {
				o.ada.post("/admin/users", values).page(t, http.StatusBadRequest, "That request does not make sense")
			}
		}
		o.ada.get("/admin/users?role=admin&cursor="+cursor).page(t, http.StatusOK, "Ada") // a cursor is of a search, whatever the filter
		o.ada.post("/admin/users", url.Values{"q": {"p00"}, "cursor": {cursor}}).page(t, http.StatusBadRequest, "")
		o.ada.post("/admin/users", url.Values{"q": {strings.Repeat("a", 100<<10)}}).page(t, http.StatusRequestEntityTooLarge, "")
	})
}

// TestAdminUsersFarApart has so many users between those who match that the page
// ends before it finds the next.
func TestAdminUsersFarApart(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.people(1100)
	first := o.ada.get("/admin/users?role=admin")
	first.page(t, http.StatusOK, "Next")
	if got := names(first); len(got) != 0 {
		t.Error(got)
	}
	second, _ := o.ada.turn(first, "Next")
	if got := names(second); !slices.Equal(got, []string{"Ada"}) {
		t.Error(got)
	}
	if got := o.ada.thereAndBack(t, first); !slices.Equal(got, []string{"Ada"}) {
		t.Error(got)
	}
}

func TestAdminAudit(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for range 30 {
		o.give(o.linID, "admin")
		o.give(o.linID, "user")
	}
	row := regexp.MustCompile(`<tr><td><strong>([^<]*)`)
	link := regexp.MustCompile(`rel="(next|prev)" href="([^"]*)"`)
	// actions are those of a list, page after page.
	actions := func(t *testing.T, a answer) (all []string) {
		t.Helper()
		for {
			a.page(t, http.StatusOK, "Audit trail")
			rows := row.FindAllStringSubmatch(a.body, -1)
			if len(rows) > 25 {
				t.Errorf("%d rows", len(rows))
			}
			for _, m := range rows {
				all = append(all, m[1])
			}
			next := ""
			for _, m := range link.FindAllStringSubmatch(a.body, -1) {
				to := html.UnescapeString(m[2])
				if m[1] == "next" {
					next = to
				} else {
					o.ada.get(to).page(t, http.StatusOK, `rel="next"`)
				}
			}
			if next == "" {
				return all
			}
			a = o.ada.get(next)
		}
	}
	total := len(o.trail(o.linID)) + len(o.trail(o.adaID))

	t.Run("everything", func(t *testing.T) {
		if got := actions(t, o.ada.get("/admin/audit")); len(got) != total {
			t.Errorf("%d rows, want %d", len(got), total)
		}
	})
	t.Run("of one user, from the page of that user", func(t *testing.T) {
		page := o.ada.get("/admin/users/" + o.linID)
		if !strings.Contains(page.body, `href="/admin/audit?user=`+o.linID+`"`) {
			t.Error("no link to the rest")
		}
		if got := actions(t, o.ada.get("/admin/audit?user="+o.linID)); len(got) != len(o.trail(o.linID)) || !slices.Contains(got, "First sign-in") {
			t.Error(got)
		}
	})
	t.Run("by address, by actor and by time", func(t *testing.T) {
		year, minute := o.now().UTC().Format("2006"), o.now().UTC().Add(-time.Hour).Format("2006-01-02T15")
		for _, c := range []struct {
			form url.Values
			want int
		}{
			{url.Values{"user": {" lin@example.com "}, "time": {year}}, len(o.trail(o.linID))},
			{url.Values{"user": {"LIN@example.com"}, "actor": {"operator:test"}}, 60},
			{url.Values{"actor": {"operator:test"}}, 60},
			{url.Values{"actor": {"lin@example.com"}}, 0}, // to others, nothing
			{url.Values{"time": {minute}}, 0},
			{url.Values{"user": {"u_nobody"}}, 0},
		} {
			to := o.ada.post("/admin/audit", c.form).location()
			if to == nil || to.Path != "/admin/audit" || strings.Contains(to.RawQuery, "%40") {
				t.Fatal(c.form, to)
			}
			if got := actions(t, o.ada.get(to.String())); len(got) != c.want {
				t.Errorf("%v: %d rows, want %d", c.form, len(got), c.want)
			}
		}
	})
	t.Run("an address that is nobody's, or not a whole one", func(t *testing.T) {
		o.ada.post("/admin/audit", url.Values{"user": {"zoe@example.com"}}).page(t, http.StatusOK, "Nobody matches.")
		o.ada.post("/admin/audit", url.Values{"user": {"lin@"}}).page(t, http.StatusOK, o.linID)
	})
	t.Run("S131 what is no filter is refused", func(t *testing.T) {
		for _, q := range []string{"user=lin@example.com", "actor=a@b", "time=yesterday", "time=%00", "user=a&user=b", "x=1", "cursor=x", "user=" + strings.Repeat("u", 400), "%zz", "user=%ff"} {
			o.ada.get("/admin/audit?"+q).page(t, http.StatusBadRequest, "That request does not make sense")
		}
	})
}

func TestAdminKeys(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ring := keyring.View{
		DueAt: at.AddDate(0, 1, 0),
		Keys: []keyring.KeyView{
			{ID: "gone", State: keys.Retired, PublishedAt: at, EndedAt: at.Add(time.Hour)},
			{ID: "stolen", State: keys.Compromised, PublishedAt: at, EndedAt: at.Add(2 * time.Hour)},
			{ID: "old", State: keys.Retiring, PublishedAt: at, RetiringAt: at.Add(3 * time.Hour), KeepUntil: at.Add(4 * time.Hour)},
			{ID: "now", State: keys.Current, PublishedAt: at, CurrentAt: at.Add(5 * time.Hour)},
			{ID: "soon", State: keys.Next, PublishedAt: at.Add(6 * time.Hour)},
		},
	}
	var trouble error
	o := newOffice(t, func(c *loginsvc.Config) {
		c.Ring = func(context.Context) (keyring.View, error) { return ring, trouble }
	})
	a := o.ada.get("/admin/keys")
	a.page(t, http.StatusOK, "Signing keys")
	var got []string
	for _, m := range regexp.MustCompile(`<tr><td><span class="tag">([^<]*)</span></td><td><code>([^<]*)</code>.*?datetime="([^"]*)"(?:.*?datetime="([^"]*)")?`).FindAllStringSubmatch(a.body, -1) {
		got = append(got, strings.Join(m[1:], " "))
	}
	want := []string{
		"Next soon 2026-03-01T18:00:00Z 2026-04-01T12:00:00Z", "Signing now 2026-03-01T17:00:00Z 2026-04-01T12:00:00Z",
		"Retiring old 2026-03-01T15:00:00Z 2026-03-01T16:00:00Z", "Compromised stolen 2026-03-01T14:00:00Z ", "Retired gone 2026-03-01T13:00:00Z ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for range 100 {
		ring.Keys = append(ring.Keys, ring.Keys[0])
	}
	if n := strings.Count(o.ada.get("/admin/keys").body, "<code>"); n != 25 {
		t.Errorf("%d keys", n)
	}
	trouble = errDown
	o.ada.get("/admin/keys").page(t, http.StatusServiceUnavailable, "")
	newOffice(t).ada.get("/admin/keys").page(t, http.StatusNotFound, "")
}

package usersvc_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestList(t *testing.T) { onEngines(t, testList) }

func testList(t *testing.T, open userstest.Engine) {
	h := open(t)
	users := map[string]usersvc.User{}
	for _, name := range []string{"ada", "adam", "lin", "u_x", "Adele"} {
		h.Clock.Pass(time.Second)
		users[name] = h.MustSignIn(t, userstest.Profile(name)).User
	}
	nameless := userstest.Profile("nn")
	nameless.Email = ""
	h.Clock.Pass(time.Second)
	users["nn"] = h.MustSignIn(t, nameless).User
	if _, err := h.Suspend(t.Context(), userstest.Operator, users["adam"].ID); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name   string
		filter usersvc.Filter
		want   []string
	}{
		{"everyone, newest first", usersvc.Filter{}, []string{"nn", "Adele", "u_x", "lin", "adam", "ada"}},
		{"the beginning of an address, in any case, by the alphabet", usersvc.Filter{Search: "aD"}, []string{"ada", "adam", "Adele"}},
		{"a whole address", usersvc.Filter{Search: "ada@example.com"}, []string{"ada"}},
		{"the beginning of an id", usersvc.Filter{Search: "u_"}, []string{"nn", "Adele", "u_x", "lin", "adam", "ada"}},
		{"a whole id", usersvc.Filter{Search: users["lin"].ID}, []string{"lin"}},
		{"an address that begins like an id", usersvc.Filter{Search: "u_x@"}, []string{"u_x"}},
		{"nobody", usersvc.Filter{Search: "zoe"}, nil},
		{"a pattern is no pattern", usersvc.Filter{Search: "%"}, nil},
		{"a role", usersvc.Filter{Role: "admin"}, []string{"ada"}},
		{"a status", usersvc.Filter{Status: usersvc.Suspended}, []string{"adam"}},
		{"all at once", usersvc.Filter{Search: "ad", Role: "user", Status: usersvc.Active}, []string{"ada", "Adele"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			n := h.Table.During(func() {
				page, err := h.List(t.Context(), c.filter)
				if err != nil {
					t.Error(err)
				}
				for _, user := range page.Items {
					got = append(got, user.Name)
				}
			})
			if !slices.Equal(got, c.want) || n != 1 {
				t.Errorf("%v with %d queries, want %v", got, n, c.want)
			}
		})
	}
	t.Run("in pages, with a filter", func(t *testing.T) {
		var got []string
		f := usersvc.Filter{Search: "ad", Role: "user", Limit: 1}
		for {
			page, err := h.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, user := range page.Items {
				got = append(got, user.Name)
			}
			if f.Cursor = page.Cursor; f.Cursor == "" {
				break
			}
		}
		if !slices.Equal(got, []string{"ada", "adam", "Adele"}) {
			t.Error(got)
		}
	})
	t.Run("there and back again", func(t *testing.T) {
		for _, f := range []usersvc.Filter{{Limit: 2}, {Limit: 1, Search: "ad"}, {Limit: 3, Search: "u_"}, {Limit: 2, Role: "user"}, {Limit: 1, Status: usersvc.Suspended}} {
			thereAndBack(t, func(cursor string) (names []string, p usersvc.Page[usersvc.User]) {
				f.Cursor = cursor
				page, err := h.List(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, user := range page.Items {
					names = append(names, user.Name)
				}
				return names, page
			})
		}
	})
	t.Run("S131 a cursor of another search", func(t *testing.T) {
		page, err := h.List(t.Context(), usersvc.Filter{Search: "ad", Limit: 1})
		if err != nil || page.Cursor == "" {
			t.Fatal(page, err)
		}
		second, err := h.List(t.Context(), usersvc.Filter{Search: "ad", Limit: 1, Cursor: page.Cursor})
		if err != nil || second.Previous == "" {
			t.Fatal(second, err)
		}
		for _, cursor := range []string{page.Cursor, second.Previous, "x"} {
			for _, f := range []usersvc.Filter{{}, {Search: "a"}, {Search: "lin"}, {Search: "u_"}} {
				f.Cursor = cursor
				if _, err := h.List(t.Context(), f); !errors.Is(err, table.ErrBadCursor) {
					t.Errorf("%+v: %v", f, err)
				}
			}
		}
	})
}

// thereAndBack goes to the end of a list and back to its beginning. On the way
// back there is all that was seen before, in the same order.
func thereAndBack[T any](t *testing.T, open func(cursor string) ([]string, usersvc.Page[T])) {
	t.Helper()
	var there, back []string
	names, page := open("")
	if page.Previous != "" {
		t.Error("something comes before the beginning")
	}
	for there = names; page.Cursor != ""; there = append(there, names...) {
		names, page = open(page.Cursor)
	}
	for back = names; page.Previous != ""; {
		end := page
		names, page = open(page.Previous)
		if len(end.Items) > 0 { // else a row may stand on the page after
			if again, _ := open(page.Cursor); len(again) == 0 {
				t.Error("from the page before, the page after it is empty")
			}
		}
		back = append(names, back...)
	}
	if len(there) > 0 && len(back) < len(there)-1 || !slices.Equal(back, there[:len(back)]) {
		t.Errorf("there %q, back %q", there, back)
	}
}

func TestByEmail(t *testing.T) {
	for search, want := range map[string]bool{"": false, "u_": false, "u_1k8": false, "u_x@": true, "a": true, "u": true, "ada@example.com": true} {
		if got := (usersvc.Filter{Search: search}).ByEmail(); got != want {
			t.Errorf("%q: %v", search, got)
		}
	}
}

func TestAudit(t *testing.T) { onEngines(t, testAudit) }

func testAudit(t *testing.T, open userstest.Engine) {
	h := open(t)
	ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
	h.Clock.Pass(24 * time.Hour)
	if _, err := h.Suspend(t.Context(), userstest.By(ada), lin.User.ID); err != nil {
		t.Fatal(err)
	}
	h.Clock.Pass(time.Minute)
	if _, err := h.Rename(t.Context(), userstest.By(ada), ada.User.ID, "Ada", 0); err != nil {
		t.Fatal(err)
	}
	read := func(t *testing.T, f usersvc.AuditFilter) (actions []usersvc.Action) {
		t.Helper()
		n := h.Table.During(func() {
			page, err := h.Audit(t.Context(), f)
			if err != nil {
				t.Error(err)
			}
			for _, e := range page.Items {
				actions = append(actions, e.Action)
			}
		})
		want := int64(1)
		if f.UserID == "" && f.Actor == "" {
			want = schema.AuditIndexes
		}
		if n != want {
			t.Errorf("%d queries, want %d", n, want)
		}
		return actions
	}
	for _, c := range []struct {
		name   string
		filter usersvc.AuditFilter
		want   []usersvc.Action
	}{
		{"newest first", usersvc.AuditFilter{Limit: 2}, []usersvc.Action{usersvc.ProfileChanged, usersvc.UserSuspended}},
		{"a day", usersvc.AuditFilter{Time: "2026-03-02"}, []usersvc.Action{usersvc.ProfileChanged, usersvc.UserSuspended}},
		{"a minute", usersvc.AuditFilter{Time: "2026-03-02T12:00"}, []usersvc.Action{usersvc.UserSuspended}},
		{"a time when nothing was", usersvc.AuditFilter{Time: "2025"}, nil},
		{"done to one", usersvc.AuditFilter{UserID: lin.User.ID, Limit: 1}, []usersvc.Action{usersvc.UserSuspended}},
		{"done to one, on a day", usersvc.AuditFilter{UserID: ada.User.ID, Time: "2026-03-02"}, []usersvc.Action{usersvc.ProfileChanged}},
		{"done by one to others", usersvc.AuditFilter{Actor: ada.User.ID}, []usersvc.Action{usersvc.UserSuspended}},
		{"done by one to one", usersvc.AuditFilter{UserID: lin.User.ID, Actor: ada.User.ID}, []usersvc.Action{usersvc.UserSuspended}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, c.filter); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	t.Run("there and back again", func(t *testing.T) {
		for _, f := range []usersvc.AuditFilter{{Limit: 2}, {Limit: 1, UserID: lin.User.ID}, {Limit: 1, UserID: lin.User.ID, Actor: ada.User.ID}} {
			thereAndBack(t, func(cursor string) (ids []string, p usersvc.Page[usersvc.Entry]) {
				f.Cursor = cursor
				page, err := h.Audit(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page.Items {
					ids = append(ids, e.ID)
				}
				return ids, page
			})
		}
	})
	t.Run("each change is there with its row, or neither", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.Users.Table = &brokenAfter{Table: h.Table}
		for _, err := range []error{
			second(h.Suspend(t.Context(), userstest.Operator, lin.User.ID)), second(h.SetRoles(t.Context(), userstest.Operator, lin.User.ID, nil, 0)),
			second(h.Rename(t.Context(), userstest.Operator, lin.User.ID, "x", 0)), h.Delete(t.Context(), userstest.Operator, lin.User.ID),
			h.EndSession(t.Context(), lin.User.ID, lin.Session.ID), h.EndSessions(t.Context(), userstest.Operator, lin.User.ID, ""),
		} {
			if !errors.Is(err, table.ErrUnavailable) {
				t.Error("a change needs more than one call of the table, or hides that it failed:", err)
			}
		}
		h.Users.Table = h.Table
		if got := h.Trail(t, lin.User.ID); len(got) != 2 {
			t.Error(got)
		}
		h.WantSession(t, lin.Cookie, nil)
	})
	t.Run("where from is an address or nothing", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		for ip, want := range map[string]string{
			"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1%eth0": "2001:db8::1",
			"192.0.2.1:80": "", "<script>": "", "": "",
		} {
			h.Clock.Pass(time.Second)
			if _, err := h.Rename(t.Context(), usersvc.By{UserID: lin.User.ID, SourceIP: ip}, lin.User.ID, "lin "+ip+".", 0); err != nil {
				t.Fatal(err)
			}
			page, _ := h.Audit(t.Context(), usersvc.AuditFilter{UserID: lin.User.ID, Limit: 1})
			if page.Items[0].SourceIP != want {
				t.Errorf("%q became %q", ip, page.Items[0].SourceIP)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

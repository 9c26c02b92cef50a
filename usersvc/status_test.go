package usersvc_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestSuspend(t *testing.T) { onEngines(t, testSuspend) }

func testSuspend(t *testing.T, open engine) {
	h := open(t)
	ada, lin, kim := h.signIn(t, profile("ada")), h.signIn(t, profile("lin")), h.signIn(t, profile("kim"))
	second := h.signIn(t, profile("lin"))

	t.Run("S129 nobody but an admin", func(t *testing.T) {
		h.unchanged(t, lin.user.ID, func() {
			for _, who := range []usersvc.By{{}, by(kim), {UserID: "u_unknown"}} {
				if _, err := h.Suspend(t.Context(), who, lin.user.ID); !errors.Is(err, usersvc.ErrForbidden) {
					t.Errorf("%+v: %v", who, err)
				}
			}
		})
	})
	t.Run("ends every session and revokes every token", func(t *testing.T) {
		h.clock.pass(time.Second)
		user, err := h.Suspend(t.Context(), by(ada), lin.user.ID)
		if err != nil || user.Status != usersvc.Suspended {
			t.Fatal(user, err)
		}
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		h.wantSession(t, second.cookie, usersvc.ErrNoSession)
		if _, _, err := h.SessionByID(t.Context(), lin.user.ID, lin.session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error(err)
		}
		h.revoked(t, user, true)
		h.revoked(t, ada.user, false)
		if sessions, err := h.Sessions(t.Context(), lin.user.ID); err != nil || len(sessions) != 0 {
			t.Error(sessions, err)
		}
	})
	t.Run("a suspended user does nothing, not even to themselves", func(t *testing.T) {
		h.unchanged(t, lin.user.ID, func() {
			if _, err := h.Rename(t.Context(), by(lin), lin.user.ID, "x", 0); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
			if _, err := h.Activate(t.Context(), by(lin), lin.user.ID); !errors.Is(err, usersvc.ErrOneself) {
				t.Error(err)
			}
			if err := h.Delete(t.Context(), by(lin), lin.user.ID); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
		})
	})
	t.Run("again changes nothing", func(t *testing.T) {
		h.unchanged(t, lin.user.ID, func() {
			if _, err := h.Suspend(t.Context(), by(ada), lin.user.ID); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("letting in again does not bring sessions back", func(t *testing.T) {
		h.clock.pass(time.Second)
		for range 2 {
			if user, err := h.Activate(t.Context(), by(ada), lin.user.ID); err != nil || user.Status != usersvc.Active {
				t.Error(user, err)
			}
		}
		h.clock.pass(time.Second)
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
		h.wantSession(t, h.signIn(t, profile("lin")).cookie, nil)
	})
	t.Run("suspended by hand in the table, too", func(t *testing.T) {
		second := h.signIn(t, profile("kim"))
		if err := h.table.Write(t.Context(), table.Update(table.Key{PK: "user#" + kim.user.ID, SK: "user"}, map[string]any{"status": "suspended"})); err != nil {
			t.Fatal(err)
		}
		h.wantSession(t, second.cookie, usersvc.ErrNoSession)
	})
	t.Run("between the look and the leap of a sign-in", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		h.Users.Table = &meddling{Table: h.table, before: func() {
			if _, err := h.with(h.table).Suspend(t.Context(), operator, lin.user.ID); err != nil {
				t.Error(err)
			}
		}}
		if _, _, cookie, err := h.SignIn(t.Context(), profile("lin"), usersvc.SignInInfo{}); !errors.Is(err, usersvc.ErrSuspended) || cookie != "" {
			t.Error(cookie, err)
		}
	})
	t.Run("the trail tells", func(t *testing.T) {
		want := []usersvc.Action{usersvc.UserSuspended, usersvc.UserActivated, usersvc.SessionStarted}
		if got := h.trail(t, lin.user.ID); !slices.Equal(got[len(got)-3:], want) {
			t.Error(got)
		}
	})
}

func TestEndSessions(t *testing.T) { onEngines(t, testEndSessions) }

func testEndSessions(t *testing.T, open engine) {
	start := func(t *testing.T) (*house, in, in, in) {
		h := open(t)
		return h, h.signIn(t, profile("lin")), h.signIn(t, profile("lin")), h.signIn(t, profile("lin"))
	}
	t.Run("are listed, newest first, without those that are dead", func(t *testing.T) {
		h, _, _, _ := start(t)
		h.clock.pass(30 * 24 * time.Hour)
		lin := h.signIn(t, profile("lin"))
		h.clock.pass(time.Second)
		second := h.signIn(t, profile("lin"))
		n := h.table.during(func() {
			sessions, err := h.Sessions(t.Context(), lin.user.ID)
			if err != nil || len(sessions) != 2 || sessions[0].ID != second.session.ID || sessions[1].ID != lin.session.ID {
				t.Error(sessions, err)
			}
		})
		if n != 2 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("one", func(t *testing.T) {
		h, first, second, _ := start(t)
		if err := h.EndSessionBy(t.Context(), by(first), first.user.ID, second.session.ID); err != nil {
			t.Error(err)
		}
		h.wantSession(t, first.cookie, nil)
		h.wantSession(t, second.cookie, usersvc.ErrNoSession)
		feed, err := h.Revocations(t.Context())
		if err != nil || feed.Len() != 1 || !feed.Revoked(first.user.ID, second.session.ID, h.clock.Now()) {
			t.Error(feed, err)
		}
		if err := h.EndSessionBy(t.Context(), by(first), first.user.ID, second.session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error("twice:", err)
		}
	})
	t.Run("S129 not another's", func(t *testing.T) {
		h, first, _, _ := start(t)
		kim := h.signIn(t, profile("kim"))
		h.unchanged(t, first.user.ID, func() {
			if err := h.EndSessionBy(t.Context(), by(kim), first.user.ID, first.session.ID); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
			if err := h.EndSessionBy(t.Context(), by(kim), kim.user.ID, first.session.ID); !errors.Is(err, usersvc.ErrNoSession) {
				t.Error(err)
			}
			if err := h.EndSessions(t.Context(), by(kim), first.user.ID, ""); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
		})
		h.wantSession(t, first.cookie, nil)
	})
	t.Run("all others", func(t *testing.T) {
		h, first, second, third := start(t)
		if err := h.EndSessions(t.Context(), by(second), second.user.ID, second.session.ID); err != nil {
			t.Fatal(err)
		}
		h.wantSession(t, first.cookie, usersvc.ErrNoSession)
		h.wantSession(t, second.cookie, nil)
		h.wantSession(t, third.cookie, usersvc.ErrNoSession)
		h.wantSession(t, h.signIn(t, profile("lin")).cookie, nil)
		if err := h.EndSessions(t.Context(), by(first), first.user.ID, first.session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error("keeping one that has ended:", err)
		}
		h.wantSession(t, second.cookie, nil)
		if sessions, err := h.Sessions(t.Context(), first.user.ID); err != nil || len(sessions) != 2 {
			t.Error("dead ones are listed:", sessions, err)
		}
	})
	t.Run("all", func(t *testing.T) {
		h, first, second, third := start(t)
		if err := h.EndSessions(t.Context(), by(first), first.user.ID, ""); err != nil {
			t.Fatal(err)
		}
		for _, s := range []in{first, second, third} {
			h.wantSession(t, s.cookie, usersvc.ErrNoSession)
		}
		h.revoked(t, first.user, true)
	})
}

func TestRevocations(t *testing.T) { onEngines(t, testRevocations) }

func testRevocations(t *testing.T, open engine) {
	h := open(t)
	h.AccessTTL = 5 * time.Minute
	ada, lin := h.signIn(t, profile("ada")), h.signIn(t, profile("lin"))
	end := func() {
		t.Helper()
		if err := h.EndSession(t.Context(), lin.user.ID, h.signIn(t, profile("lin")).session.ID); err != nil {
			t.Fatal(err)
		}
	}
	end()
	h.clock.pass(3 * time.Minute)
	end()
	if _, err := h.Suspend(t.Context(), by(ada), lin.user.ID); err != nil {
		t.Fatal(err)
	}
	read := func(want int) {
		t.Helper()
		n := h.table.during(func() {
			if feed, err := h.Revocations(t.Context()); err != nil || feed.Len() != want {
				t.Errorf("%v, %v, want %d", feed, err, want)
			}
		})
		if n != 1 {
			t.Errorf("%d calls, want 1 query", n)
		}
	}
	read(3)
	h.clock.pass(3*time.Minute - time.Millisecond) // access tokens and a clock a minute behind
	read(3)
	h.clock.pass(time.Millisecond)
	read(2)
	h.clock.pass(3 * time.Minute)
	read(0)
	page, err := h.table.Query(t.Context(), table.Query{PK: "revocations", Limit: 10})
	if err != nil || len(page.Items) != 3 {
		t.Fatal(page.Items, err)
	}
	for _, item := range page.Items {
		if ttl, _ := item[table.TTL].(int64); ttl == 0 || ttl > h.clock.Now().Unix()+60 {
			t.Error("stays for ever:", item)
		}
	}
}

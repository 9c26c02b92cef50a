package usersvc_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestSuspend(t *testing.T) { onEngines(t, testSuspend) }

func testSuspend(t *testing.T, open userstest.Engine) {
	h := open(t)
	ada, lin, kim := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("kim"))
	second := h.MustSignIn(t, userstest.Profile("lin"))

	t.Run("S129 nobody but an admin", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			for _, who := range []usersvc.By{{}, userstest.By(kim), {UserID: "u_unknown"}} {
				if _, err := h.Suspend(t.Context(), who, lin.User.ID); !errors.Is(err, usersvc.ErrForbidden) {
					t.Errorf("%+v: %v", who, err)
				}
			}
		})
	})
	t.Run("ends every session and revokes every token", func(t *testing.T) {
		h.Clock.Pass(time.Second)
		user, err := h.Suspend(t.Context(), userstest.By(ada), lin.User.ID)
		if err != nil || user.Status != usersvc.Suspended {
			t.Fatal(user, err)
		}
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		h.WantSession(t, second.Cookie, usersvc.ErrNoSession)
		if _, _, err := h.SessionByID(t.Context(), lin.User.ID, lin.Session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error(err)
		}
		h.WantRevoked(t, user, true)
		h.WantRevoked(t, ada.User, false)
		if sessions, err := h.Sessions(t.Context(), lin.User.ID); err != nil || len(sessions) != 0 {
			t.Error(sessions, err)
		}
	})
	t.Run("a suspended user does nothing, not even to themselves", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			if _, err := h.Rename(t.Context(), userstest.By(lin), lin.User.ID, "x", 0); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
			if _, err := h.Activate(t.Context(), userstest.By(lin), lin.User.ID); !errors.Is(err, usersvc.ErrOneself) {
				t.Error(err)
			}
			if err := h.Delete(t.Context(), userstest.By(lin), lin.User.ID); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
		})
	})
	t.Run("again changes nothing", func(t *testing.T) {
		h.WantUnchanged(t, lin.User.ID, func() {
			if _, err := h.Suspend(t.Context(), userstest.By(ada), lin.User.ID); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("letting in again does not bring sessions back", func(t *testing.T) {
		h.Clock.Pass(time.Second)
		for range 2 {
			if user, err := h.Activate(t.Context(), userstest.By(ada), lin.User.ID); err != nil || user.Status != usersvc.Active {
				t.Error(user, err)
			}
		}
		h.Clock.Pass(time.Second)
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
		h.WantSession(t, h.MustSignIn(t, userstest.Profile("lin")).Cookie, nil)
	})
	t.Run("suspended by hand in the table, too", func(t *testing.T) {
		second := h.MustSignIn(t, userstest.Profile("kim"))
		if err := h.Table.Write(t.Context(), table.Update(table.Key{PK: "user#" + kim.User.ID, SK: "user"}, map[string]any{"status": "suspended"})); err != nil {
			t.Fatal(err)
		}
		h.WantSession(t, second.Cookie, usersvc.ErrNoSession)
	})
	t.Run("between the look and the leap of a sign-in", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.Users.Table = &meddling{Table: h.Table, before: func() {
			if _, err := h.With(h.Table).Suspend(t.Context(), userstest.Operator, lin.User.ID); err != nil {
				t.Error(err)
			}
		}}
		if _, _, cookie, err := h.SignIn(t.Context(), userstest.Profile("lin"), usersvc.SignInInfo{}); !errors.Is(err, usersvc.ErrSuspended) || cookie != "" {
			t.Error(cookie, err)
		}
	})
	t.Run("the trail tells", func(t *testing.T) {
		want := []usersvc.Action{usersvc.UserSuspended, usersvc.UserActivated, usersvc.SessionStarted}
		if got := h.Trail(t, lin.User.ID); !slices.Equal(got[len(got)-3:], want) {
			t.Error(got)
		}
	})
}

func TestEndSessions(t *testing.T) { onEngines(t, testEndSessions) }

func testEndSessions(t *testing.T, open userstest.Engine) {
	start := func(t *testing.T) (*userstest.Harness, userstest.SignedIn, userstest.SignedIn, userstest.SignedIn) {
		h := open(t)
		return h, h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, userstest.Profile("lin"))
	}
	t.Run("are listed, newest first, without those that are dead", func(t *testing.T) {
		h, _, _, _ := start(t)
		h.Clock.Pass(30 * 24 * time.Hour)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.Clock.Pass(time.Second)
		second := h.MustSignIn(t, userstest.Profile("lin"))
		n := h.Table.During(func() {
			sessions, err := h.Sessions(t.Context(), lin.User.ID)
			if err != nil || len(sessions) != 2 || sessions[0].ID != second.Session.ID || sessions[1].ID != lin.Session.ID {
				t.Error(sessions, err)
			}
		})
		if n != 2 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("one", func(t *testing.T) {
		h, first, second, _ := start(t)
		if err := h.EndSessionBy(t.Context(), userstest.By(first), first.User.ID, second.Session.ID); err != nil {
			t.Error(err)
		}
		h.WantSession(t, first.Cookie, nil)
		h.WantSession(t, second.Cookie, usersvc.ErrNoSession)
		feed := h.Feed(t)
		if feed.Len() != 1 || !feed.Revoked(revocation.Token{Subject: first.User.ID, SessionID: second.Session.ID, IssuedAt: h.Clock.Now()}) {
			t.Error("its tokens live")
		}
		if err := h.EndSessionBy(t.Context(), userstest.By(first), first.User.ID, second.Session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error("twice:", err)
		}
	})
	t.Run("S129 not another's", func(t *testing.T) {
		h, first, _, _ := start(t)
		kim := h.MustSignIn(t, userstest.Profile("kim"))
		h.WantUnchanged(t, first.User.ID, func() {
			if err := h.EndSessionBy(t.Context(), userstest.By(kim), first.User.ID, first.Session.ID); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
			if err := h.EndSessionBy(t.Context(), userstest.By(kim), kim.User.ID, first.Session.ID); !errors.Is(err, usersvc.ErrNoSession) {
				t.Error(err)
			}
			if err := h.EndSessions(t.Context(), userstest.By(kim), first.User.ID, ""); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
		})
		h.WantSession(t, first.Cookie, nil)
	})
	t.Run("all others", func(t *testing.T) {
		h, first, second, third := start(t)
		if err := h.EndSessions(t.Context(), userstest.By(second), second.User.ID, second.Session.ID); err != nil {
			t.Fatal(err)
		}
		h.WantSession(t, first.Cookie, usersvc.ErrNoSession)
		h.WantSession(t, second.Cookie, nil)
		h.WantSession(t, third.Cookie, usersvc.ErrNoSession)
		h.WantSession(t, h.MustSignIn(t, userstest.Profile("lin")).Cookie, nil)
		if err := h.EndSessions(t.Context(), userstest.By(first), first.User.ID, first.Session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error("keeping one that has ended:", err)
		}
		h.WantSession(t, second.Cookie, nil)
		if sessions, err := h.Sessions(t.Context(), first.User.ID); err != nil || len(sessions) != 2 {
			t.Error("dead ones are listed:", sessions, err)
		}
	})
	t.Run("all", func(t *testing.T) {
		h, first, second, third := start(t)
		if err := h.EndSessions(t.Context(), userstest.By(first), first.User.ID, ""); err != nil {
			t.Fatal(err)
		}
		for _, s := range []userstest.SignedIn{first, second, third} {
			h.WantSession(t, s.Cookie, usersvc.ErrNoSession)
		}
		h.WantRevoked(t, first.User, true)
	})
}

func TestRevocations(t *testing.T) { onEngines(t, testRevocations) }

func testRevocations(t *testing.T, open userstest.Engine) {
	h := open(t)
	h.AccessTTL = 5 * time.Minute
	ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
	end := func() {
		t.Helper()
		if err := h.EndSession(t.Context(), lin.User.ID, h.MustSignIn(t, userstest.Profile("lin")).Session.ID); err != nil {
			t.Fatal(err)
		}
	}
	end()
	h.Clock.Pass(3 * time.Minute)
	end()
	if _, err := h.Suspend(t.Context(), userstest.By(ada), lin.User.ID); err != nil {
		t.Fatal(err)
	}
	feed := &usersvc.Feed{Users: h.Users}
	read := func(calls int64, want int) {
		t.Helper()
		n := h.Table.During(func() {
			document, err := feed.Document(t.Context())
			var l revocation.List
			if err == nil {
				err = l.UnmarshalJSON(document)
			}
			if err != nil || l.Len() != want {
				t.Errorf("%d entries, %v, want %d", l.Len(), err, want)
			}
		})
		if n != calls {
			t.Errorf("%d calls, want %d", n, calls)
		}
	}
	read(5, 1) // all partitions, and the rows of version 1: suspending covers the sessions that ended
	read(0, 1)
	h.Clock.Pass(time.Minute)
	read(4, 1) // after a minute without use, all partitions
	h.Clock.Pass(time.Second)
	read(1, 1)
	h.Clock.Pass(5*time.Minute + 30*time.Second - time.Second) // access tokens, the leeway, a clock a minute behind, and the second they end in
	read(4, 1)
	h.Clock.Pass(time.Second)
	read(1, 0)
	for p := range schema.RevocationPartitions {
		page, err := h.Table.Query(t.Context(), table.Query{PK: schema.RevocationPartition(p), Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if ttl, _ := item[table.TTL].(int64); ttl == 0 || ttl > h.Clock.Now().Unix()+3600 {
				t.Error("stays for ever:", item)
			}
		}
	}
}

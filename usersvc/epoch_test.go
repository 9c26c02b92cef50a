package usersvc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestUnlinkEndsSessions(t *testing.T) { onEngines(t, testUnlinkEndsSessions) }

func testUnlinkEndsSessions(t *testing.T, open userstest.Engine) {
	here, there := userstest.Profile("lin"), userstest.At(userstest.Profile("lin"), "other")
	start := func(t *testing.T) (h *userstest.Harness, one, two userstest.SignedIn) {
		h = open(t)
		return h, h.MustSignIn(t, here), h.MustSignIn(t, there)
	}
	unlink := func(t *testing.T, h *userstest.Harness, who userstest.SignedIn, provider string) {
		t.Helper()
		linked, err := h.Identities(t.Context(), who.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range linked {
			if i.Provider == provider {
				if _, err := h.Unlink(t.Context(), userstest.By(who), who.User.ID, i.ID); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		t.Fatal("nothing to unlink at", provider)
	}
	listed := func(t *testing.T, h *userstest.Harness, want ...userstest.SignedIn) {
		t.Helper()
		sessions, err := h.Sessions(t.Context(), want[0].User.ID)
		if err != nil || len(sessions) != len(want) {
			t.Errorf("%d sessions, want %d: %v", len(sessions), len(want), err)
		}
		for _, w := range want {
			h.WantSession(t, w.Cookie, nil)
		}
	}

	t.Run("the sessions that began with it, and no others", func(t *testing.T) {
		h, one, two := start(t)
		again := h.MustSignIn(t, there)
		unlink(t, h, one, "other")
		for _, ended := range []userstest.SignedIn{two, again} {
			h.WantSession(t, ended.Cookie, usersvc.ErrNoSession)
			if _, _, err := h.SessionByID(t.Context(), ended.User.ID, ended.Session.ID); !errors.Is(err, usersvc.ErrNoSession) {
				t.Error("its tokens can be renewed:", err)
			}
		}
		listed(t, h, one)
	})
	t.Run("the tokens of the user are revoked", func(t *testing.T) {
		h, one, _ := start(t)
		before := h.Clock.Now()
		unlink(t, h, one, "other")
		if !h.Feed(t).Revoked(revocation.Token{Subject: one.User.ID, IssuedAt: before}) {
			t.Error("they are not")
		}
		if user, err := h.Get(t.Context(), one.User.ID); err != nil || !user.TokensFrom.After(before) {
			t.Error(user.TokensFrom, err)
		}
	})
	t.Run("also the session in which one asks for it", func(t *testing.T) {
		h, one, two := start(t)
		unlink(t, h, two, "other")
		h.WantSession(t, two.Cookie, usersvc.ErrNoSession)
		listed(t, h, one)
	})
	t.Run("a session of the same identity, linked again, is a new one", func(t *testing.T) {
		h, one, old := start(t)
		unlink(t, h, one, "other")
		if _, err := h.Link(t.Context(), userstest.By(one), one.Session.ID, there); err != nil {
			t.Fatal(err)
		}
		h.WantSession(t, old.Cookie, usersvc.ErrNoSession)
		again := h.MustSignIn(t, there)
		listed(t, h, one, again)
		unlink(t, h, one, "other")
		h.WantSession(t, again.Cookie, usersvc.ErrNoSession)
		listed(t, h, one)
	})
	t.Run("a session from before rows said with which identity it began", func(t *testing.T) {
		h, one, two := start(t)
		key := table.Key{PK: "user#" + one.User.ID, SK: "session#" + one.Session.ID}
		item, err := h.Table.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		delete(item, "identity")
		delete(item, "user_version")
		if err := h.Table.Write(t.Context(), table.Put(item)); err != nil {
			t.Fatal(err)
		}
		listed(t, h, one, two)
		unlink(t, h, two, "demo")
		h.WantSession(t, one.Cookie, usersvc.ErrNoSession)
		listed(t, h, two)
	})
	t.Run("ending the others leaves one that was begun anew", func(t *testing.T) {
		h, one, _ := start(t)
		unlink(t, h, one, "other")
		if err := h.EndSessions(t.Context(), userstest.By(one), one.User.ID, one.Session.ID); err != nil {
			t.Fatal(err)
		}
		listed(t, h, one)
	})
	t.Run("it cannot be the one that is kept when the others end", func(t *testing.T) {
		h, one, two := start(t)
		unlink(t, h, one, "other")
		if err := h.EndSessions(t.Context(), userstest.By(two), two.User.ID, two.Session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error(err)
		}
		listed(t, h, one)
	})
	t.Run("the same one, however often, is told of once", func(t *testing.T) {
		h, one, two := start(t)
		third := userstest.At(userstest.Profile("x"), "third")
		for range 22 {
			if _, err := h.Link(t.Context(), userstest.By(one), one.Session.ID, third); err != nil {
				t.Fatal(err)
			}
			unlink(t, h, one, "third")
		}
		listed(t, h, one, two)
	})
	t.Run("after more than the row can tell of, all end", func(t *testing.T) {
		h, one, two := start(t)
		for i := range 20 {
			p := userstest.At(userstest.Profile(fmt.Sprint(i)), "third")
			if _, err := h.Link(t.Context(), userstest.By(one), one.Session.ID, p); err != nil {
				t.Fatal(err)
			}
			unlink(t, h, one, "third")
		}
		listed(t, h, one, two)
		unlink(t, h, one, "other")
		h.WantSession(t, one.Cookie, usersvc.ErrNoSession)
		listed(t, h, h.MustSignIn(t, here))
	})
	t.Run("a row that tells of it in no way we know lets nobody in", func(t *testing.T) {
		for _, damaged := range []any{"x", "x:", ":1", "x:y", int64(1)} {
			h, one, _ := start(t)
			key := table.Key{PK: "user#" + one.User.ID, SK: "user"}
			if err := h.Table.Write(t.Context(), table.Update(key, map[string]any{"cuts": damaged})); err != nil {
				t.Fatal(err)
			}
			h.WantSession(t, one.Cookie, table.ErrDamaged)
		}
	})
	again(t, open, "unlinking while somebody signs in with it", func(t *testing.T, h *userstest.Harness) {
		one, two := h.MustSignIn(t, here), h.MustSignIn(t, there)
		linked, err := h.Identities(t.Context(), one.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		var late userstest.SignedIn
		errs := together(
			func() error {
				for _, i := range linked {
					if i.Provider == "other" {
						_, err := h.Unlink(t.Context(), userstest.By(one), one.User.ID, i.ID)
						return err
					}
				}
				return errors.New("nothing to unlink")
			},
			func() (err error) {
				late.User, late.Session, late.Cookie, err = h.SignIn(t.Context(), there, usersvc.SignInInfo{})
				return err
			},
		)
		if errors.Join(errs...) != nil {
			t.Fatal(errs)
		}
		h.WantSession(t, two.Cookie, usersvc.ErrNoSession)
		if late.User.ID == one.User.ID { // it came first
			h.WantSession(t, late.Cookie, usersvc.ErrNoSession)
		}
	})
}

func TestLinkNeedsASession(t *testing.T) { onEngines(t, testLinkNeedsASession) }

func testLinkNeedsASession(t *testing.T, open userstest.Engine) {
	stranger := userstest.At(userstest.Profile("x"), "stranger")
	refused := func(name string, sid func(h *userstest.Harness, lin userstest.SignedIn) string) {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			lin := h.MustSignIn(t, userstest.Profile("lin"))
			id := sid(h, lin)
			h.WantUnchanged(t, lin.User.ID, func() {
				if _, err := h.Link(t.Context(), userstest.By(lin), id, stranger); !errors.Is(err, usersvc.ErrNoSession) && !errors.Is(err, usersvc.ErrForbidden) {
					t.Error(err)
				}
			})
			if got := h.MustSignIn(t, stranger); got.User.ID == lin.User.ID {
				t.Error("linked")
			}
		})
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused("none", func(*userstest.Harness, userstest.SignedIn) string { return "" })
	refused("another user's", func(h *userstest.Harness, _ userstest.SignedIn) string {
		return h.MustSignIn(t, userstest.Profile("kim")).Session.ID
	})
	refused("one that has ended", func(h *userstest.Harness, lin userstest.SignedIn) string {
		must(h.EndSession(t.Context(), lin.User.ID, lin.Session.ID))
		return lin.Session.ID
	})
	refused("one that ended with all", func(h *userstest.Harness, lin userstest.SignedIn) string {
		must(h.EndSessions(t.Context(), userstest.By(lin), lin.User.ID, ""))
		return lin.Session.ID
	})
	refused("one that has expired", func(h *userstest.Harness, lin userstest.SignedIn) string {
		h.Clock.Pass(31 * 24 * time.Hour)
		return lin.Session.ID
	})
	refused("one of a user who is suspended", func(h *userstest.Harness, lin userstest.SignedIn) string {
		_, err := h.Suspend(t.Context(), userstest.Operator, lin.User.ID)
		must(err)
		return lin.Session.ID
	})
	t.Run("one that ends at the last moment", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.Users.Table = &interrupted{Table: h.Table, before: func() { must(h.EndSession(t.Context(), lin.User.ID, lin.Session.ID)) }}
		if _, err := h.Link(t.Context(), userstest.By(lin), lin.Session.ID, stranger); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error(err)
		}
	})
}

// interrupted is a table that does something before the first write.
type interrupted struct {
	table.Table
	before func()
}

func (i *interrupted) Write(ctx context.Context, writes ...table.Write) error {
	if do := i.before; do != nil {
		i.before = nil
		do()
	}
	return i.Table.Write(ctx, writes...)
}

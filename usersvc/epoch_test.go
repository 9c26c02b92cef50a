package usersvc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestUnlinkEndsSessions(t *testing.T) { onEngines(t, testUnlinkEndsSessions) }

func testUnlinkEndsSessions(t *testing.T, open engine) {
	here, there := profile("lin"), at(profile("lin"), "other")
	start := func(t *testing.T) (h *house, one, two in) {
		h = open(t)
		return h, h.signIn(t, here), h.signIn(t, there)
	}
	unlink := func(t *testing.T, h *house, who in, provider string) {
		t.Helper()
		linked, err := h.Identities(t.Context(), who.user.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range linked {
			if i.Provider == provider {
				if _, err := h.Unlink(t.Context(), by(who), who.user.ID, i.ID); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		t.Fatal("nothing to unlink at", provider)
	}
	listed := func(t *testing.T, h *house, want ...in) {
		t.Helper()
		sessions, err := h.Sessions(t.Context(), want[0].user.ID)
		if err != nil || len(sessions) != len(want) {
			t.Errorf("%d sessions, want %d: %v", len(sessions), len(want), err)
		}
		for _, w := range want {
			h.wantSession(t, w.cookie, nil)
		}
	}

	t.Run("the sessions that began with it, and no others", func(t *testing.T) {
		h, one, two := start(t)
		again := h.signIn(t, there)
		unlink(t, h, one, "other")
		for _, ended := range []in{two, again} {
			h.wantSession(t, ended.cookie, usersvc.ErrNoSession)
			if _, _, err := h.SessionByID(t.Context(), ended.user.ID, ended.session.ID); !errors.Is(err, usersvc.ErrNoSession) {
				t.Error("its tokens can be renewed:", err)
			}
		}
		listed(t, h, one)
	})
	t.Run("the tokens of the user are revoked", func(t *testing.T) {
		h, one, _ := start(t)
		before := h.clock.Now()
		unlink(t, h, one, "other")
		list, err := h.Revocations(t.Context())
		if err != nil || !list.Revoked(one.user.ID, "", before) {
			t.Error(list, err)
		}
		if user, err := h.Get(t.Context(), one.user.ID); err != nil || !user.TokensFrom.After(before) {
			t.Error(user.TokensFrom, err)
		}
	})
	t.Run("also the session in which one asks for it", func(t *testing.T) {
		h, one, two := start(t)
		unlink(t, h, two, "other")
		h.wantSession(t, two.cookie, usersvc.ErrNoSession)
		listed(t, h, one)
	})
	t.Run("a session of the same identity, linked again, is a new one", func(t *testing.T) {
		h, one, old := start(t)
		unlink(t, h, one, "other")
		if _, err := h.Link(t.Context(), by(one), one.session.ID, there); err != nil {
			t.Fatal(err)
		}
		h.wantSession(t, old.cookie, usersvc.ErrNoSession)
		again := h.signIn(t, there)
		listed(t, h, one, again)
		unlink(t, h, one, "other")
		h.wantSession(t, again.cookie, usersvc.ErrNoSession)
		listed(t, h, one)
	})
	t.Run("a session from before rows said with which identity it began", func(t *testing.T) {
		h, one, two := start(t)
		key := table.Key{PK: "user#" + one.user.ID, SK: "session#" + one.session.ID}
		item, err := h.table.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		delete(item, "identity")
		delete(item, "user_version")
		if err := h.table.Write(t.Context(), table.Put(item)); err != nil {
			t.Fatal(err)
		}
		listed(t, h, one, two)
		unlink(t, h, two, "demo")
		h.wantSession(t, one.cookie, usersvc.ErrNoSession)
		listed(t, h, two)
	})
	t.Run("ending the others leaves one that was begun anew", func(t *testing.T) {
		h, one, _ := start(t)
		unlink(t, h, one, "other")
		if err := h.EndSessions(t.Context(), by(one), one.user.ID, one.session.ID); err != nil {
			t.Fatal(err)
		}
		listed(t, h, one)
	})
	t.Run("it cannot be the one that is kept when the others end", func(t *testing.T) {
		h, one, two := start(t)
		unlink(t, h, one, "other")
		if err := h.EndSessions(t.Context(), by(two), two.user.ID, two.session.ID); !errors.Is(err, usersvc.ErrNoSession) {
			t.Error(err)
		}
		listed(t, h, one)
	})
	t.Run("the same one, however often, is told of once", func(t *testing.T) {
		h, one, two := start(t)
		third := at(profile("x"), "third")
		for range 22 {
			if _, err := h.Link(t.Context(), by(one), one.session.ID, third); err != nil {
				t.Fatal(err)
			}
			unlink(t, h, one, "third")
		}
		listed(t, h, one, two)
	})
	t.Run("after more than the row can tell of, all end", func(t *testing.T) {
		h, one, two := start(t)
		for i := range 20 {
			p := at(profile(fmt.Sprint(i)), "third")
			if _, err := h.Link(t.Context(), by(one), one.session.ID, p); err != nil {
				t.Fatal(err)
			}
			unlink(t, h, one, "third")
		}
		listed(t, h, one, two)
		unlink(t, h, one, "other")
		h.wantSession(t, one.cookie, usersvc.ErrNoSession)
		listed(t, h, h.signIn(t, here))
	})
	t.Run("a row that tells of it in no way we know lets nobody in", func(t *testing.T) {
		for _, damaged := range []any{"x", "x:", ":1", "x:y", int64(1)} {
			h, one, _ := start(t)
			key := table.Key{PK: "user#" + one.user.ID, SK: "user"}
			if err := h.table.Write(t.Context(), table.Update(key, map[string]any{"cuts": damaged})); err != nil {
				t.Fatal(err)
			}
			h.wantSession(t, one.cookie, table.ErrDamaged)
		}
	})
	again(t, open, "unlinking while somebody signs in with it", func(t *testing.T, h *house) {
		one, two := h.signIn(t, here), h.signIn(t, there)
		linked, err := h.Identities(t.Context(), one.user.ID)
		if err != nil {
			t.Fatal(err)
		}
		var late in
		errs := together(
			func() error {
				for _, i := range linked {
					if i.Provider == "other" {
						_, err := h.Unlink(t.Context(), by(one), one.user.ID, i.ID)
						return err
					}
				}
				return errors.New("nothing to unlink")
			},
			func() (err error) {
				late.user, late.session, late.cookie, err = h.SignIn(t.Context(), there, usersvc.SignInInfo{})
				return err
			},
		)
		if errors.Join(errs...) != nil {
			t.Fatal(errs)
		}
		h.wantSession(t, two.cookie, usersvc.ErrNoSession)
		if late.user.ID == one.user.ID { // it came first
			h.wantSession(t, late.cookie, usersvc.ErrNoSession)
		}
	})
}

func TestLinkNeedsASession(t *testing.T) { onEngines(t, testLinkNeedsASession) }

func testLinkNeedsASession(t *testing.T, open engine) {
	stranger := at(profile("x"), "stranger")
	refused := func(name string, sid func(h *house, lin in) string) {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			lin := h.signIn(t, profile("lin"))
			id := sid(h, lin)
			h.unchanged(t, lin.user.ID, func() {
				if _, err := h.Link(t.Context(), by(lin), id, stranger); !errors.Is(err, usersvc.ErrNoSession) && !errors.Is(err, usersvc.ErrForbidden) {
					t.Error(err)
				}
			})
			if got := h.signIn(t, stranger); got.user.ID == lin.user.ID {
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
	refused("none", func(*house, in) string { return "" })
	refused("another user's", func(h *house, _ in) string { return h.signIn(t, profile("kim")).session.ID })
	refused("one that has ended", func(h *house, lin in) string {
		must(h.EndSession(t.Context(), lin.user.ID, lin.session.ID))
		return lin.session.ID
	})
	refused("one that ended with all", func(h *house, lin in) string {
		must(h.EndSessions(t.Context(), by(lin), lin.user.ID, ""))
		return lin.session.ID
	})
	refused("one that has expired", func(h *house, lin in) string {
		h.clock.pass(31 * 24 * time.Hour)
		return lin.session.ID
	})
	refused("one of a user who is suspended", func(h *house, lin in) string {
		_, err := h.Suspend(t.Context(), operator, lin.user.ID)
		must(err)
		return lin.session.ID
	})
	t.Run("one that ends at the last moment", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		h.Users.Table = &interrupted{Table: h.table, before: func() { must(h.EndSession(t.Context(), lin.user.ID, lin.session.ID)) }}
		if _, err := h.Link(t.Context(), by(lin), lin.session.ID, stranger); !errors.Is(err, usersvc.ErrNoSession) {
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

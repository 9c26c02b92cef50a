package usersvc_test

import (
	"errors"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

var linsIdentity = table.Key{PK: "identity#https://demo.example#sub-lin", SK: "identity"}

func TestRemembered(t *testing.T) { onEngines(t, testRemembered) }

func testRemembered(t *testing.T, open userstest.Engine) {
	// calls is what a sign-in costs now, and then what the next one does.
	calls := func(t *testing.T, h *userstest.Harness, p usersvc.Profile, now, next int64) (last userstest.SignedIn) {
		t.Helper()
		for _, want := range []int64{now, next} {
			if n := h.Table.During(func() { last = h.MustSignIn(t, p) }); n != want {
				t.Errorf("%d calls of the table, want %d", n, want)
			}
		}
		return last
	}
	lin := userstest.Profile("lin")
	t.Run("the user who just signed in", func(t *testing.T) {
		h := open(t)
		h.MustSignIn(t, lin)
		calls(t, h, lin, 2, 2)
	})
	t.Run("with a new profile, too", func(t *testing.T) {
		h := open(t)
		h.MustSignIn(t, lin)
		p := with(lin, func(p *usersvc.Profile) { p.Name = "Linnéa" })
		if got := calls(t, h, p, 2, 2); got.User.Name != "Linnéa" {
			t.Error(got.User)
		}
	})
	t.Run("of two identities, each as far as it knows", func(t *testing.T) {
		h := open(t)
		h.MustSignIn(t, lin)
		h.MustSignIn(t, userstest.At(lin, "other")) // joins, which is a new version
		calls(t, h, userstest.At(lin, "other"), 2, 2)
		calls(t, h, lin, 5, 2)
	})
	t.Run("not beyond a change of rights", func(t *testing.T) {
		h := open(t)
		user := h.MustSignIn(t, lin).User
		if _, err := h.SetRoles(t.Context(), userstest.Operator, user.ID, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		if got := calls(t, h, lin, 5, 2); !got.User.HasRole("admin") || got.User.HasRole("user") {
			t.Error(got.User)
		}
	})
	t.Run("S38 not beyond a suspension, nor that for ever", func(t *testing.T) {
		h := open(t)
		user := h.MustSignIn(t, lin).User
		if _, err := h.Suspend(t.Context(), userstest.Operator, user.ID); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, _, cookie, err := h.SignIn(t.Context(), lin, usersvc.SignInInfo{}); !errors.Is(err, usersvc.ErrSuspended) || cookie != "" {
				t.Error(err)
			}
		}
		if _, err := h.Activate(t.Context(), userstest.Operator, user.ID); err != nil {
			t.Fatal(err)
		}
		h.WantSession(t, calls(t, h, lin, 5, 2).Cookie, nil)
	})
	t.Run("who was suspended before they first signed in", func(t *testing.T) {
		h := open(t)
		user, err := h.EnsureUser(t.Context(), lin, usersvc.Suspended)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Activate(t.Context(), userstest.Operator, user.ID); err != nil {
			t.Fatal(err)
		}
		calls(t, h, lin, 3, 2)
	})
	t.Run("S133 not beyond deletion", func(t *testing.T) {
		h := open(t)
		user := h.MustSignIn(t, lin).User
		remembered, err := h.Table.Get(t.Context(), linsIdentity)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Delete(t.Context(), userstest.Operator, user.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.Table.Write(t.Context(), table.Put(remembered)); err != nil { // as if it had stayed
			t.Fatal(err)
		}
		if _, _, cookie, err := h.SignIn(t.Context(), lin, usersvc.SignInInfo{}); err == nil || cookie != "" {
			t.Error("the dead signed in")
		}
	})
	t.Run("fault 22 nor in place of a row that is damaged", func(t *testing.T) {
		h := open(t)
		user := h.MustSignIn(t, lin).User
		if err := h.Table.Write(t.Context(), table.Update(table.Key{PK: "user#" + user.ID, SK: "user"}, map[string]any{"schema": int64(2)})); err != nil {
			t.Fatal(err)
		}
		p := with(lin, func(p *usersvc.Profile) { p.Name = "Linnéa" })
		if _, _, cookie, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{}); !errors.Is(err, table.ErrDamaged) || cookie != "" {
			t.Error(err)
		}
	})
	for name, set := range map[string]map[string]any{
		"is of another user":             {"user.id": "u_other"},
		"is of a later schema":           {"user.schema": int64(99)},
		"is damaged":                     {"user.roles": "admin"},
		"is of a version that was not":   {"user.version": int64(99)},
		"has rights of its own making":   {"user.roles": []string{"admin"}, "user.version": int64(0)},
		"has a status of its own making": {"user.status": "suspended"},
	} {
		t.Run("not if the row "+name, func(t *testing.T) {
			h := open(t)
			user := h.MustSignIn(t, lin).User
			if err := h.Table.Write(t.Context(), table.Update(linsIdentity, set)); err != nil {
				t.Fatal(err)
			}
			if got := h.MustSignIn(t, lin); got.User.ID != user.ID || got.User.HasRole("admin") {
				t.Error(got.User)
			}
			calls(t, h, lin, 2, 2) // and it is mended
		})
	}
}

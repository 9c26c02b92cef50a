package usersvc_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestOneOwnerPerAddress(t *testing.T) { onEngines(t, testOneOwnerPerAddress) }

func testOneOwnerPerAddress(t *testing.T, open userstest.Engine) {
	lin := userstest.Profile("lin") // at demo, which is trusted
	stranger, second := userstest.At(lin, "stranger"), userstest.At(lin, "second")
	verified := func(t *testing.T, h *userstest.Harness, who userstest.SignedIn) bool {
		t.Helper()
		user, err := h.Get(t.Context(), who.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		return user.EmailVerified
	}
	for name, trusted := range map[string][]string{"where no provider is trusted": nil, "where others are trusted": {"demo"}} {
		t.Run("the first untrusted one keeps it, "+name, func(t *testing.T) {
			h := open(t)
			h.TrustedProviders = trusted
			first := h.MustSignIn(t, stranger)
			late := h.MustSignIn(t, second)
			for range 2 {
				if !first.User.EmailVerified || late.User.EmailVerified || !verified(t, h, first) || verified(t, h, late) {
					t.Error(first.User, late.User)
				}
				first = h.MustSignIn(t, stranger)
				if n := h.Table.During(func() { late = h.MustSignIn(t, second) }); n != 2 {
					t.Errorf("%d calls of the table, want 2", n)
				}
			}
		})
	}
	t.Run("a trusted provider takes it", func(t *testing.T) {
		h := open(t)
		first := h.MustSignIn(t, stranger)
		h.Clock.Pass(time.Minute)
		owner := h.MustSignIn(t, lin)
		if owner.User.ID == first.User.ID || !owner.User.EmailVerified || verified(t, h, first) {
			t.Errorf("%+v, %+v", owner.User, first.User)
		}
		h.WantRevoked(t, first.User, true)
		h.WantSession(t, first.Cookie, nil)
		if again := h.MustSignIn(t, lin); again.User.ID != owner.User.ID || !again.User.EmailVerified {
			t.Errorf("%+v", again.User)
		}
		// The first one comes back, and takes nothing.
		if again := h.MustSignIn(t, stranger); again.User.ID != first.User.ID || again.User.EmailVerified || !verified(t, h, owner) {
			t.Errorf("%+v", again.User)
		}
		if trail := h.Trail(t, first.User.ID); !slices.Contains(trail, usersvc.ProfileChanged) {
			t.Error(trail)
		}
	})
	t.Run("also when the trusted provider's user had lost it", func(t *testing.T) {
		h := open(t)
		h.TrustedProviders = nil
		first, late := h.MustSignIn(t, stranger), h.MustSignIn(t, lin)
		h.TrustedProviders = []string{"demo"}
		if late = h.MustSignIn(t, lin); !late.User.EmailVerified || verified(t, h, first) {
			t.Errorf("%+v", late.User)
		}
	})
	t.Run("a trusted provider does not take it from another", func(t *testing.T) {
		h := open(t)
		owner := h.MustSignIn(t, lin)
		recycled := lin
		recycled.Subject = "another person"
		if late := h.MustSignIn(t, recycled); late.User.ID == owner.User.ID || late.User.EmailVerified || !verified(t, h, owner) {
			t.Errorf("%+v", late.User)
		}
	})
	t.Run("nor does a spelling of the address", func(t *testing.T) {
		h := open(t)
		h.MustSignIn(t, stranger)
		for _, spelling := range []string{"LIN@EXAMPLE.COM", "Lin@example.com"} {
			p := second
			p.Email, p.Subject = spelling, spelling
			if user := h.MustSignIn(t, p).User; user.EmailVerified {
				t.Errorf("%+v", user)
			}
		}
	})
	t.Run("an address that its owner gives up is free", func(t *testing.T) {
		h := open(t)
		h.MustSignIn(t, stranger)
		moved := stranger
		moved.Email = "lin@new.example"
		if user := h.MustSignIn(t, moved).User; !user.EmailVerified {
			t.Errorf("%+v", user)
		}
		if user := h.MustSignIn(t, second).User; !user.EmailVerified {
			t.Errorf("%+v", user)
		}
	})
	t.Run("and one whose owner is deleted", func(t *testing.T) {
		h := open(t)
		if err := h.Delete(t.Context(), userstest.Operator, h.MustSignIn(t, stranger).User.ID); err != nil {
			t.Fatal(err)
		}
		if user := h.MustSignIn(t, second).User; !user.EmailVerified {
			t.Errorf("%+v", user)
		}
	})
	t.Run("a user from before addresses had owners owns it after signing in", func(t *testing.T) {
		h := open(t)
		first := h.MustSignIn(t, stranger)
		old := map[string]any{"claimed_email": "", "email_verified": true}
		w := table.Update(schema.User(first.User.ID), old).Removing("untrusted_email", "lost_to_untrusted")
		remembered := table.Delete(schema.Identity(stranger.Issuer, stranger.Subject))
		row, err := h.Table.Get(t.Context(), remembered.Key)
		if err != nil {
			t.Fatal(err)
		}
		row["user.claimed_email"] = ""
		delete(row, "user.untrusted_email")
		delete(row, "user.lost_to_untrusted")
		if err := h.Table.Write(t.Context(), w, table.Put(row), table.Delete(schema.Email("lin@example.com"))); err != nil {
			t.Fatal(err)
		}
		if verified(t, h, first) {
			t.Error("verified, and the owner of nothing")
		}
		if user := h.MustSignIn(t, stranger).User; !user.EmailVerified {
			t.Errorf("%+v", user)
		}
		if n := h.Table.During(func() { h.MustSignIn(t, stranger) }); n != 2 {
			t.Errorf("%d calls of the table, want 2", n)
		}
	})
	again(t, open, "two who come at once are not both owners", func(t *testing.T, h *userstest.Harness) {
		h.TrustedProviders = []string{"demo"}
		errs := together(
			func() error { _, _, _, err := h.SignIn(t.Context(), lin, usersvc.SignInInfo{}); return err },
			func() error {
				_, _, _, err := h.SignIn(t.Context(), userstest.At(lin, "stranger"), usersvc.SignInInfo{})
				return err
			},
		)
		owners := 0
		for _, user := range h.All(t) {
			if user.EmailVerified {
				owners++
			}
		}
		if errs[0] != nil || owners != 1 {
			t.Errorf("%d owners, %v", owners, errs)
		}
	})
}

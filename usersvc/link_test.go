package usersvc_test

import (
	"errors"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestJoining(t *testing.T) { onEngines(t, testJoining) }

func testJoining(t *testing.T, open userstest.Engine) {
	t.Run("a trusted provider's verified address joins an identity to its user", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		there := userstest.At(userstest.Profile("lin"), "other")
		there.Email = "LIN@example.com"
		if got := h.MustSignIn(t, there); got.User.ID != lin.User.ID {
			t.Errorf("%v and %v", lin.User, got.User)
		}
		if got := h.MustSignIn(t, there); got.User.ID != lin.User.ID || len(h.All(t)) != 1 {
			t.Error("the second time:", got.User, h.All(t))
		}
	})
	t.Run("a joined identity does not change the profile", func(t *testing.T) {
		h := open(t)
		h.MustSignIn(t, userstest.Profile("lin"))
		there := userstest.At(userstest.Profile("lin"), "other")
		h.MustSignIn(t, there)
		there.Name, there.Email = "Eve", "eve@example.com"
		if user := h.MustSignIn(t, there).User; user.Name != "lin" || user.Email != "lin@example.com" {
			t.Errorf("%+v", user)
		}
	})

	// Each of these is somebody else, or may be.
	apart := func(name string, first, second usersvc.Profile, want error) {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			victim := h.MustSignIn(t, first)
			user, _, _, err := h.SignIn(t.Context(), second, usersvc.SignInInfo{})
			if !errors.Is(err, want) || user.ID == victim.User.ID {
				t.Errorf("%v, %v, want %v", user, err, want)
			}
			if again := h.MustSignIn(t, first); again.User.ID != victim.User.ID {
				t.Error("the first one has become", again.User)
			}
		})
	}
	unverified := func(p usersvc.Profile) usersvc.Profile { p.EmailVerified = false; return p }
	lin := userstest.Profile("lin")

	apart("S35 another subject of the same provider", lin, with(lin, func(p *usersvc.Profile) { p.Subject = "recycled" }), nil)
	apart("S35 S36 an address that is not verified", lin, unverified(userstest.At(lin, "other")), nil)
	apart("S35 an untrusted provider's word", lin, userstest.At(lin, "stranger"), usersvc.ErrEmailKnown)
	apart("S35 an untrusted provider's word, not verified", lin, unverified(userstest.At(lin, "stranger")), nil)
	apart("S35 a user who came first with an address that was not verified owns nothing", unverified(userstest.At(lin, "other")), lin, nil)
	apart("S35 a user who came first from an untrusted provider owns nothing", userstest.At(lin, "stranger"), lin, nil)
	apart("S37 an address that ends in the same domain", lin, with(userstest.At(lin, "other"), func(p *usersvc.Profile) { p.Email = "lin@example.com@example.com" }), nil)

	t.Run("S35 no trusted provider, no joining", func(t *testing.T) {
		h := open(t)
		h.TrustedProviders = nil
		if a, b := h.MustSignIn(t, lin), h.MustSignIn(t, userstest.At(lin, "other")); a.User.ID == b.User.ID {
			t.Error(a.User)
		}
	})
	t.Run("an address that a user no longer has leads to them no more", func(t *testing.T) {
		h := open(t)
		old := h.MustSignIn(t, lin)
		h.MustSignIn(t, with(lin, func(p *usersvc.Profile) { p.Email = "lin@new.example" }))
		if got := h.MustSignIn(t, userstest.At(lin, "other")); got.User.ID == old.User.ID {
			t.Error("the old address still leads to", got.User)
		}
		there := with(userstest.At(lin, "third"), func(p *usersvc.Profile) { p.Email = "lin@new.example" })
		h.TrustedProviders = append(h.TrustedProviders, "third")
		if got := h.MustSignIn(t, there); got.User.ID != old.User.ID {
			t.Error("the new address leads to", got.User)
		}
	})
	t.Run("S35 S36 changing to an address that is not verified claims nothing", func(t *testing.T) {
		h := open(t)
		eve := h.MustSignIn(t, userstest.Profile("eve"))
		h.MustSignIn(t, with(userstest.Profile("eve"), func(p *usersvc.Profile) { p.Email, p.EmailVerified = "lin@example.com", false }))
		if got := h.MustSignIn(t, userstest.At(lin, "other")); got.User.ID == eve.User.ID {
			t.Error("hijacked before it was there:", got.User)
		}
	})
	t.Run("S35 an address counts only if the user's own row says so, too", func(t *testing.T) {
		h := open(t)
		eve := h.MustSignIn(t, with(userstest.Profile("eve"), func(p *usersvc.Profile) { p.EmailVerified = false }))
		row := table.Item{table.PK: "email#lin@example.com", table.SK: "email", "user_id": eve.User.ID}
		if err := h.Table.Write(t.Context(), table.Put(row)); err != nil {
			t.Fatal(err)
		}
		if user, _, _, err := h.SignIn(t.Context(), lin, usersvc.SignInInfo{}); err == nil {
			t.Error("joined", user)
		}
	})
	t.Run("taking an address that is another's takes nothing", func(t *testing.T) {
		h := open(t)
		ada := h.MustSignIn(t, userstest.Profile("ada"))
		h.MustSignIn(t, lin)
		posing := with(lin, func(p *usersvc.Profile) { p.Email = "ada@example.com" })
		for range 2 {
			h.MustSignIn(t, posing)
		}
		if n := h.Table.During(func() { h.MustSignIn(t, posing) }); n > 3 {
			t.Errorf("%d calls, want at most 3", n)
		}
		if got := h.MustSignIn(t, userstest.At(userstest.Profile("ada"), "other")); got.User.ID != ada.User.ID {
			t.Error("the address now leads to", got.User)
		}
	})
}

func with(p usersvc.Profile, change func(*usersvc.Profile)) usersvc.Profile {
	change(&p)
	return p
}

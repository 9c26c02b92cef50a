package usersvc_test

import (
	"errors"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// at is the same person's profile at another provider.
func at(p usersvc.Profile, provider string) usersvc.Profile {
	p.Provider, p.Issuer, p.Subject = provider, "https://"+provider+".example", p.Subject+"-there"
	return p
}

func TestJoining(t *testing.T) { onEngines(t, testJoining) }

func testJoining(t *testing.T, open engine) {
	t.Run("a trusted provider's verified address joins an identity to its user", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		there := at(profile("lin"), "other")
		there.Email = "LIN@example.com"
		if got := h.signIn(t, there); got.user.ID != lin.user.ID {
			t.Errorf("%v and %v", lin.user, got.user)
		}
		if got := h.signIn(t, there); got.user.ID != lin.user.ID || len(h.all(t)) != 1 {
			t.Error("the second time:", got.user, h.all(t))
		}
	})
	t.Run("a joined identity does not change the profile", func(t *testing.T) {
		h := open(t)
		h.signIn(t, profile("lin"))
		there := at(profile("lin"), "other")
		h.signIn(t, there)
		there.Name, there.Email = "Eve", "eve@example.com"
		if user := h.signIn(t, there).user; user.Name != "lin" || user.Email != "lin@example.com" {
			t.Errorf("%+v", user)
		}
	})

	// Each of these is somebody else, or may be.
	apart := func(name string, first, second usersvc.Profile, want error) {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			victim := h.signIn(t, first)
			user, _, _, err := h.SignIn(t.Context(), second, usersvc.SignInInfo{})
			if !errors.Is(err, want) || user.ID == victim.user.ID {
				t.Errorf("%v, %v, want %v", user, err, want)
			}
			if again := h.signIn(t, first); again.user.ID != victim.user.ID {
				t.Error("the first one has become", again.user)
			}
		})
	}
	unverified := func(p usersvc.Profile) usersvc.Profile { p.EmailVerified = false; return p }
	lin := profile("lin")

	apart("S35 another subject of the same provider", lin, with(lin, func(p *usersvc.Profile) { p.Subject = "recycled" }), nil)
	apart("S35 S36 an address that is not verified", lin, unverified(at(lin, "other")), nil)
	apart("S35 an untrusted provider's word", lin, at(lin, "stranger"), usersvc.ErrEmailKnown)
	apart("S35 an untrusted provider's word, not verified", lin, unverified(at(lin, "stranger")), nil)
	apart("S35 a user who came first with an address that was not verified owns nothing", unverified(at(lin, "other")), lin, nil)
	apart("S35 a user who came first from an untrusted provider owns nothing", at(lin, "stranger"), lin, nil)
	apart("S37 an address that ends in the same domain", lin, with(at(lin, "other"), func(p *usersvc.Profile) { p.Email = "lin@example.com@example.com" }), nil)

	t.Run("S35 no trusted provider, no joining", func(t *testing.T) {
		h := open(t)
		h.TrustedProviders = nil
		if a, b := h.signIn(t, lin), h.signIn(t, at(lin, "other")); a.user.ID == b.user.ID {
			t.Error(a.user)
		}
	})
	t.Run("an address that a user no longer has leads to them no more", func(t *testing.T) {
		h := open(t)
		old := h.signIn(t, lin)
		h.signIn(t, with(lin, func(p *usersvc.Profile) { p.Email = "lin@new.example" }))
		if got := h.signIn(t, at(lin, "other")); got.user.ID == old.user.ID {
			t.Error("the old address still leads to", got.user)
		}
		there := with(at(lin, "third"), func(p *usersvc.Profile) { p.Email = "lin@new.example" })
		h.TrustedProviders = append(h.TrustedProviders, "third")
		if got := h.signIn(t, there); got.user.ID != old.user.ID {
			t.Error("the new address leads to", got.user)
		}
	})
	t.Run("S35 S36 changing to an address that is not verified claims nothing", func(t *testing.T) {
		h := open(t)
		eve := h.signIn(t, profile("eve"))
		h.signIn(t, with(profile("eve"), func(p *usersvc.Profile) { p.Email, p.EmailVerified = "lin@example.com", false }))
		if got := h.signIn(t, at(lin, "other")); got.user.ID == eve.user.ID {
			t.Error("hijacked before it was there:", got.user)
		}
	})
	t.Run("S35 an address counts only if the user's own row says so, too", func(t *testing.T) {
		h := open(t)
		eve := h.signIn(t, with(profile("eve"), func(p *usersvc.Profile) { p.EmailVerified = false }))
		row := table.Item{table.PK: "email#lin@example.com", table.SK: "email", "user_id": eve.user.ID}
		if err := h.table.Write(t.Context(), table.Put(row)); err != nil {
			t.Fatal(err)
		}
		if user, _, _, err := h.SignIn(t.Context(), lin, usersvc.SignInInfo{}); err == nil {
			t.Error("joined", user)
		}
	})
	t.Run("taking an address that is another's takes nothing", func(t *testing.T) {
		h := open(t)
		ada := h.signIn(t, profile("ada"))
		h.signIn(t, lin)
		posing := with(lin, func(p *usersvc.Profile) { p.Email = "ada@example.com" })
		for range 2 {
			h.signIn(t, posing)
		}
		if n := h.table.during(func() { h.signIn(t, posing) }); n > 3 {
			t.Errorf("%d calls, want at most 3", n)
		}
		if got := h.signIn(t, at(profile("ada"), "other")); got.user.ID != ada.user.ID {
			t.Error("the address now leads to", got.user)
		}
	})
}

func with(p usersvc.Profile, change func(*usersvc.Profile)) usersvc.Profile {
	change(&p)
	return p
}

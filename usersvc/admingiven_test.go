package usersvc_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// adaGiven is the row of ada@example.com, by its SHA-256.
var adaGiven = schema.AdminGiven("tfyF5VdV-eDQMKEKtEKbaylEhV-aDWAHf-gyvsvEHXI")

func TestAdminIsGivenOnce(t *testing.T) { onEngines(t, testAdminIsGivenOnce) }

func testAdminIsGivenOnce(t *testing.T, open userstest.Engine) {
	ada := userstest.Profile("ada")
	// start returns Ada, made an admin by the configuration, and another admin.
	start := func(t *testing.T, h *userstest.Harness, p usersvc.Profile) (userstest.SignedIn, userstest.SignedIn) {
		t.Helper()
		given, other := h.MustSignIn(t, p), h.MustSignIn(t, userstest.Profile("lin"))
		if !given.User.HasRole(usersvc.Admin) {
			t.Fatal(given.User.Roles)
		}
		if _, err := h.SetRoles(t.Context(), userstest.By(given), other.User.ID, []string{"admin"}, 0); err != nil {
			t.Fatal(err)
		}
		return given, other
	}
	demote := func(t *testing.T, h *userstest.Harness, by, whom userstest.SignedIn) {
		t.Helper()
		if _, err := h.SetRoles(t.Context(), userstest.By(by), whom.User.ID, []string{"user"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(t *testing.T, h *userstest.Harness, by usersvc.By, whom userstest.SignedIn) {
		t.Helper()
		if err := h.Delete(t.Context(), by, whom.User.ID); err != nil {
			t.Fatal(err)
		}
	}
	none := func(t *testing.T, h *userstest.Harness, p usersvc.Profile) {
		t.Helper()
		for range 2 {
			user, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{})
			if err != nil && !errors.Is(err, usersvc.ErrSuspended) {
				t.Error(err)
			}
			if user.HasRole(usersvc.Admin) {
				t.Error("admin again:", user)
			}
		}
		if n := h.Table.During(func() { h.SignIn(t.Context(), p, usersvc.SignInInfo{}) }); n > 4 {
			t.Errorf("%d calls of the table for each sign-in", n)
		}
	}
	for _, trusted := range [][]string{{"demo", "other"}, nil} {
		trust := func(h *userstest.Harness) { h.TrustedProviders = slices.Clone(trusted) }
		t.Run("not after the account was deleted by its user", func(t *testing.T) {
			h := open(t)
			trust(h)
			given, other := start(t, h, ada)
			demote(t, h, other, given)
			remove(t, h, userstest.By(given), given)
			none(t, h, ada)
		})
		t.Run("nor if the user was an admin to the end", func(t *testing.T) {
			h := open(t)
			trust(h)
			given, _ := start(t, h, ada)
			remove(t, h, userstest.By(given), given)
			none(t, h, ada)
			none(t, h, userstest.At(ada, "other"))
		})
		t.Run("nor by another identity while suspended", func(t *testing.T) {
			h := open(t)
			trust(h)
			given, other := start(t, h, ada)
			if _, err := h.Suspend(t.Context(), userstest.By(other), given.User.ID); err != nil {
				t.Fatal(err)
			}
			recycled := ada
			recycled.Subject = "another"
			for _, p := range []usersvc.Profile{userstest.At(ada, "other"), recycled} {
				none(t, h, p)
			}
		})
		t.Run("nor in another spelling", func(t *testing.T) {
			h := open(t)
			trust(h)
			given, _ := start(t, h, ada)
			remove(t, h, userstest.Operator, given)
			shout := ada
			shout.Email = "ADA@EXAMPLE.COM"
			none(t, h, shout)
		})
	}
	t.Run("nor after an older version gave it and another admin took it", func(t *testing.T) {
		for name, lose := range map[string]func(t *testing.T, h *userstest.Harness, given, other userstest.SignedIn){
			"taken":   func(t *testing.T, h *userstest.Harness, given, other userstest.SignedIn) { demote(t, h, other, given) },
			"deleted": func(*testing.T, *userstest.Harness, userstest.SignedIn, userstest.SignedIn) {},
			"suspended": func(t *testing.T, h *userstest.Harness, given, other userstest.SignedIn) {
				if _, err := h.Suspend(t.Context(), userstest.By(other), given.User.ID); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				h := open(t)
				given, other := start(t, h, ada)
				if err := h.Table.Write(t.Context(), table.Delete(adaGiven)); err != nil {
					t.Fatal(err)
				}
				if lose(t, h, given, other); name != "deleted" {
					recycled := ada
					recycled.Subject = "another"
					none(t, h, recycled)
				}
				remove(t, h, userstest.Operator, given)
				none(t, h, ada)
			})
		}
	})
	t.Run("each address of the list once", func(t *testing.T) {
		h := open(t)
		h.Admins = []string{"ada@example.com", "lin@example.com"}
		for _, name := range []string{"ada", "lin"} {
			if user := h.MustSignIn(t, userstest.Profile(name)).User; !user.HasRole(usersvc.Admin) {
				t.Error(user)
			}
		}
	})
	t.Run("an admin can give it back", func(t *testing.T) {
		h := open(t)
		given, other := start(t, h, ada)
		remove(t, h, userstest.By(other), given)
		back := h.MustSignIn(t, ada)
		if _, err := h.SetRoles(t.Context(), userstest.By(other), back.User.ID, []string{"admin"}, 0); err != nil {
			t.Error(err)
		}
		if user := h.MustSignIn(t, ada).User; !user.HasRole(usersvc.Admin) {
			t.Error(user)
		}
	})
	t.Run("the table does not hold the address", func(t *testing.T) {
		h := open(t)
		given, _ := start(t, h, ada)
		remove(t, h, userstest.Operator, given)
		row, err := h.Table.Get(t.Context(), adaGiven)
		if err != nil || strings.Contains(fmt.Sprint(row), "ada") || strings.Contains(fmt.Sprint(row), given.User.ID) {
			t.Error(row, err)
		}
	})
	again(t, open, "two identities at once are not both made admin", func(t *testing.T, h *userstest.Harness) {
		h.TrustedProviders = nil
		errs := together(
			func() error { _, _, _, err := h.SignIn(t.Context(), ada, usersvc.SignInInfo{}); return err },
			func() error {
				_, _, _, err := h.SignIn(t.Context(), userstest.At(ada, "other"), usersvc.SignInInfo{})
				return err
			},
		)
		admins := 0
		for _, user := range h.All(t) {
			if user.HasRole(usersvc.Admin) {
				admins++
			}
		}
		if admins != 1 || errors.Join(errs...) != nil {
			t.Errorf("%d admins, %v", admins, errs)
		}
	})
}

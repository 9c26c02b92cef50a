package usersvc_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestLink(t *testing.T) { onEngines(t, testLink) }

func testLink(t *testing.T, open userstest.Engine) {
	stranger := func(name string) usersvc.Profile { return userstest.At(userstest.Profile(name), "stranger") }
	t.Run("whoever is signed in links any identity that is free", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		for range 2 {
			if _, err := h.Link(t.Context(), userstest.By(lin), lin.Session.ID, stranger("x")); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.MustSignIn(t, stranger("x")); got.User.ID != lin.User.ID || got.User.Email != "lin@example.com" {
			t.Errorf("%+v", got.User)
		}
		linked, err := h.Identities(t.Context(), lin.User.ID)
		if err != nil || len(linked) != 2 || linked[0].ID == linked[1].ID {
			t.Errorf("%+v %v", linked, err)
		}
	})
	t.Run("S35 but not another user's", func(t *testing.T) {
		h := open(t)
		lin, kim := h.MustSignIn(t, userstest.Profile("lin")), h.MustSignIn(t, stranger("kim"))
		if _, err := h.Link(t.Context(), userstest.By(lin), lin.Session.ID, stranger("kim")); !errors.Is(err, usersvc.ErrLinkedElsewhere) {
			t.Error(err)
		}
		if got := h.MustSignIn(t, stranger("kim")); got.User.ID != kim.User.ID {
			t.Error("taken over:", got.User)
		}
	})
	t.Run("nobody links to nobody", func(t *testing.T) {
		h := open(t)
		for _, who := range []usersvc.By{{}, {UserID: "u_unknown"}, userstest.Operator} {
			if _, err := h.Link(t.Context(), who, "s_none", stranger("x")); !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(err)
			}
		}
	})
	t.Run("up to a number", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		for i := range 19 {
			if _, err := h.Link(t.Context(), userstest.By(lin), lin.Session.ID, stranger(fmt.Sprint(i))); err != nil {
				t.Fatal(i, err)
			}
		}
		if _, err := h.Link(t.Context(), userstest.By(lin), lin.Session.ID, stranger("20")); !errors.Is(err, usersvc.ErrTooManyIdentities) {
			t.Error(err)
		}
		if _, _, _, err := h.SignIn(t.Context(), userstest.At(userstest.Profile("lin"), "other"), usersvc.SignInInfo{}); !errors.Is(err, usersvc.ErrEmailKnown) {
			t.Error("nor by its address:", err)
		}
		if err := h.Delete(t.Context(), userstest.By(lin), lin.User.ID); err != nil {
			t.Error("and a user with as many can be deleted:", err)
		}
	})
}

func TestUnlink(t *testing.T) { onEngines(t, testUnlink) }

func testUnlink(t *testing.T, open userstest.Engine) {
	start := func(t *testing.T) (*userstest.Harness, userstest.SignedIn, []usersvc.Identity) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		h.MustSignIn(t, userstest.At(userstest.Profile("lin"), "other"))
		linked, err := h.Identities(t.Context(), lin.User.ID)
		if err != nil || len(linked) != 2 {
			t.Fatal(linked, err)
		}
		return h, lin, linked
	}
	find := func(t *testing.T, linked []usersvc.Identity, provider string) string {
		for _, i := range linked {
			if i.Provider == provider {
				return i.ID
			}
		}
		t.Fatal(provider)
		return ""
	}
	t.Run("whoever has it is a stranger, also with a trusted address", func(t *testing.T) {
		for _, provider := range []string{"demo", "other"} {
			h, lin, linked := start(t)
			if _, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, find(t, linked, provider)); err != nil {
				t.Fatal(err)
			}
			gone, kept := userstest.Profile("lin"), userstest.At(userstest.Profile("lin"), "other")
			if provider == "other" {
				gone, kept = kept, gone
			}
			for range 2 {
				if got := h.MustSignIn(t, gone); got.User.ID == lin.User.ID {
					t.Error(provider, "came back")
				}
			}
			if got := h.MustSignIn(t, kept); got.User.ID != lin.User.ID {
				t.Error(provider, "took the other with it")
			}
		}
	})
	t.Run("the last cannot go", func(t *testing.T) {
		h, lin, linked := start(t)
		if _, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, linked[0].ID); err != nil {
			t.Fatal(err)
		}
		h.WantUnchanged(t, lin.User.ID, func() {
			if _, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, linked[1].ID); !errors.Is(err, usersvc.ErrLastIdentity) {
				t.Error(err)
			}
			if _, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, linked[0].ID); !errors.Is(err, usersvc.ErrNoIdentity) {
				t.Error(err)
			}
		})
	})
	t.Run("its address leads to the user no more", func(t *testing.T) {
		h, lin, linked := start(t)
		if !lin.User.EmailVerified {
			t.Error("nobody vouches for it to begin with")
		}
		if after, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, find(t, linked, "demo")); err != nil || after.EmailVerified {
			t.Fatal("who vouches for it?", err)
		}
		h.TrustedProviders = append(h.TrustedProviders, "third")
		if got := h.MustSignIn(t, userstest.At(userstest.Profile("lin"), "third")); got.User.ID == lin.User.ID {
			t.Error(got.User)
		}
	})
	t.Run("a row that leads to somebody else is left alone", func(t *testing.T) {
		h, lin, linked := start(t)
		key := table.Key{PK: "identity#https://demo.example#sub-lin", SK: "identity"}
		if err := h.Table.Write(t.Context(), table.Update(key, map[string]any{"user_id": "u_other"})); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, find(t, linked, "demo")); !errors.Is(err, table.ErrUnavailable) {
			t.Error(err)
		}
		if _, err := h.Table.Get(t.Context(), key); err != nil {
			t.Error(err)
		}
	})
	t.Run("what was unlinked can be linked again", func(t *testing.T) {
		h, lin, linked := start(t)
		if _, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, find(t, linked, "other")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Link(t.Context(), userstest.By(lin), lin.Session.ID, userstest.At(userstest.Profile("lin"), "other")); err != nil {
			t.Fatal(err)
		}
		if got := h.MustSignIn(t, userstest.At(userstest.Profile("lin"), "other")); got.User.ID != lin.User.ID {
			t.Error(got.User)
		}
	})
	t.Run("S129 not another's", func(t *testing.T) {
		h, lin, linked := start(t)
		kim := h.MustSignIn(t, userstest.Profile("kim"))
		h.WantUnchanged(t, lin.User.ID, func() {
			if _, err := h.Unlink(t.Context(), userstest.By(kim), lin.User.ID, linked[0].ID); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
			if _, err := h.Unlink(t.Context(), userstest.By(kim), kim.User.ID, linked[0].ID); !errors.Is(err, usersvc.ErrNoIdentity) {
				t.Error(err)
			}
		})
	})
}

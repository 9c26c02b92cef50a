package usersvc_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestLink(t *testing.T) { onEngines(t, testLink) }

func testLink(t *testing.T, open engine) {
	stranger := func(name string) usersvc.Profile { return at(profile(name), "stranger") }
	t.Run("whoever is signed in links any identity that is free", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		for range 2 {
			if _, err := h.Link(t.Context(), by(lin), lin.session.ID, stranger("x")); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.signIn(t, stranger("x")); got.user.ID != lin.user.ID || got.user.Email != "lin@example.com" {
			t.Errorf("%+v", got.user)
		}
		linked, err := h.Identities(t.Context(), lin.user.ID)
		if err != nil || len(linked) != 2 || linked[0].ID == linked[1].ID {
			t.Errorf("%+v %v", linked, err)
		}
	})
	t.Run("S35 but not another user's", func(t *testing.T) {
		h := open(t)
		lin, kim := h.signIn(t, profile("lin")), h.signIn(t, stranger("kim"))
		if _, err := h.Link(t.Context(), by(lin), lin.session.ID, stranger("kim")); !errors.Is(err, usersvc.ErrLinkedElsewhere) {
			t.Error(err)
		}
		if got := h.signIn(t, stranger("kim")); got.user.ID != kim.user.ID {
			t.Error("taken over:", got.user)
		}
	})
	t.Run("nobody links to nobody", func(t *testing.T) {
		h := open(t)
		for _, who := range []usersvc.By{{}, {UserID: "u_unknown"}, operator} {
			if _, err := h.Link(t.Context(), who, "s_none", stranger("x")); !errors.Is(err, usersvc.ErrNotFound) {
				t.Error(err)
			}
		}
	})
	t.Run("up to a number", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		for i := range 19 {
			if _, err := h.Link(t.Context(), by(lin), lin.session.ID, stranger(fmt.Sprint(i))); err != nil {
				t.Fatal(i, err)
			}
		}
		if _, err := h.Link(t.Context(), by(lin), lin.session.ID, stranger("20")); !errors.Is(err, usersvc.ErrTooManyIdentities) {
			t.Error(err)
		}
		if _, _, _, err := h.SignIn(t.Context(), at(profile("lin"), "other"), usersvc.SignInInfo{}); !errors.Is(err, usersvc.ErrEmailKnown) {
			t.Error("nor by its address:", err)
		}
		if err := h.Delete(t.Context(), by(lin), lin.user.ID); err != nil {
			t.Error("and a user with as many can be deleted:", err)
		}
	})
}

func TestUnlink(t *testing.T) { onEngines(t, testUnlink) }

func testUnlink(t *testing.T, open engine) {
	start := func(t *testing.T) (*house, in, []usersvc.Identity) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		h.signIn(t, at(profile("lin"), "other"))
		linked, err := h.Identities(t.Context(), lin.user.ID)
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
			if _, err := h.Unlink(t.Context(), by(lin), lin.user.ID, find(t, linked, provider)); err != nil {
				t.Fatal(err)
			}
			gone, kept := profile("lin"), at(profile("lin"), "other")
			if provider == "other" {
				gone, kept = kept, gone
			}
			for range 2 {
				if got := h.signIn(t, gone); got.user.ID == lin.user.ID {
					t.Error(provider, "came back")
				}
			}
			if got := h.signIn(t, kept); got.user.ID != lin.user.ID {
				t.Error(provider, "took the other with it")
			}
		}
	})
	t.Run("the last cannot go", func(t *testing.T) {
		h, lin, linked := start(t)
		if _, err := h.Unlink(t.Context(), by(lin), lin.user.ID, linked[0].ID); err != nil {
			t.Fatal(err)
		}
		h.unchanged(t, lin.user.ID, func() {
			if _, err := h.Unlink(t.Context(), by(lin), lin.user.ID, linked[1].ID); !errors.Is(err, usersvc.ErrLastIdentity) {
				t.Error(err)
			}
			if _, err := h.Unlink(t.Context(), by(lin), lin.user.ID, linked[0].ID); !errors.Is(err, usersvc.ErrNoIdentity) {
				t.Error(err)
			}
		})
	})
	t.Run("its address leads to the user no more", func(t *testing.T) {
		h, lin, linked := start(t)
		if !lin.user.EmailVerified {
			t.Error("nobody vouches for it to begin with")
		}
		if after, err := h.Unlink(t.Context(), by(lin), lin.user.ID, find(t, linked, "demo")); err != nil || after.EmailVerified {
			t.Fatal("who vouches for it?", err)
		}
		h.TrustedProviders = append(h.TrustedProviders, "third")
		if got := h.signIn(t, at(profile("lin"), "third")); got.user.ID == lin.user.ID {
			t.Error(got.user)
		}
	})
	t.Run("a row that leads to somebody else is left alone", func(t *testing.T) {
		h, lin, linked := start(t)
		key := table.Key{PK: "identity#https://demo.example#sub-lin", SK: "identity"}
		if err := h.table.Write(t.Context(), table.Update(key, map[string]any{"user_id": "u_other"})); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Unlink(t.Context(), by(lin), lin.user.ID, find(t, linked, "demo")); !errors.Is(err, table.ErrUnavailable) {
			t.Error(err)
		}
		if _, err := h.table.Get(t.Context(), key); err != nil {
			t.Error(err)
		}
	})
	t.Run("what was unlinked can be linked again", func(t *testing.T) {
		h, lin, linked := start(t)
		if _, err := h.Unlink(t.Context(), by(lin), lin.user.ID, find(t, linked, "other")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Link(t.Context(), by(lin), lin.session.ID, at(profile("lin"), "other")); err != nil {
			t.Fatal(err)
		}
		if got := h.signIn(t, at(profile("lin"), "other")); got.user.ID != lin.user.ID {
			t.Error(got.user)
		}
	})
	t.Run("S129 not another's", func(t *testing.T) {
		h, lin, linked := start(t)
		kim := h.signIn(t, profile("kim"))
		h.unchanged(t, lin.user.ID, func() {
			if _, err := h.Unlink(t.Context(), by(kim), lin.user.ID, linked[0].ID); !errors.Is(err, usersvc.ErrForbidden) {
				t.Error(err)
			}
			if _, err := h.Unlink(t.Context(), by(kim), kim.user.ID, linked[0].ID); !errors.Is(err, usersvc.ErrNoIdentity) {
				t.Error(err)
			}
		})
	})
}

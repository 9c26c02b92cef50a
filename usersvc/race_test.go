package usersvc_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// together does all at once, and returns their errors.
func together(all ...func() error) []error {
	errs := make([]error, len(all))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, do := range all {
		wg.Go(func() {
			<-start
			errs[i] = do()
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// racesEnv says how often each race is run; "" is 8. A long run takes 50.
const racesEnv = "GATEHOUSE_RACES"

func repeats(t *testing.T) int {
	t.Helper()
	text := cmp.Or(os.Getenv(racesEnv), "8")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: want a number from 1, got %q", racesEnv, text)
	}
	return n
}

// again runs a race many times, each with users of its own.
func again(t *testing.T, open userstest.Engine, name string, race func(t *testing.T, h *userstest.Harness)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		for range repeats(t) {
			race(t, open(t))
		}
	})
}

func TestAdminsRemovingEachOther(t *testing.T) { onEngines(t, testAdminsRemovingEachOther) }

func testAdminsRemovingEachOther(t *testing.T, open userstest.Engine) {
	demote := func(t *testing.T, h *userstest.Harness, who usersvc.By, whom userstest.SignedIn) func() error {
		return func() error {
			_, err := h.SetRoles(t.Context(), who, whom.User.ID, []string{"user"}, 0)
			return err
		}
	}
	suspend := func(t *testing.T, h *userstest.Harness, who usersvc.By, whom userstest.SignedIn) func() error {
		return func() error {
			_, err := h.Suspend(t.Context(), who, whom.User.ID)
			return err
		}
	}
	remove := func(t *testing.T, h *userstest.Harness, who usersvc.By, whom userstest.SignedIn) func() error {
		return func() error { return h.Delete(t.Context(), who, whom.User.ID) }
	}
	for name, both := range map[string]func(t *testing.T, h *userstest.Harness, a, b userstest.SignedIn) []error{
		"each takes the other's role": func(t *testing.T, h *userstest.Harness, a, b userstest.SignedIn) []error {
			return together(demote(t, h, userstest.By(a), b), demote(t, h, userstest.By(b), a))
		},
		"each gives up their own": func(t *testing.T, h *userstest.Harness, a, b userstest.SignedIn) []error {
			return together(demote(t, h, userstest.By(a), a), demote(t, h, userstest.By(b), b))
		},
		"one suspends, the other deletes": func(t *testing.T, h *userstest.Harness, a, b userstest.SignedIn) []error {
			return together(suspend(t, h, userstest.By(a), b), remove(t, h, userstest.By(b), a))
		},
		"each deletes themselves": func(t *testing.T, h *userstest.Harness, a, b userstest.SignedIn) []error {
			return together(remove(t, h, userstest.By(a), a), remove(t, h, userstest.By(b), b))
		},
		"two operators, one each": func(t *testing.T, h *userstest.Harness, a, b userstest.SignedIn) []error {
			return together(demote(t, h, userstest.Operator, a), suspend(t, h, userstest.Operator, b))
		},
	} {
		again(t, open, name, func(t *testing.T, h *userstest.Harness) {
			a, b := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
			if _, err := h.SetRoles(t.Context(), userstest.Operator, b.User.ID, []string{"admin"}, 0); err != nil {
				t.Fatal(err)
			}
			errs := both(t, h, a, b)
			admins, done := 0, 0
			for _, user := range h.All(t) {
				if user.HasRole(usersvc.Admin) && user.Status == usersvc.Active {
					admins++
				}
			}
			for _, err := range errs {
				switch {
				case err == nil:
					done++
				case !errors.Is(err, usersvc.ErrLastAdmin) && !errors.Is(err, usersvc.ErrForbidden):
					t.Error(err)
				}
			}
			if admins != 1 || done != 1 {
				t.Errorf("%d admins, %d succeeded: %v", admins, done, errs)
			}
		})
	}
}

func TestRaces(t *testing.T) { onEngines(t, testRaces) }

func testRaces(t *testing.T, open userstest.Engine) {
	again(t, open, "S38 suspending against signing in", func(t *testing.T, h *userstest.Harness) {
		p := userstest.Profile("lin")
		lin := h.MustSignIn(t, p)
		var cookie string
		errs := together(
			func() error { _, err := h.Suspend(t.Context(), userstest.Operator, lin.User.ID); return err },
			func() (err error) { _, _, cookie, err = h.SignIn(t.Context(), p, usersvc.SignInInfo{}); return err },
		)
		if errs[0] != nil || errs[1] != nil && !errors.Is(errs[1], usersvc.ErrSuspended) {
			t.Error(errs)
		}
		h.WantSession(t, cookie, usersvc.ErrNoSession)
	})
	again(t, open, "a change of roles against signing in with a new profile", func(t *testing.T, h *userstest.Harness) {
		p := userstest.Profile("lin")
		lin := h.MustSignIn(t, p)
		p.Name = "Linnéa"
		errs := together(
			func() error {
				_, err := h.SetRoles(t.Context(), userstest.Operator, lin.User.ID, []string{"admin"}, 0)
				return err
			},
			func() error { _, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{}); return err },
		)
		user, err := h.Get(t.Context(), lin.User.ID)
		if errors.Join(append(errs, err)...) != nil || !user.HasRole("admin") || user.HasRole("user") || user.Name != "Linnéa" {
			t.Errorf("%+v %v %v", user, errs, err)
		}
	})
	again(t, open, "S133 deleting against signing in", func(t *testing.T, h *userstest.Harness) {
		p := userstest.Profile("lin")
		lin := h.MustSignIn(t, p)
		var second userstest.SignedIn
		errs := together(
			func() error { return h.Delete(t.Context(), userstest.Operator, lin.User.ID) },
			func() (err error) {
				second.User, second.Session, second.Cookie, err = h.SignIn(t.Context(), p, usersvc.SignInInfo{})
				return err
			},
		)
		if errors.Join(errs...) != nil {
			t.Error(errs)
		}
		want := error(nil)
		if second.User.ID == lin.User.ID {
			want = usersvc.ErrNoSession
		}
		h.WantSession(t, second.Cookie, want)
		h.WantSession(t, lin.Cookie, usersvc.ErrNoSession)
	})
	again(t, open, "unlinking both identities", func(t *testing.T, h *userstest.Harness) {
		p := userstest.Profile("lin")
		lin := h.MustSignIn(t, p)
		h.MustSignIn(t, userstest.At(p, "other"))
		linked, err := h.Identities(t.Context(), lin.User.ID)
		if err != nil || len(linked) != 2 {
			t.Fatal(linked, err)
		}
		unlink := func(i int) func() error {
			return func() error {
				_, err := h.Unlink(t.Context(), userstest.By(lin), lin.User.ID, linked[i].ID)
				return err
			}
		}
		errs := together(unlink(0), unlink(1))
		left, err := h.Identities(t.Context(), lin.User.ID)
		if err != nil || len(left) != 1 || !errors.Is(errors.Join(errs...), usersvc.ErrLastIdentity) {
			t.Error(left, errs, err)
		}
	})
	again(t, open, "S35 two users linking one identity", func(t *testing.T, h *userstest.Harness) {
		a, b := h.MustSignIn(t, userstest.Profile("a")), h.MustSignIn(t, userstest.Profile("b"))
		p := userstest.At(userstest.Profile("x"), "stranger")
		link := func(who userstest.SignedIn) func() error {
			return func() error { _, err := h.Link(t.Context(), userstest.By(who), who.Session.ID, p); return err }
		}
		errs := together(link(a), link(b))
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), usersvc.ErrLinkedElsewhere) {
			t.Error(errs)
		}
	})
	again(t, open, "S35 two providers that vouch for one address", func(t *testing.T, h *userstest.Harness) {
		p := userstest.Profile("lin")
		ids := make([]string, 2)
		enter := func(i int, p usersvc.Profile) func() error {
			return func() error {
				user, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{})
				ids[i] = user.ID
				return err
			}
		}
		errs := together(enter(0, p), enter(1, userstest.At(p, "other")))
		if errors.Join(errs...) != nil || ids[0] != ids[1] {
			t.Error(ids, errs)
		}
	})
	t.Run("S132 a hundred changes with a version lose none", func(t *testing.T) {
		h := open(t)
		lin := h.MustSignIn(t, userstest.Profile("lin"))
		change := func(name string) error {
			for {
				user, err := h.Get(t.Context(), lin.User.ID)
				if err != nil {
					return err
				}
				_, err = h.Rename(t.Context(), userstest.By(lin), lin.User.ID, name, user.Version)
				if !errors.Is(err, usersvc.ErrVersion) {
					return err
				}
			}
		}
		var all []func() error
		for n := range 20 {
			all = append(all, func() error {
				var errs []error
				for i := range 5 {
					errs = append(errs, change(fmt.Sprint(n, i)))
				}
				return errors.Join(errs...)
			})
		}
		if err := errors.Join(together(all...)...); err != nil {
			t.Error(err)
		}
		if user, err := h.Get(t.Context(), lin.User.ID); err != nil || user.Version != 101 {
			t.Errorf("%+v %v", user, err)
		}
	})
}

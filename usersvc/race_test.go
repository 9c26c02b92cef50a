package usersvc_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/usersvc"
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

// repeats is how often each race is run.
const repeats = 50

// again runs a race many times, each in a house of its own.
func again(t *testing.T, open engine, name string, race func(t *testing.T, h *house)) {
	t.Run(name, func(t *testing.T) {
		for range repeats {
			race(t, open(t))
		}
	})
}

func TestAdminsRemovingEachOther(t *testing.T) { onEngines(t, testAdminsRemovingEachOther) }

func testAdminsRemovingEachOther(t *testing.T, open engine) {
	demote := func(t *testing.T, h *house, who usersvc.By, whom in) func() error {
		return func() error {
			_, err := h.SetRoles(t.Context(), who, whom.user.ID, []string{"user"}, 0)
			return err
		}
	}
	suspend := func(t *testing.T, h *house, who usersvc.By, whom in) func() error {
		return func() error {
			_, err := h.Suspend(t.Context(), who, whom.user.ID)
			return err
		}
	}
	remove := func(t *testing.T, h *house, who usersvc.By, whom in) func() error {
		return func() error { return h.Delete(t.Context(), who, whom.user.ID) }
	}
	for name, both := range map[string]func(t *testing.T, h *house, a, b in) []error{
		"each takes the other's role": func(t *testing.T, h *house, a, b in) []error {
			return together(demote(t, h, by(a), b), demote(t, h, by(b), a))
		},
		"each gives up their own": func(t *testing.T, h *house, a, b in) []error {
			return together(demote(t, h, by(a), a), demote(t, h, by(b), b))
		},
		"one suspends, the other deletes": func(t *testing.T, h *house, a, b in) []error {
			return together(suspend(t, h, by(a), b), remove(t, h, by(b), a))
		},
		"each deletes themselves": func(t *testing.T, h *house, a, b in) []error {
			return together(remove(t, h, by(a), a), remove(t, h, by(b), b))
		},
		"two operators, one each": func(t *testing.T, h *house, a, b in) []error {
			return together(demote(t, h, operator, a), suspend(t, h, operator, b))
		},
	} {
		again(t, open, name, func(t *testing.T, h *house) {
			a, b := h.signIn(t, profile("ada")), h.signIn(t, profile("lin"))
			if _, err := h.SetRoles(t.Context(), operator, b.user.ID, []string{"admin"}, 0); err != nil {
				t.Fatal(err)
			}
			errs := both(t, h, a, b)
			admins, done := 0, 0
			for _, user := range h.all(t) {
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

func testRaces(t *testing.T, open engine) {
	again(t, open, "S38 suspending against signing in", func(t *testing.T, h *house) {
		p := profile("lin")
		lin := h.signIn(t, p)
		var cookie string
		errs := together(
			func() error { _, err := h.Suspend(t.Context(), operator, lin.user.ID); return err },
			func() (err error) { _, _, cookie, err = h.SignIn(t.Context(), p, usersvc.SignInInfo{}); return err },
		)
		if errs[0] != nil || errs[1] != nil && !errors.Is(errs[1], usersvc.ErrSuspended) {
			t.Error(errs)
		}
		h.wantSession(t, cookie, usersvc.ErrNoSession)
	})
	again(t, open, "a change of roles against signing in with a new profile", func(t *testing.T, h *house) {
		p := profile("lin")
		lin := h.signIn(t, p)
		p.Name = "Linnéa"
		errs := together(
			func() error {
				_, err := h.SetRoles(t.Context(), operator, lin.user.ID, []string{"admin"}, 0)
				return err
			},
			func() error { _, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{}); return err },
		)
		user, err := h.Get(t.Context(), lin.user.ID)
		if errors.Join(append(errs, err)...) != nil || !user.HasRole("admin") || user.HasRole("user") || user.Name != "Linnéa" {
			t.Errorf("%+v %v %v", user, errs, err)
		}
	})
	again(t, open, "S133 deleting against signing in", func(t *testing.T, h *house) {
		p := profile("lin")
		lin := h.signIn(t, p)
		var second in
		errs := together(
			func() error { return h.Delete(t.Context(), operator, lin.user.ID) },
			func() (err error) {
				second.user, second.session, second.cookie, err = h.SignIn(t.Context(), p, usersvc.SignInInfo{})
				return err
			},
		)
		if errors.Join(errs...) != nil {
			t.Error(errs)
		}
		want := error(nil)
		if second.user.ID == lin.user.ID {
			want = usersvc.ErrNoSession
		}
		h.wantSession(t, second.cookie, want)
		h.wantSession(t, lin.cookie, usersvc.ErrNoSession)
	})
	again(t, open, "unlinking both identities", func(t *testing.T, h *house) {
		p := profile("lin")
		lin := h.signIn(t, p)
		h.signIn(t, at(p, "other"))
		linked, err := h.Identities(t.Context(), lin.user.ID)
		if err != nil || len(linked) != 2 {
			t.Fatal(linked, err)
		}
		unlink := func(i int) func() error {
			return func() error { _, err := h.Unlink(t.Context(), by(lin), lin.user.ID, linked[i].ID); return err }
		}
		errs := together(unlink(0), unlink(1))
		left, err := h.Identities(t.Context(), lin.user.ID)
		if err != nil || len(left) != 1 || !errors.Is(errors.Join(errs...), usersvc.ErrLastIdentity) {
			t.Error(left, errs, err)
		}
	})
	again(t, open, "S35 two users linking one identity", func(t *testing.T, h *house) {
		a, b := h.signIn(t, profile("a")), h.signIn(t, profile("b"))
		p := at(profile("x"), "stranger")
		link := func(who in) func() error {
			return func() error { _, err := h.Link(t.Context(), by(who), who.session.ID, p); return err }
		}
		errs := together(link(a), link(b))
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), usersvc.ErrLinkedElsewhere) {
			t.Error(errs)
		}
	})
	again(t, open, "S35 two providers that vouch for one address", func(t *testing.T, h *house) {
		p := profile("lin")
		ids := make([]string, 2)
		enter := func(i int, p usersvc.Profile) func() error {
			return func() error {
				user, _, _, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{})
				ids[i] = user.ID
				return err
			}
		}
		errs := together(enter(0, p), enter(1, at(p, "other")))
		if errors.Join(errs...) != nil || ids[0] != ids[1] {
			t.Error(ids, errs)
		}
	})
	t.Run("S132 a hundred changes with a version lose none", func(t *testing.T) {
		h := open(t)
		lin := h.signIn(t, profile("lin"))
		change := func(name string) error {
			for {
				user, err := h.Get(t.Context(), lin.user.ID)
				if err != nil {
					return err
				}
				_, err = h.Rename(t.Context(), by(lin), lin.user.ID, name, user.Version)
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
		if user, err := h.Get(t.Context(), lin.user.ID); err != nil || user.Version != 101 {
			t.Errorf("%+v %v", user, err)
		}
	})
}

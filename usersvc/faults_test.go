package usersvc_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// openThrough opens a house on DynamoDB behind a network with faults.
func openThrough(t *testing.T, faults *dynamotest.Faults) *house {
	t.Helper()
	return newHouse(dynamotest.OpenThrough(t, os.Getenv, faults))
}

// some chooses a fault for a share of the requests: a different one each run,
// and the same for a seed.
func some(seed uint64, share float64, fault dynamotest.Fault) func(int, dynamotest.Request) dynamotest.Fault {
	random := rand.New(rand.NewPCG(seed, 0))
	return func(int, dynamotest.Request) dynamotest.Fault {
		if random.Float64() < share {
			return fault
		}
		return dynamotest.None
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		share float64
		fault dynamotest.Fault
	}{
		"fault 17 half of the requests are throttled":       {0.5, dynamotest.Throttle},
		"fault 18 a third of the transactions conflict":     {0.3, dynamotest.Conflict},
		"fault 19 a third of the answers are lost":          {0.3, dynamotest.Lose},
		"fault 23 a third of the connections break at once": {0.3, dynamotest.Reset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Log("seed", seed)
			h := openThrough(t, &dynamotest.Faults{Choose: some(seed, c.share, c.fault)})
			var sessions []in
			for range 8 {
				user, s, cookie, err := h.SignIn(t.Context(), profile("lin"), usersvc.SignInInfo{})
				switch {
				case err == nil:
					sessions = append(sessions, in{user, s, cookie})
				case !errors.Is(err, table.ErrUnavailable):
					t.Error(err)
				}
			}
			if len(sessions) == 0 {
				t.Fatal("nobody could sign in")
			}
			for _, s := range sessions {
				if err := patiently(func() error { _, _, err := h.Session(t.Context(), s.cookie); return err }); err != nil || s.user.ID != sessions[0].user.ID {
					t.Error(s.user, err)
				}
			}
			for range 2 { // what was done, and the answer lost, is not done twice
				if err := patiently(func() error { _, err := h.Suspend(t.Context(), operator, sessions[0].user.ID); return err }); err != nil {
					t.Error(err)
				}
			}
			suspended := 0
			if err := patiently(func() error {
				suspended = 0
				page, err := h.Audit(t.Context(), usersvc.AuditFilter{UserID: sessions[0].user.ID, Limit: 200})
				for _, e := range page.Items {
					if e.Action == usersvc.UserSuspended {
						suspended++
					}
				}
				return err
			}); err != nil || suspended != 1 {
				t.Error(suspended, err)
			}
			for _, s := range sessions {
				if err := patiently(func() error { _, _, err := h.Session(t.Context(), s.cookie); return err }); !errors.Is(err, usersvc.ErrNoSession) {
					t.Error(err)
				}
			}
		})
	}
}

// patiently does something until the table is in reach.
func patiently(do func() error) (err error) {
	for range 50 {
		if err = do(); !errors.Is(err, table.ErrUnavailable) {
			return err
		}
	}
	return err
}

// A call that waits for a connection that the same call holds would never end.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	base := &http.Transport{MaxConnsPerHost: 1}
	t.Cleanup(base.CloseIdleConnections)
	h := openThrough(t, &dynamotest.Faults{Base: base})
	lin, ada := h.signIn(t, profile("lin")), h.signIn(t, profile("ada"))
	second := h.signIn(t, at(profile("lin"), "other"))
	linked, err := h.Identities(t.Context(), lin.user.ID)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second) // the watchdog
	defer stop()
	n := 0
	for name, do := range map[string]func() error{
		"sign in":      func() error { _, _, _, err := h.SignIn(ctx, profile("kim"), usersvc.SignInInfo{}); return err },
		"session":      func() error { _, _, err := h.Session(ctx, ada.cookie); return err },
		"end session":  func() error { return h.EndSession(ctx, lin.user.ID, second.session.ID) },
		"end sessions": func() error { return h.EndSessions(ctx, by(lin), lin.user.ID, "") },
		"rename":       func() error { n++; _, err := h.Rename(ctx, by(ada), ada.user.ID, fmt.Sprint(n), 0); return err },
		"roles":        func() error { _, err := h.SetRoles(ctx, by(ada), lin.user.ID, []string{"admin"}, 0); return err },
		"suspend":      func() error { _, err := h.Suspend(ctx, operator, lin.user.ID); return err },
		"link":         func() error { _, err := h.Link(ctx, by(ada), at(profile("x"), "stranger")); return err },
		"unlink":       func() error { _, err := h.Unlink(ctx, operator, lin.user.ID, linked[1].ID); return err },
		"list":         func() error { _, err := h.List(ctx, usersvc.Filter{}); return err },
		"audit":        func() error { _, err := h.Audit(ctx, usersvc.AuditFilter{}); return err },
		"export":       func() error { _, err := h.Export(ctx, ada.user.ID); return err },
		"revocations":  func() error { _, err := h.Revocations(ctx); return err },
		"delete":       func() error { return h.Delete(ctx, operator, h.signIn(t, profile("gone")).user.ID) },
	} {
		for range 2 {
			if err := do(); err != nil && !errors.Is(err, usersvc.ErrForbidden) && !errors.Is(err, usersvc.ErrNoIdentity) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

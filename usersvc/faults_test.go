package usersvc_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// openThrough opens a house on DynamoDB behind a network with faults.
func openThrough(t *testing.T, faults *dynamotest.Faults) *userstest.Harness {
	t.Helper()
	return userstest.New(dynamotest.OpenThrough(t, os.Getenv, faults))
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
			var sessions []userstest.SignedIn
			for range 8 {
				user, s, cookie, err := h.SignIn(t.Context(), userstest.Profile("lin"), usersvc.SignInInfo{})
				switch {
				case err == nil:
					sessions = append(sessions, userstest.SignedIn{User: user, Session: s, Cookie: cookie})
				case !errors.Is(err, table.ErrUnavailable):
					t.Error(err)
				}
			}
			if len(sessions) == 0 {
				t.Fatal("nobody could sign in")
			}
			for _, s := range sessions {
				if err := patiently(func() error { _, _, err := h.Session(t.Context(), s.Cookie); return err }); err != nil || s.User.ID != sessions[0].User.ID {
					t.Error(s.User, err)
				}
			}
			for range 2 { // what was done, and the answer lost, is not done twice
				if err := patiently(func() error { _, err := h.Suspend(t.Context(), userstest.Operator, sessions[0].User.ID); return err }); err != nil {
					t.Error(err)
				}
			}
			suspended := 0
			if err := patiently(func() error {
				suspended = 0
				page, err := h.Audit(t.Context(), usersvc.AuditFilter{UserID: sessions[0].User.ID, Limit: 200})
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
				if err := patiently(func() error { _, _, err := h.Session(t.Context(), s.Cookie); return err }); !errors.Is(err, usersvc.ErrNoSession) {
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

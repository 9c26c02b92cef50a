package loginsvc_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// onEngines runs a test in a world on each engine. DynamoDB is reached by one
// connection: whoever held it while asking for another would wait for ever.
func onEngines(t *testing.T, test func(*testing.T, *world, *watched)) {
	t.Run("bolt", func(t *testing.T) {
		bolt, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{UnsafeNoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { bolt.Close() })
		w, watched := newWorldOn(t, bolt)
		test(t, w, watched)
	})
	t.Run("dynamodb", func(t *testing.T) {
		endpoint := dynamotest.Endpoint(t, os.Getenv)
		client := dynamotest.Client(endpoint, &http.Transport{MaxConnsPerHost: 1})
		if err := dynamotable.Create(t.Context(), client, dynamotest.Definition("test")); err != nil {
			t.Fatal(err)
		}
		w, watched := newWorldOn(t, dynamotable.New(client, "test"))
		test(t, w, watched)
	})
}

func newWorldOn(t *testing.T, tab table.Table) (*world, *watched) {
	watched := &watched{Table: tab}
	w := newWorld(t, func(c *loginsvc.Config) {
		users := *c.Users
		users.Table, users.TrustedProviders = watched, []string{"demo"}
		c.Table, c.Users = watched, &users
	})
	return w, watched
}

// watched is a table that counts its calls, and gives each of them two seconds.
type watched struct {
	table.Table
	calls, writes, transactions atomic.Int64
}

func (w *watched) Get(ctx context.Context, key table.Key) (table.Item, error) {
	w.calls.Add(1)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return w.Table.Get(ctx, key)
}

func (w *watched) Write(ctx context.Context, writes ...table.Write) error {
	w.calls.Add(1)
	w.writes.Add(1)
	if len(writes) > 1 {
		w.transactions.Add(1)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return w.Table.Write(ctx, writes...)
}

func (w *watched) Query(ctx context.Context, q table.Query) (table.Page, error) {
	w.calls.Add(1)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return w.Table.Query(ctx, q)
}

// costs asserts how often do asks the table, and how often in a transaction. An
// engine makes one request of each call (see TestRequestsOfQueries).
func (w *watched) costs(t *testing.T, name string, calls, transactions int64, do func()) {
	t.Helper()
	c, x := w.calls.Load(), w.transactions.Load()
	do()
	if c, x = w.calls.Load()-c, w.transactions.Load()-x; c != calls || x != transactions {
		t.Errorf("%s: %d calls of the table with %d transactions, want %d with %d", name, c, x, calls, transactions)
	}
}

// TestTableCalls holds what docs/OPERATING.md says about requests.
func TestTableCalls(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world, table *watched) {
		signIn := func() {
			b := w.browser()
			a := b.follow("lin", b.get("/login?idp_hint=demo"))
			a.page(t, http.StatusOK, "signed in")
		}
		var got map[string]any
		table.costs(t, "first sign-in, request to session", 3, 1, signIn)
		table.costs(t, "returning sign-in, request to session", 2, 1, signIn)
		table.costs(t, "returning sign-in at an app, to its tokens", 7, 2, func() { got = w.offlineTokens(w.browser()) })
		table.costs(t, "refresh", 2, 1, func() { got = w.renew(got["refresh_token"]) })
		table.costs(t, "published keys", 0, 0, func() { w.program().get("/.well-known/jwks.json") })
		table.costs(t, "revocation feed, for the first time", 5, 0, func() { w.program().get("/revocations") })
		table.costs(t, "revocation feed, within the second", 0, 0, func() { w.program().get("/revocations", "Cache-Control", "no-cache") })
		bearer := "Bearer " + got["access_token"].(string)
		table.costs(t, "decision on a fresh route", 2, 0, func() { w.program().get("/revocations", "Authorization", bearer) })
		w.jump(t, time.Minute)
		w.program().get("/revocations")
		w.jump(t, 2*time.Second)
		table.costs(t, "revocation feed, after a minute", 1, 0, func() { w.program().get("/revocations") })
		table.costs(t, "decision on a fresh route without a valid token", 0, 0, func() {
			w.program().get("/revocations", "Authorization", bearer+"x")
			w.program().get("/revocations", "Authorization", "Basic eDp5")
		})
	})
}

// TestTwice does everything twice in a row (I40): each call of the table has two
// seconds, and there is one connection.
func TestTwice(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world, _ *watched) {
		b := w.browser()
		got := w.offlineTokens(b)
		bearer := "Bearer " + got["access_token"].(string)
		code := b.code("lin", "scope", offline)
		for _, step := range []struct {
			name string
			do   func() answer
			want [2]int
		}{
			{"sign-in", func() answer { return w.browser().authorizeAs("ada", authorize()) }, [2]int{303, 303}},
			{"authorization with a session", func() answer { return b.authorizeAs("lin", authorize()) }, [2]int{303, 303}},
			{"renewal", func() answer { return w.program().post("/token", renewal(got["refresh_token"])) }, [2]int{200, 200}},
			{"user info", func() answer { return w.program().get("/userinfo", "Authorization", bearer) }, [2]int{200, 200}},
			{"revocation", func() answer { return w.program().post("/revoke", revoking(got["refresh_token"])) }, [2]int{200, 200}},
			{"code, which ends what it gave", func() answer { return w.program().post("/token", redemption(code)) }, [2]int{200, 400}},
			{"sign-out", func() answer { return b.post("/logout", url.Values{}) }, [2]int{200, 200}},
			{"revocation feed", func() answer { return w.program().get("/revocations", "Cache-Control", "no-cache") }, [2]int{200, 200}},
		} {
			for i, want := range step.want {
				began := time.Now()
				if a := step.do(); a.StatusCode != want {
					t.Errorf("%s, time %d: %d %s, want %d", step.name, i+1, a.StatusCode, a.body, want)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("%s, time %d: took %v", step.name, i+1, took)
				}
			}
		}
	})
}

func TestSuspendingAgainstRenewing(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world, _ *watched) {
		users, operator := w.config.Users, usersvc.By{Operator: "test"}
		renewed := 0
		for range 50 {
			b := w.browser()
			got := w.offlineTokens(b)
			sub := w.access(got["access_token"]).Subject
			both, suspended := make(chan answer), make(chan error)
			go func() { both <- w.program().post("/token", renewal(got["refresh_token"])) }()
			go func() { _, err := users.Suspend(t.Context(), operator, sub); suspended <- err }()
			a, err := <-both, <-suspended
			if err != nil {
				t.Fatal(err)
			}
			if a.StatusCode == http.StatusOK { // then it came first, and what it gave is dead by now
				renewed++
				next := a.json(t)
				w.refuses(next["refresh_token"])
				access := w.access(next["access_token"])
				if !w.feed().Revoked(access) {
					t.Error("S79 a token outlives its user's suspension")
				}
			} else {
				a.oauthError(t, http.StatusBadRequest, "invalid_grant")
			}
			w.refuses(got["refresh_token"])
			if _, err := users.Activate(t.Context(), operator, sub); err != nil {
				t.Fatal(err)
			}
			w.refuses(got["refresh_token"])
			w.jump(t, 2*time.Second) // no token is issued in the second of a suspension
		}
		t.Logf("of 50 renewals, %d came before the suspension", renewed)
	})
}

package usersvc_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// house is users on a table of their own, with a clock that the test moves.
type house struct {
	*usersvc.Users
	table *counted
	clock *clock

	secrets []string        // of the sessions: no answer may show them
	seen    map[string]bool // if not nil, the answers of the API so far
}

// engine opens a house on an empty table.
type engine func(*testing.T) *house

// onEngines runs a test on each engine.
func onEngines(t *testing.T, test func(*testing.T, engine)) {
	t.Parallel()
	t.Run("bolt", func(t *testing.T) {
		t.Parallel()
		test(t, openBolt)
	})
	t.Run("dynamodb", func(t *testing.T) {
		t.Parallel()
		client := dynamotest.Client(dynamotest.Endpoint(t, os.Getenv), nil)
		test(t, func(t *testing.T) *house {
			t.Helper()
			name := rand.Text()
			if err := dynamotable.Create(t.Context(), client, dynamotest.Definition(name)); err != nil {
				t.Fatal(err)
			}
			return newHouse(dynamotable.New(client, name))
		})
	})
}

func openBolt(t *testing.T) *house {
	t.Helper()
	bolt, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bolt.Close(); err != nil {
			t.Error(err)
		}
	})
	return newHouse(bolt)
}

func newHouse(t table.Table) *house {
	h := &house{table: &counted{Table: t}, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	h.Users = &usersvc.Users{
		Table: h.table, Admins: []string{"Ada@Example.com"}, TrustedProviders: []string{"demo", "other"}, Now: h.clock.Now,
	}
	return h
}

// counted counts the calls of a table.
type counted struct {
	table.Table
	calls atomic.Int64
}

func (c *counted) Get(ctx context.Context, key table.Key) (table.Item, error) {
	c.calls.Add(1)
	return c.Table.Get(ctx, key)
}

func (c *counted) Write(ctx context.Context, writes ...table.Write) error {
	c.calls.Add(1)
	return c.Table.Write(ctx, writes...)
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.calls.Add(1)
	return c.Table.Query(ctx, q)
}

// during returns how many calls do makes.
func (c *counted) during(do func()) int64 {
	before := c.calls.Load()
	do()
	return c.calls.Load() - before
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func profile(name string) usersvc.Profile {
	return usersvc.Profile{
		Issuer: "https://demo.example", Subject: "sub-" + name, Provider: "demo",
		Email: name + "@example.com", EmailVerified: true, Name: name,
	}
}

// in is a sign-in that must succeed.
type in struct {
	user    usersvc.User
	session usersvc.Session
	cookie  string
}

func (h *house) signIn(t *testing.T, p usersvc.Profile) in {
	t.Helper()
	user, s, cookie, err := h.SignIn(t.Context(), p, usersvc.SignInInfo{UserAgent: "firefox", SourceIP: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	h.secrets = append(h.secrets, cookie[strings.LastIndex(cookie, ".")+1:])
	return in{user, s, cookie}
}

// all returns every user, newest first.
func (h *house) all(t *testing.T) []usersvc.User {
	t.Helper()
	page, err := h.List(t.Context(), usersvc.Filter{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

package registry_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// onEngines runs a test on an empty table of each engine.
func onEngines(t *testing.T, test func(*testing.T, *counted)) {
	t.Parallel()
	t.Run("bolt", func(t *testing.T) {
		t.Parallel()
		test(t, &counted{Table: openBolt(t)})
	})
	t.Run("dynamodb", func(t *testing.T) {
		t.Parallel()
		test(t, &counted{Table: dynamotest.Open(t, os.Getenv)})
	})
}

func openBolt(t *testing.T) table.Table {
	t.Helper()
	bolt, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bolt.Close() })
	return bolt
}

// counted counts what is asked of a table, and can break it.
type counted struct {
	table.Table
	mu     sync.Mutex
	n      int
	fail   error
	before func() // what comes between a reading and the next write
}

func (c *counted) count() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.fail
}

func (c *counted) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = 0
	return n
}

func (c *counted) Get(ctx context.Context, k table.Key) (table.Item, error) {
	if err := c.count(); err != nil {
		return nil, err
	}
	return c.Table.Get(ctx, k)
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := c.count(); err != nil {
		return table.Page{}, err
	}
	return c.Table.Query(ctx, q)
}

func (c *counted) Write(ctx context.Context, writes ...table.Write) error {
	if err := c.count(); err != nil {
		return err
	}
	if before := c.before; before != nil {
		c.before = nil
		before()
	}
	return c.Table.Write(ctx, writes...)
}

// admin is who does it.
var admin = usersvc.By{Operator: "ada"}

var morning = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func open(t *counted) *registry.Clients {
	return &registry.Clients{Table: t, Limits: client.Limits{Scopes: []string{"openid", "profile", "email", "orders:read"}, Issuer: "https://auth.test"}, Now: func() time.Time { return morning }}
}

func web(id string) client.Client {
	return client.Client{ID: id, RedirectURIs: []string{"https://" + id + ".test/cb"}}
}

// add registers app, and fails the test if that is refused.
func add(t *testing.T, c *registry.Clients, app client.Client, confidential bool) client.Secret {
	t.Helper()
	secret, err := c.Add(t.Context(), admin, app, confidential)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

package dynamostore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
	"github.com/gatehouse-auth/gatehouse/connection/dynamostore"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

func file(t *testing.T) *bolttable.Table {
	t.Helper()
	tab, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab
}

func TestStore(t *testing.T) {
	t.Run("in a file", func(t *testing.T) {
		connectiontest.Run(t, func(t *testing.T) connection.Store { return dynamostore.Over(file(t)) })
	})
	t.Run("in DynamoDB", func(t *testing.T) {
		endpoint := dynamotest.Endpoint(t, os.Getenv)
		client := dynamotest.Client(endpoint, nil)
		if err := dynamotable.Create(t.Context(), client, dynamotest.Definition("connections")); err != nil {
			t.Fatal(err)
		}
		connectiontest.Run(t, func(*testing.T) connection.Store { return dynamostore.New(client, "connections") })
	})
}

// What a partition takes has a limit, and what is read has a price: however many
// connections are open, a sweep that finds nothing due asks once for each
// partition, and reads one page of it.
func TestCalls(t *testing.T) {
	counting := &counted{Table: file(t)}
	s := dynamostore.Over(counting)
	now := time.Now().UTC().Truncate(time.Second)
	for i := range 2000 {
		c := connection.Connection{ID: fmt.Sprintf("c%d=", i), ExpiresAt: now.Add(time.Duration(i%600+1) * time.Second), OpenedAt: now}
		if err := s.Remember(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for partition, n := range counting.writes {
		if n < 60 || n > 200 { // 125 each, if it were even
			t.Errorf("%d of 2,000 writes to %s", n, partition)
		}
	}
	if len(counting.writes) != 16 {
		t.Errorf("%d partitions", len(counting.writes))
	}
	for c, err := range s.EndingBy(t.Context(), now) {
		t.Errorf("found %v, %v", c, err)
	}
	if counting.queries != 16 || counting.read > 16*50 {
		t.Errorf("%d queries, %d items", counting.queries, counting.read)
	}
	found := 0
	for _, err := range s.EndingBy(t.Context(), now.Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	if found != 2000 { // several pages of each partition
		t.Errorf("found %d of 2,000", found)
	}
}

func TestErrors(t *testing.T) {
	t.Run("a table that is out of reach", func(t *testing.T) {
		faults := &dynamotest.Faults{Choose: func(int, dynamotest.Request) dynamotest.Fault { return dynamotest.Throttle }}
		s := dynamostore.New(dynamotest.Client("http://nowhere", faults), "connections")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		failed := 0
		for _, err := range s.EndingBy(ctx, time.Now()) {
			if err == nil {
				t.Error("found something")
			}
			failed++
		}
		if failed != 16 {
			t.Errorf("%d errors, want one for each partition", failed)
		}
	})
	t.Run("a damaged item hides no other", func(t *testing.T) {
		tab := file(t)
		s := dynamostore.Over(tab)
		now := time.Now().UTC().Truncate(time.Second)
		for i := range 16 {
			pk := fmt.Sprintf("connections#%02d", i)
			if err := tab.Write(t.Context(), table.Put(table.Item{table.PK: pk, table.SK: "000000000000#x"})); err != nil {
				t.Fatal(err)
			}
		}
		c := connection.Connection{ID: "a=", ExpiresAt: now, OpenedAt: now}
		if err := s.Remember(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var found, damaged int
		for got, err := range s.EndingBy(t.Context(), now) {
			switch {
			case err != nil && strings.Contains(err.Error(), "is no connection"):
				damaged++
			case got == c:
				found++
			}
		}
		if found != 1 || damaged != 16 {
			t.Errorf("found %d, damaged %d", found, damaged)
		}
	})
}

// counted counts what is asked of a table.
type counted struct {
	table.Table
	writes        map[string]int // by partition
	queries, read int
}

func (c *counted) Write(ctx context.Context, writes ...table.Write) error {
	if c.writes == nil {
		c.writes = map[string]int{}
	}
	c.writes[writes[0].Key.PK]++
	return c.Table.Write(ctx, writes...)
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := c.Table.Query(ctx, q)
	c.queries++
	c.read += len(page.Items)
	return page, err
}

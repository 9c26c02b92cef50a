// Package memtable is a table in a map, for measurements: it costs next to
// nothing, so that services are compared and not stores. It adds no numbers,
// answers no queries and checks nothing that is written, so that no test should
// rely on it: see package bolttable.
package memtable

import (
	"context"
	"maps"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Table is an empty table at its zero value.
type Table struct {
	mu    sync.Mutex
	items map[table.Key]table.Item
}

var _ table.Table = (*Table)(nil)

// Get returns a copy of the item.
func (t *Table) Get(_ context.Context, key table.Key) (table.Item, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	item, ok := t.items[key]
	if !ok {
		return nil, table.ErrNotFound
	}
	return maps.Clone(item), nil
}

// Write does all of writes or none.
func (t *Table) Write(_ context.Context, writes ...table.Write) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var failed []int
	for i, w := range writes {
		if !table.Holds(w.Cond, t.items[w.Key]) {
			failed = append(failed, i)
		}
	}
	if failed != nil {
		return table.ConditionFailed(writes, failed...)
	}
	if t.items == nil {
		t.items = map[table.Key]table.Item{}
	}
	for _, w := range writes {
		switch w.Op {
		case table.OpPut:
			t.items[w.Key] = maps.Clone(w.Item)
		case table.OpDelete:
			delete(t.items, w.Key)
		case table.OpUpdate:
			t.update(w)
		}
	}
	return nil
}

func (t *Table) update(w table.Write) {
	item := maps.Clone(t.items[w.Key])
	if item == nil {
		item = table.Item{table.PK: w.Key.PK, table.SK: w.Key.SK}
	}
	maps.Copy(item, w.Set)
	for _, name := range w.Remove {
		delete(item, name)
	}
	t.items[w.Key] = item
}

// Query finds nothing.
func (t *Table) Query(context.Context, table.Query) (table.Page, error) { return table.Page{}, nil }

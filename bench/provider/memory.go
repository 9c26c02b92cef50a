package main

import (
	"context"
	"maps"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// memory is a table in a map, as the others have: it costs next to nothing, so
// that services are compared and not stores. It adds no numbers and answers no
// queries, which neither a sign-in nor a renewal needs.
type memory struct {
	mu    sync.Mutex
	items map[table.Key]table.Item
}

var _ table.Table = (*memory)(nil)

func (m *memory) Get(_ context.Context, key table.Key) (table.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	item, ok := m.items[key]
	if !ok {
		return nil, table.ErrNotFound
	}
	return maps.Clone(item), nil
}

func (m *memory) Write(_ context.Context, writes ...table.Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var failed []int
	for i, w := range writes {
		if !table.Holds(w.Cond, m.items[w.Key]) {
			failed = append(failed, i)
		}
	}
	if failed != nil {
		return &table.ConditionError{Failed: failed}
	}
	for _, w := range writes {
		switch w.Op {
		case table.OpPut:
			m.items[w.Key] = maps.Clone(w.Item)
		case table.OpDelete:
			delete(m.items, w.Key)
		case table.OpUpdate:
			m.update(w)
		}
	}
	return nil
}

func (m *memory) update(w table.Write) {
	item := maps.Clone(m.items[w.Key])
	if item == nil {
		item = table.Item{table.PK: w.Key.PK, table.SK: w.Key.SK}
	}
	maps.Copy(item, w.Set)
	for _, name := range w.Remove {
		delete(item, name)
	}
	m.items[w.Key] = item
}

func (m *memory) Query(context.Context, table.Query) (table.Page, error) { return table.Page{}, nil }

package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// ordered is a table in memory that answers queries of the feed's partitions. It
// checks nothing that is written.
type ordered struct {
	now   func() time.Time
	items map[table.Key]table.Item
	feed  map[string][]string // sort keys of partitions of the feed

	gets    int
	second  time.Time
	writes  map[string]int // of this second, by partition of the feed
	busiest int            // the most of them
}

var _ table.Table = (*ordered)(nil)

func newOrdered() *ordered {
	return &ordered{items: map[table.Key]table.Item{}, feed: map[string][]string{}, writes: map[string]int{}}
}

func (t *ordered) Get(_ context.Context, key table.Key) (table.Item, error) {
	t.gets++
	item, ok := t.items[key]
	if !ok {
		return nil, table.ErrNotFound
	}
	return item, nil
}

func (t *ordered) Write(_ context.Context, writes ...table.Write) error {
	var failed []int
	for i, w := range writes {
		if !table.Holds(w.Cond, t.items[w.Key]) {
			failed = append(failed, i)
		}
	}
	if failed != nil {
		return table.ConditionFailed(writes, failed...)
	}
	for _, w := range writes {
		if strings.HasPrefix(w.Key.PK, "revocations") {
			t.note(w)
		}
		switch w.Op {
		case table.OpPut:
			t.items[w.Key] = w.Item
		case table.OpDelete:
			delete(t.items, w.Key)
		case table.OpUpdate:
			item := maps.Clone(t.items[w.Key])
			maps.Copy(item, w.Set)
			t.items[w.Key] = item
		}
	}
	return nil
}

// note counts a write of the feed, and keeps its sort keys in order.
func (t *ordered) note(w table.Write) {
	if second := t.now().Truncate(time.Second); second != t.second {
		t.second = second
		clear(t.writes)
	}
	t.writes[w.Key.PK]++
	t.busiest = max(t.busiest, t.writes[w.Key.PK])
	keys := t.feed[w.Key.PK]
	at, there := slices.BinarySearch(keys, w.Key.SK)
	switch {
	case w.Op == table.OpPut && !there:
		t.feed[w.Key.PK] = slices.Insert(keys, at, w.Key.SK)
	case w.Op == table.OpDelete && there:
		t.feed[w.Key.PK] = slices.Delete(keys, at, at+1)
	}
}

func (t *ordered) Query(_ context.Context, q table.Query) (table.Page, error) {
	keys := t.feed[q.PK]
	start, resumes, err := q.Start()
	if err != nil {
		return table.Page{}, err
	}
	at, there := slices.BinarySearch(keys, start.Key.SK)
	next, step := at, 1
	switch {
	case q.Descending && !resumes:
		next, step = len(keys)-1, -1
	case q.Descending:
		next, step = at-1, -1
	case there:
		next++
	}
	var page table.Page
	for ; next >= 0 && next < len(keys) && len(page.Items) < q.Limit; next += step {
		page.Items = append(page.Items, t.items[table.Key{PK: q.PK, SK: keys[next]}])
	}
	if next >= 0 && next < len(keys) {
		page.Cursor = q.CursorAfter(page.Items[len(page.Items)-1])
	}
	return page, nil
}

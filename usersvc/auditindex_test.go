package usersvc_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// reading counts the items that queries return.
type reading struct {
	table.Table
	items atomic.Int64
}

func (r *reading) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := r.Table.Query(ctx, q)
	r.items.Add(int64(len(page.Items)))
	return page, err
}

// TestAuditOfAll lists entries that are spread over partitions, and older ones
// that are all in the first.
func TestAuditOfAll(t *testing.T) { onEngines(t, testAuditOfAll) }

func testAuditOfAll(t *testing.T, open userstest.Engine) {
	h := open(t)
	const older, newer = 40, 60
	var want []string // newest first
	used := map[string]bool{}
	for i := range older + newer {
		h.Clock.Pass(time.Duration(i%3) * time.Millisecond) // many in one millisecond
		w := usersvc.ClientAudit(usersvc.ClientEdited, fmt.Sprint("c", i%7), userstest.Operator, fmt.Sprint(i), h.Clock.Now())
		if i < older {
			w.Item[table.GSI1PK] = schema.AuditIndex(0)
		} else {
			used[w.Item[table.GSI1PK].(string)] = true
		}
		if err := h.Table.Write(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		want = append(want, w.Item["id"].(string))
	}
	slices.Sort(want)
	slices.Reverse(want)
	if len(used) != schema.AuditIndexes {
		t.Errorf("%d partitions are used", len(used))
	}
	counted := &reading{Table: h.Table}
	h.Users.Table = counted
	for _, limit := range []int{3, 20, 200} {
		t.Run(fmt.Sprint("in pages of ", limit), func(t *testing.T) {
			open := func(cursor string) (ids []string, p usersvc.Page[usersvc.Entry]) {
				before := counted.items.Load()
				n := h.Table.During(func() {
					page, err := h.Audit(t.Context(), usersvc.AuditFilter{Limit: limit, Cursor: cursor})
					if err != nil {
						t.Fatal(err)
					}
					p = page
				})
				for _, e := range p.Items {
					ids = append(ids, e.ID)
				}
				if read := counted.items.Load() - before; n > 3*schema.AuditIndexes || read > int64(3*limit+16*schema.AuditIndexes) {
					t.Errorf("a page of %d takes %d queries and reads %d entries", limit, n, read)
				}
				return ids, p
			}
			var got []string
			for cursor := ""; ; {
				ids, page := open(cursor)
				if len(ids) != limit && page.Cursor != "" {
					t.Errorf("a page of %d entries in the middle", len(ids))
				}
				if got, cursor = append(got, ids...), page.Cursor; cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d entries, want %d in order", len(got), len(want))
			}
			thereAndBack(t, open)
		})
	}
	t.Run("a cursor of an older version goes on", func(t *testing.T) {
		q := table.Query{Index: table.GSI1, PK: "audit", Descending: true, Limit: 10}
		page, err := h.Table.Query(t.Context(), q)
		if err != nil || page.Cursor == "" {
			t.Fatal(err)
		}
		last := page.Items[9]["id"].(string)
		next, err := h.Audit(t.Context(), usersvc.AuditFilter{Limit: 10, Cursor: page.Cursor})
		if err != nil || next.Items[0].ID != want[slices.Index(want, last)+1] {
			t.Error(err)
		}
	})
}

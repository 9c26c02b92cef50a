package usersvc

import (
	"context"
	"errors"
	"hash/crc32"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Every sign-in writes an entry of the audit trail, and DynamoDB takes 1,000
// writes a second into one partition. So the index of all entries has several
// partitions, and an entry is in one of them by its id. A page of the list reads
// as many entries from each as it may need, and merges them by time.

// auditPartitionOf returns the partition of the index that holds an entry.
func auditPartitionOf(entryID string) string {
	return schema.AuditIndex(int(crc32.ChecksumIEEE([]byte(entryID)) % schema.AuditIndexes))
}

// auditIndex is a table whose partition 0 of the index of all entries stands for
// all of them: Query finds the entries of every partition, in order. A cursor
// is the same as of partition 0 alone. Older versions wrote every entry there.
type auditIndex struct{ table.Table }

// errFilter says that the list of all entries takes no filter.
var errFilter = errors.New("the list of all entries takes no filter")

func (a auditIndex) Query(ctx context.Context, q table.Query) (table.Page, error) {
	from, started, err := q.Start()
	if err != nil {
		return table.Page{}, err
	}
	if q.Filter != nil {
		return table.Page{}, errFilter
	}
	m := auditMerge{table: a.Table, limit: q.Limit, parts: make([]auditPart, schema.AuditIndexes)}
	for i := range m.parts {
		part := &m.parts[i]
		part.query = q
		part.query.PK, part.query.Cursor, part.more = schema.AuditIndex(i), "", true
		if started {
			part.query.Cursor = part.query.CursorAt(from)
		}
	}
	items, more, err := m.take(ctx)
	if err != nil || !more {
		return table.Page{Items: items}, err
	}
	return table.Page{Items: items, Cursor: q.CursorAfter(items[len(items)-1])}, nil
}

// auditMerge merges the partitions of a list.
type auditMerge struct {
	table table.Table
	limit int
	parts []auditPart
}

// auditPart is one partition of a list.
type auditPart struct {
	query table.Query
	items []table.Item // read and not taken
	more  bool         // the partition has items that have not been read
}

// take returns the next items of all partitions, in order, and whether there are
// more.
func (m auditMerge) take(ctx context.Context) (items []table.Item, more bool, err error) {
	atOnce := min(m.limit, m.limit/len(m.parts)+8) // a share of the page, and what chance adds
	for {
		if err := m.fill(ctx, atOnce); err != nil {
			return nil, false, err
		}
		for !m.lacks() {
			next := m.next()
			if next == nil || len(items) == m.limit {
				return items, next != nil, nil
			}
			items = append(items, next.items[0])
			next.items = next.items[1:]
		}
		if len(items) == m.limit {
			return items, true, nil
		}
		atOnce = m.limit - len(items)
	}
}

// lacks tells whether a partition must be read before the next item is known.
func (m auditMerge) lacks() bool {
	for _, p := range m.parts {
		if len(p.items) == 0 && p.more {
			return true
		}
	}
	return false
}

// next returns the partition with the next item, or nil if no item is left.
func (m auditMerge) next() *auditPart {
	var best *auditPart
	for i := range m.parts {
		p := &m.parts[i]
		if len(p.items) > 0 && (best == nil || p.before(best)) {
			best = p
		}
	}
	return best
}

// before tells whether the first item of p comes before that of other.
func (p *auditPart) before(other *auditPart) bool {
	a, _ := p.items[0][table.GSI1SK].(string)
	b, _ := other.items[0][table.GSI1SK].(string)
	if p.query.Descending {
		return a > b
	}
	return a < b
}

// fill reads each partition that lacks items, all at the same time.
func (m auditMerge) fill(ctx context.Context, atOnce int) error {
	var wg sync.WaitGroup
	errs := make([]error, len(m.parts))
	for i := range m.parts {
		p := &m.parts[i]
		if len(p.items) > 0 || !p.more {
			continue
		}
		wg.Go(func() {
			q := p.query
			q.Limit = atOnce
			var page table.Page
			page, errs[i] = m.table.Query(ctx, q)
			p.items, p.more, p.query.Cursor = page.Items, page.Cursor != "", page.Cursor
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

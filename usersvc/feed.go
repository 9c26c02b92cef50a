package usersvc

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Feed is a copy of the revocation feed in memory. It reads what has been written
// since it was read last, however much there is in all. It is safe for concurrent
// use; of those who ask at once, one reads.
//
// Rows stand under the second up to which they revoke tokens, which the writer
// chose before it wrote. A row that took long appears behind others that a reader has
// already, and is then written again, before it is acknowledged. So only the clocks
// of two instances matter. Each read begins [overlap] before the one before it.
//
// A copy that has nothing yet, or has not been used for long, begins again. Where
// there is more than a page, it reads the newest rows first, and not more than
// [maxPages] pages of each partition. What it did not read is covered: all tokens of
// before are dead, and their clients renew.
//
// Most of the time all new rows are in partition 0: see [spreading].
type Feed struct {
	Users *Users // required

	mu        sync.Mutex
	copy      revocation.Copy
	document  []byte
	startedAt time.Time // of the first read
	readAt    time.Time // when the read began that brought the document; zero: none
	marked    time.Time // until then, other partitions than 0 can get rows
}

const (
	// feedTTL is how old a document may be when it is served.
	feedTTL = time.Second
	// overlap is how far reads overlap: two clocks can differ, and keys are rounded
	// to seconds.
	overlap = 3 * time.Second
	// longUnused is the time without a read after which a copy reads the newest
	// rows first.
	longUnused = 30 * time.Second
	maxPages   = 8
	pageRows   = table.MaxLimit
	// oldRowsFor is how long after the first read all partitions are read, and the
	// rows of version 1: an instance of an earlier version may still write some,
	// and knows no markers.
	oldRowsFor = time.Minute
)

// Document returns the feed as it was at most a second ago.
func (f *Feed) Document(ctx context.Context) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Users.now()
	if age := now.Sub(f.readAt); !f.readAt.IsZero() && 0 <= age && age < feedTTL {
		return f.document, nil
	}
	if err := f.read(ctx, now); err != nil {
		return nil, fmt.Errorf("reading revocations: %w", err)
	}
	f.copy.Remembers = f.Users.remembers()
	f.copy.Trim(now)
	document, err := f.copy.MarshalJSON()
	if err != nil {
		return nil, err
	}
	f.document, f.readAt = document, now
	return document, nil
}

// read adds what was written since the last read.
//
// A row can move between partition 0 and another one. A copy that has what was there
// before only needs the new row, if not now, then with the next read. One that begins
// must not miss both: it reads the others, then 0, and then the others again if rows
// may go there.
func (f *Feed) read(ctx context.Context, now time.Time) error {
	if f.startedAt.IsZero() {
		f.startedAt = now
	}
	begins, old := f.begins(now), now.Sub(f.startedAt) < oldRowsFor
	var parts []part
	if begins || old {
		parts = f.readOthers(ctx, now, old)
	}
	quiet := f.readPartition(ctx, schema.RevocationPartition(0), now)
	f.marked = later(f.marked, quiet.marked)
	if now.Before(f.marked.Add(markedSlack)) && (begins || !old) {
		parts = append(parts, f.readOthers(ctx, now, false)...)
	}
	for _, p := range append(parts, quiet) {
		if p.err != nil {
			return p.err
		}
		for _, i := range p.items {
			f.copy.Add(i.entry, i.bucket, i.before)
		}
		if !p.unread.IsZero() {
			f.copy.Raise(p.unread)
		}
	}
	return nil
}

// begins tells whether the copy has nothing, or has not been used for long.
func (f *Feed) begins(now time.Time) bool {
	return f.readAt.IsZero() || now.Sub(f.readAt) > longUnused || now.Before(f.readAt)
}

// readOthers reads all partitions but 0 at once and, if old, the rows of version 1.
func (f *Feed) readOthers(ctx context.Context, now time.Time, old bool) []part {
	parts := make([]part, schema.RevocationPartitions)
	var wg sync.WaitGroup
	for n := 1; n < len(parts); n++ {
		wg.Go(func() { parts[n] = f.readPartition(ctx, schema.RevocationPartition(n), now) })
	}
	if old {
		parts[0] = f.Users.readOldRows(ctx)
	}
	wg.Wait()
	return parts
}

// part is what a partition holds.
type part struct {
	items  []item
	marked time.Time // until when rows can go into other partitions
	unread time.Time // what revokes tokens up to then was not read; zero: all was
	err    error
}

// readPartition reads the rows that can be new, forward in time: a row that is
// replaced meanwhile comes again later, and is not overlooked. If there are many, and
// the copy begins, it reads the newest before that.
func (f *Feed) readPartition(ctx context.Context, pk string, now time.Time) (p part) {
	from, most := f.readAt.Add(-overlap), math.MaxInt
	if oldest := now.Add(-f.Users.remembers()); f.readAt.IsZero() || from.Before(oldest) {
		from = oldest
	}
	if f.begins(now) {
		most = 1
	}
	if p.forward(ctx, f.Users.Table, pk, from, most) && p.err == nil {
		p.newestFirst(ctx, f.Users.Table, pk, from)
		p.forward(ctx, f.Users.Table, pk, now.Add(-overlap), math.MaxInt)
	}
	return p
}

// forward adds the rows from a time on, but only so many pages. It tells whether
// there are more.
func (p *part) forward(ctx context.Context, t table.Table, pk string, from time.Time, pages int) (more bool) {
	q := table.Query{PK: pk, Limit: pageRows}
	q.Cursor = q.CursorAt(table.Position{Key: table.Key{PK: pk, SK: from.Format(time.RFC3339)}})
	for ; q.Cursor != "" && p.err == nil && pages > 0; pages-- {
		q.Cursor, _ = p.page(ctx, t, q)
	}
	return q.Cursor != ""
}

// newestFirst reads rows back to the time from, but only so many.
func (p *part) newestFirst(ctx context.Context, t table.Table, pk string, from time.Time) {
	q := table.Query{PK: pk, Limit: pageRows, Descending: true}
	for range maxPages {
		var last time.Time
		q.Cursor, last = p.page(ctx, t, q)
		if p.err != nil || q.Cursor == "" || last.Before(from) {
			p.unread = time.Time{}
			return
		}
		p.unread = last
	}
}

// page adds a page, and returns the cursor and the second of its last row.
func (p *part) page(ctx context.Context, t table.Table, q table.Query) (cursor string, last time.Time) {
	page, err := t.Query(ctx, q)
	if err != nil {
		p.err = err
		return "", time.Time{}
	}
	for _, row := range page.Items {
		r := table.Reader{Item: row}
		items, err := unpackItems(r.Bytes("entries"))
		if r.Err == nil {
			r.Err = err
		}
		second, id, _ := strings.Cut(row.Key().SK, "#")
		last, err = time.Parse(time.RFC3339, second)
		if id == schema.RevocationMarkerID {
			p.marked = later(p.marked, last)
		}
		if r.Err != nil || err != nil {
			p.err = fmt.Errorf("%w: revocation %q", table.ErrDamaged, row.Key().SK)
			return "", time.Time{}
		}
		p.items = append(p.items, items...)
	}
	return page.Cursor, last
}

package usersvc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// readOldRows reads the feed as version 1 wrote it: a row for each session or
// user, in one partition.
func (u *Users) readOldRows(ctx context.Context) (p part) {
	q := table.Query{PK: schema.OldRevocationPartition, Descending: true, Limit: pageRows}
	for {
		page, err := u.Table.Query(ctx, q)
		if err != nil {
			return part{err: err}
		}
		for _, row := range page.Items {
			r := table.Reader{Item: row}
			if expires := r.Milli("expires_at"); r.Err == nil && !u.now().Before(expires.Add(time.Hour)) {
				return p
			}
			i, err := oldItem(&r)
			if err != nil {
				return part{err: err}
			}
			p.items = append(p.items, i)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return p
		}
	}
}

func oldItem(r *table.Reader) (item, error) {
	i := item{bucket: revocation.Everyone}
	if _, ok := r.Item["user_id"]; ok {
		i.bucket = revocation.BucketOf(r.Text("user_id"))
		i.before = r.Seconds("issued_before")
	} else { // the oldest rows of sessions have neither: all tokens of the session are dead
		i.before = r.Milli("expires_at")
	}
	if _, ok := r.Item["session_id"]; ok {
		i.entry = revocation.Session(r.Text("session_id"))
	} else {
		i.entry = revocation.Subject(r.Text("user_id"))
	}
	return i, r.Err
}

// readOldUserLedger reads the ledger that an earlier version wrote beside the row of
// a user. It matters to tokens of sessions that began with that version, and to no
// others: what it says is older than they are.
func (u *Users) readOldUserLedger(ctx context.Context, userID string) (ledger, error) {
	row, err := u.Table.Get(ctx, schema.Revoked(schema.UserPartition(userID)))
	if errors.Is(err, table.ErrNotFound) {
		return ledger{}, nil
	}
	if err != nil {
		return ledger{}, fmt.Errorf("reading revocations: %w", err)
	}
	return oldLedger(&table.Reader{Item: row})
}

// oldLedger reads a ledger in the form that an earlier version wrote.
func oldLedger(r *table.Reader) (ledger, error) {
	l := ledger{row: table.Key{PK: r.Text("row_pk"), SK: r.Text("row_sk")}, old: true}
	items, err := unpackItems(r.Bytes("entries"))
	if r.Err == nil {
		r.Err = err
	}
	if r.Item["covers"] != nil { // the oldest have none
		covers := r.Bytes("covers")
		if r.Err == nil && len(covers) != len(items)*len(revocation.Entry{}) {
			r.Err = fmt.Errorf("%w: revocation: covers", table.ErrDamaged)
		}
		for i := range items {
			if r.Err == nil {
				items[i].cover = revocation.Entry(covers[i*len(revocation.Entry{}):][:len(revocation.Entry{})])
			}
		}
	}
	l.items = items
	return l, r.Err
}

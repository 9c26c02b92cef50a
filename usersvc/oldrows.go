package usersvc

import (
	"context"
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

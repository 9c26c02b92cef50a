package bolttable

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// expireBatch is how many items one transaction deletes, so that writers wait
// for a short while only.
const expireBatch = 500

// DeleteExpired deletes the items whose [table.TTL] is before now, and returns
// how many there were. DynamoDB does it by itself, within days; here somebody
// calls it now and then, or nobody: readers look at expiry themselves.
func (t *Table) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	end := expiryInstant(now.Unix())
	total := 0
	for {
		if err := ctx.Err(); err != nil {
			return total, unavailable(err)
		}
		var n int
		err := t.db.Update(func(tx *bbolt.Tx) (err error) {
			n, err = deleteBefore(tx, end)
			return err
		})
		if err != nil {
			return total, unavailable(err)
		}
		total += n
		if n < expireBatch {
			return total, nil
		}
	}
}

// deleteBefore deletes at most expireBatch items that expire before end.
func deleteBefore(tx *bbolt.Tx, end []byte) (int, error) {
	var doomed []table.Item
	cursor := tx.Bucket([]byte(expiry)).Cursor()
	for k, v := cursor.First(); k != nil && bytes.Compare(k, end) < 0 && len(doomed) < expireBatch; k, v = cursor.Next() {
		b := tx.Bucket([]byte(items)).Get(v)
		if b == nil {
			return 0, errors.New("an expiry leads to no item")
		}
		item, err := decode(b)
		if err != nil {
			return 0, err
		}
		doomed = append(doomed, item)
	}
	for _, item := range doomed {
		if err := (effect{key: item.Key(), old: item}).apply(tx); err != nil {
			return 0, err
		}
	}
	return len(doomed), nil
}

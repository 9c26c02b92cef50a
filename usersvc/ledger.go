package usersvc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// ledger is what the feed has about a user or a client, and under which key. With
// it, the next revocation replaces the row of the one before.
type ledger struct {
	key     table.Key
	version int64     // 0: there is no ledger yet
	row     table.Key // in the feed; zero: none
	items   []item
}

// item is an entry of the feed as rows hold it.
type item struct {
	entry  revocation.Entry
	bucket revocation.Bucket
	before time.Time // a whole second
}

// add adds an item and forgets those that revoke nothing after oldest. All is the
// item for everything, which takes the place of the others when it is added, or
// when they become too many.
func (l *ledger) add(added, all item, oldest time.Time) {
	items := []item{added}
	for _, i := range l.items {
		if i.entry == added.entry && i.before.After(added.before) {
			items[0] = i
		}
		if i.entry != added.entry && i.before.After(oldest) {
			items = append(items, i)
		}
	}
	if added.entry == all.entry || len(items) > maxEntries {
		all.before = added.before
		items = []item{all}
	}
	l.items = items
}

func (u *Users) readLedger(ctx context.Context, h holder) (ledger, error) {
	l := ledger{key: schema.Revoked(h.partition)}
	row, err := u.Table.Get(ctx, l.key)
	if errors.Is(err, table.ErrNotFound) {
		return l, nil
	}
	if err != nil {
		return ledger{}, fmt.Errorf("reading revocations: %w", err)
	}
	r := table.Reader{Item: row}
	l.version = r.Number("version")
	l.row = table.Key{PK: r.Text("row_pk"), SK: r.Text("row_sk")}
	l.items, err = unpackItems(r.Bytes("entries"))
	if r.Err == nil {
		r.Err = err
	}
	return l, r.Err
}

// write writes the ledger if no other revocation came first.
func (l ledger) write() table.Write {
	var unchanged table.Cond = table.NotExists{}
	if l.version != 0 {
		unchanged = table.Equal{Name: "version", Value: l.version}
	}
	return table.Put(table.Item{
		table.PK: l.key.PK, table.SK: l.key.SK, table.TTL: l.items[0].before.Add(maxRemembered).Unix() + 1,
		"version": l.version + 1, "row_pk": l.row.PK, "row_sk": l.row.SK, "entries": packItems(l.items),
	}).If(unchanged).Else(errLedger)
}

// An item is packed as its entry, its bucket and its instant.
const packedSize = len(revocation.Entry{}) + 2 + 8

func packItems(items []item) []byte {
	packed := make([]byte, 0, len(items)*packedSize)
	for _, i := range items {
		packed = append(packed, i.entry[:]...)
		packed = binary.BigEndian.AppendUint16(packed, uint16(i.bucket)) // everyone's is the greatest
		packed = binary.BigEndian.AppendUint64(packed, uint64(i.before.Unix()))
	}
	return packed
}

func unpackItems(packed []byte) ([]item, error) {
	if len(packed)%packedSize != 0 {
		return nil, fmt.Errorf("%w: revocation: entries", table.ErrDamaged)
	}
	items := make([]item, 0, len(packed)/packedSize)
	for ; len(packed) > 0; packed = packed[packedSize:] {
		rest := packed[len(revocation.Entry{}):]
		i := item{entry: revocation.Entry(packed[:len(revocation.Entry{})]), bucket: revocation.Bucket(binary.BigEndian.Uint16(rest))}
		if i.bucket == math.MaxUint16 {
			i.bucket = revocation.Everyone
		} else if i.bucket >= revocation.Buckets {
			return nil, fmt.Errorf("%w: revocation: bucket", table.ErrDamaged)
		}
		i.before = time.Unix(int64(binary.BigEndian.Uint64(rest[2:])), 0).UTC()
		items = append(items, i)
	}
	return items, nil
}

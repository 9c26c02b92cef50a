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
	// cover is the entry of the same client at the user, for that of the client in
	// a session. It is in the ledger alone. Zero: there is none.
	cover revocation.Entry
}

// add adds an item and forgets those that revoke nothing after oldest, or that it
// covers. All is the item for everything, which takes the place of the others when
// it is added. When they become too many, the client with most of them gets one for
// all its sessions; only if each client has one, all takes their place.
func (l *ledger) add(added, all item, oldest time.Time) {
	items := []item{added}
	for _, i := range l.items {
		covered := i.entry == added.entry || i.cover == added.entry
		if covered && i.before.After(items[0].before) {
			items[0].before = i.before
		}
		if !covered && i.before.After(oldest) {
			items = append(items, i)
		}
	}
	if len(items) > maxEntries {
		items = collapse(items)
	}
	if added.entry == all.entry || len(items) > maxEntries {
		all.before = added.before
		items = []item{all}
	}
	l.items = items
}

// collapse puts the item of a client at the user into the place of all that it
// covers, for the client with most of them. It changes nothing if none has two.
func collapse(items []item) []item {
	var cover revocation.Entry
	most := 1
	count := map[revocation.Entry]int{}
	for _, i := range items {
		if i.cover == (revocation.Entry{}) {
			i.cover = i.entry // perhaps that of a client at the user already
		}
		if count[i.cover]++; count[i.cover] > most {
			cover, most = i.cover, count[i.cover]
		}
	}
	if most == 1 {
		return items
	}
	var left []item
	at := -1 // the place in left of the item for all that are covered
	for _, i := range items {
		switch {
		case i.cover != cover && i.entry != cover:
			left = append(left, i)
		case at < 0:
			at = len(left)
			left = append(left, item{entry: cover, bucket: i.bucket, before: i.before})
		case i.before.After(left[at].before):
			left[at].before = i.before
		}
	}
	return left
}

// revokes tells whether a token of a user is dead by the ledger of the user, as
// [revocation.List.Revoked] tells from the feed.
func (l ledger) revokes(t Tokens, issuedAt time.Time) bool {
	for _, i := range l.items {
		if !issuedAt.Before(i.before) {
			continue
		}
		switch i.entry {
		case revocation.Subject(t.Subject), revocation.Session(t.SessionID),
			revocation.ClientInSession(t.SessionID, t.ClientID), revocation.ClientAtSubject(t.Subject, t.ClientID):
			return true
		}
	}
	return false
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
	if row["covers"] != nil { // rows from before there were covers have none
		covers := r.Bytes("covers")
		if r.Err == nil && len(covers) != len(l.items)*len(revocation.Entry{}) {
			r.Err = fmt.Errorf("%w: revocation: covers", table.ErrDamaged)
		}
		for i := range l.items {
			if r.Err == nil {
				l.items[i].cover = revocation.Entry(covers[i*len(revocation.Entry{}):][:len(revocation.Entry{})])
			}
		}
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
		"covers": packCovers(l.items),
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

func packCovers(items []item) []byte {
	packed := make([]byte, 0, len(items)*len(revocation.Entry{}))
	for _, i := range items {
		packed = append(packed, i.cover[:]...)
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

package usersvc

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// ledger is what the feed has about a user or a client, and under which key. With
// it, the next revocation replaces the row of the one before. The zero ledger is
// empty.
type ledger struct {
	row   table.Key // in the feed; zero: none
	items []item
	old   bool // it was read from a row of an earlier form
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
// all its sessions; only if each client has one, all takes their place. An instant
// after latest is of a wrong clock, and covers nothing.
func (l *ledger) add(added, all item, oldest, latest time.Time) {
	items := []item{added}
	for _, i := range l.items {
		covered := i.entry == added.entry || i.cover == added.entry || added.entry == all.entry
		if covered && i.before.After(items[0].before) && !i.before.After(latest) {
			items[0].before = i.before
		}
		if !covered && i.before.After(oldest) {
			items = append(items, i)
		}
	}
	if len(items) > maxEntries {
		items = collapse(items)
	}
	if len(items) > maxEntries {
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

// aliveFrom is the second from which on tokens of a user are alive by the user's
// ledger, as [revocation.List.Revoked] tells from the feed. Zero: all are.
func (l ledger) aliveFrom(t Tokens) (from time.Time) {
	for _, i := range l.items {
		switch i.entry {
		case revocation.Subject(t.Subject), revocation.Session(t.SessionID),
			revocation.ClientInSession(t.SessionID, t.ClientID), revocation.ClientAtSubject(t.Subject, t.ClientID):
			from = later(from, i.before)
		}
	}
	return from
}

// latest is the second from which on all tokens are alive by the ledger.
func (l ledger) latest() (latest time.Time) {
	for _, i := range l.items {
		latest = later(latest, i.before)
	}
	return latest
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// The attributes of a ledger in the row of its holder. Conditions compare both.
const (
	ledgerAttribute = "revoked"        // the ledger, packed
	latestAttribute = "revoked_before" // its latest instant, in Unix seconds
)

// readLedger returns the ledger of a holder. It returns [ErrNotFound] if the holder
// is a user without a row, and [ErrForbidden] for one who must be active and is not.
func (u *Users) readLedger(ctx context.Context, h holder) (ledger, error) {
	row, err := u.Table.Get(ctx, h.row)
	switch {
	case errors.Is(err, table.ErrNotFound) && h.isUser:
		return ledger{}, ErrNotFound
	case errors.Is(err, table.ErrNotFound):
		return ledger{}, nil
	case err != nil:
		return ledger{}, fmt.Errorf("reading revocations: %w", err)
	case h.active && row["status"] != string(Active):
		return ledger{}, ErrForbidden
	}
	r := table.Reader{Item: row}
	if !h.isUser && row["entries"] != nil {
		return oldLedger(&r)
	}
	return ledgerFrom(&r, h.id)
}

// ledgerFrom reads the ledger of the holder with the id from the holder's row.
func ledgerFrom(r *table.Reader, id string) (ledger, error) {
	if _, ok := r.Item[ledgerAttribute]; !ok {
		return ledger{}, r.Err
	}
	l, err := unpackLedger(r.Text(ledgerAttribute), id)
	if r.Err == nil {
		r.Err = err
	}
	return l, r.Err
}

// attributes are those of the ledger in the row of its holder.
func (l ledger) attributes() map[string]any {
	if len(l.items) == 0 {
		return nil
	}
	return map[string]any{ledgerAttribute: l.pack(), latestAttribute: l.latest().Unix()}
}

// unchanged is the condition that the row of the holder has this ledger.
func (l ledger) unchanged() table.Cond {
	if len(l.items) == 0 || l.old {
		return table.Not{Cond: table.Has{Name: ledgerAttribute}}
	}
	return table.Equal{Name: ledgerAttribute, Value: l.pack()}
}

// write puts a ledger into the row of its holder, in the place of the present one.
// It fails with errLedger if another revocation came first.
func (h holder) write(present, next ledger) table.Write {
	unchanged := table.All{present.unchanged()}
	if !h.isUser {
		row := table.Item(next.attributes())
		row[table.PK], row[table.SK], row[table.TTL] = h.row.PK, h.row.SK, next.latest().Add(maxRemembered).Unix()+1
		return table.Put(row).If(unchanged).Else(errLedger)
	}
	unchanged = append(unchanged, table.Exists{})
	if h.active {
		unchanged = append(unchanged, table.Equal{Name: "status", Value: string(Active)})
	}
	return table.Update(h.row, next.attributes()).If(unchanged).Else(errLedger)
}

// A ledger is packed as text, which a condition can compare: the partition and the
// second of its row in the feed, and its items, each with its cover, in base64.

func (l ledger) pack() string {
	var packed []byte
	for _, i := range l.items {
		packed = append(i.append(packed), i.cover[:]...)
	}
	second, _, _ := strings.Cut(l.row.SK, "#")
	return l.row.PK + " " + second + " " + base64.RawStdEncoding.EncodeToString(packed)
}

func unpackLedger(text, id string) (ledger, error) {
	const size = packedSize + len(revocation.Entry{})
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return ledger{}, fmt.Errorf("%w: %s", table.ErrDamaged, ledgerAttribute)
	}
	l := ledger{row: table.Key{PK: fields[0], SK: fields[1] + "#" + id}}
	packed, err := base64.RawStdEncoding.DecodeString(fields[2])
	if err != nil || len(packed) == 0 || len(packed)%size != 0 {
		return ledger{}, fmt.Errorf("%w: %s", table.ErrDamaged, ledgerAttribute)
	}
	for ; len(packed) > 0; packed = packed[size:] {
		i, err := unpackItem(packed)
		if err != nil {
			return ledger{}, err
		}
		i.cover = revocation.Entry(packed[packedSize:])
		l.items = append(l.items, i)
	}
	return l, nil
}

// An item is packed as its entry, its bucket and its instant.
const packedSize = len(revocation.Entry{}) + 2 + 8

func (i item) append(packed []byte) []byte {
	packed = append(packed, i.entry[:]...)
	packed = binary.BigEndian.AppendUint16(packed, uint16(i.bucket)) // everyone's is the greatest
	return binary.BigEndian.AppendUint64(packed, uint64(i.before.Unix()))
}

func packItems(items []item) []byte {
	packed := make([]byte, 0, len(items)*packedSize)
	for _, i := range items {
		packed = i.append(packed)
	}
	return packed
}

// unpackItem reads the item at the beginning of packed, which is long enough.
func unpackItem(packed []byte) (item, error) {
	rest := packed[len(revocation.Entry{}):]
	i := item{entry: revocation.Entry(packed[:len(revocation.Entry{})]), bucket: revocation.Bucket(binary.BigEndian.Uint16(rest))}
	if i.bucket == math.MaxUint16 {
		i.bucket = revocation.Everyone
	} else if i.bucket >= revocation.Buckets {
		return item{}, fmt.Errorf("%w: revocation: bucket", table.ErrDamaged)
	}
	i.before = time.Unix(int64(binary.BigEndian.Uint64(rest[2:])), 0).UTC()
	return i, nil
}

func unpackItems(packed []byte) ([]item, error) {
	if len(packed)%packedSize != 0 {
		return nil, fmt.Errorf("%w: revocation: entries", table.ErrDamaged)
	}
	items := make([]item, 0, len(packed)/packedSize)
	for ; len(packed) > 0; packed = packed[packedSize:] {
		i, err := unpackItem(packed)
		if err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, nil
}

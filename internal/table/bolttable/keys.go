package bolttable

import (
	"encoding/binary"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// The buckets. Every one but items holds, in its own order, the keys of items.
const (
	items  = "items"  // (pk, sk)
	expiry = "expiry" // (ttl, pk, sk)
)

var buckets = [...]string{items, table.GSI1, table.GSI2, expiry}

// component writes s so that the order of written sequences, by bytes, is the
// order of the sequences themselves: "a" before "a\x00" before "b", whatever
// follows. No written component is a prefix of another one.
func component(s string) string { return escape(s) + "\x00\x01" }

// escape writes s as component does, but open to continuation: it is a prefix
// of exactly the components whose strings begin with s.
func escape(s string) string { return strings.ReplaceAll(s, "\x00", "\x00\xff") }

// itemKey returns the key in the items bucket.
func itemKey(k table.Key) []byte { return []byte(component(k.PK) + component(k.SK)) }

// indexKey returns the key of an item in the bucket of an index.
func indexKey(pk, sk string, k table.Key) []byte {
	return []byte(component(pk) + component(sk) + component(k.PK) + component(k.SK))
}

// expiryKey returns the key in the expiry bucket: the instant, then the item.
func expiryKey(ttl int64, k table.Key) []byte { return append(expiryInstant(ttl), itemKey(k)...) }

// expiryInstant orders as the numbers do, the negative ones first.
func expiryInstant(ttl int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(ttl)^1<<63)
}

// entry is a place in a bucket under which an item is found.
type entry struct {
	bucket string
	key    []byte
}

// entries returns where item is found, besides the items bucket.
func entries(item table.Item) []entry {
	var found []entry
	for _, index := range []string{table.GSI1, table.GSI2} {
		pkName, skName := table.Query{Index: index}.Keys()
		pk, hasPK := item[pkName].(string)
		sk, hasSK := item[skName].(string)
		if hasPK && hasSK {
			found = append(found, entry{index, indexKey(pk, sk, item.Key())})
		}
	}
	if ttl, ok := item[table.TTL].(int64); ok {
		found = append(found, entry{expiry, expiryKey(ttl, item.Key())})
	}
	return found
}

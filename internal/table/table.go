// Package table is an ordered table in the shape of DynamoDB: items under a
// partition and a sort key, conditional writes, transactions, queries by prefix
// and two sparse indexes. Everything Gatehouse promises about codes, sessions,
// users and keys rests on the laws stated here; package tabletest proves them
// on every engine.
package table

import (
	"context"
	"errors"
)

// Table is one table. Its methods are safe for concurrent use, also from
// several processes where the engine allows them on the same data.
//
// An error that is none of [ErrNotFound], [ErrConditionFailed], [ErrBadCursor]
// and [ErrInvalid] wraps [ErrUnavailable]: the caller answers 503, and may not
// tell whether the operation took effect. A ctx that has ended is such an error
// too, and wraps its cause.
type Table interface {
	// Get returns the item under key. The read is strongly consistent: it
	// sees every write that was acknowledged before it began. It returns
	// [ErrNotFound] if there is none, also if none can be, because the key is
	// too long or is not UTF-8. It does not look at [TTL]: an expired item
	// may still be there, so that the caller checks expiry itself.
	Get(ctx context.Context, key Key) (Item, error)

	// Write does all of writes or none: one is a conditional write, several
	// are a transaction (at most [MaxWrites], each on another key). Every
	// condition is judged against the items as they were before the call, and
	// no other write comes between the judgement and the effect. If any
	// condition does not hold, nothing is written, and errors.Is finds
	// [ErrConditionFailed] in the error, and the error that [Write.Else] gave
	// to each write whose condition did not hold, and no other such error.
	Write(ctx context.Context, writes ...Write) error

	// Query returns the items of one partition in the order of their sort
	// keys (bytes), at most q.Limit of them that pass q.Filter. On the table
	// itself it is strongly consistent; on an index it may lag behind. Items
	// with the same sort key in an index have an order too, but an unspecified
	// one. A PK or Prefix that no item can have is an empty page.
	// It returns [ErrBadCursor] if q.Cursor was not made by a query like q.
	Query(ctx context.Context, q Query) (Page, error)
}

// Limits of DynamoDB, kept on every engine. A call beyond them is [ErrInvalid].
const (
	MaxWrites    = 100       // writes in one call
	MaxItemSize  = 400_000   // bytes of one item, names and values; a little less than DynamoDB's 400 KiB
	MaxWriteSize = 4_000_000 // bytes of all items of one call
	MaxPK        = 2048      // bytes of a partition key, of the table or of an index
	MaxSK        = 1024      // bytes of a sort key
	MaxLimit     = 1000      // items in one page
)

// Key is the primary key of an item. Neither part is ever empty.
type Key struct {
	PK string // partition key, at most [MaxPK] bytes of UTF-8
	SK string // sort key, at most [MaxSK] bytes of UTF-8
}

// Attribute names with a meaning for the table.
const (
	PK     = "pk"     // partition key, a string
	SK     = "sk"     // sort key, a string
	GSI1PK = "gsi1pk" // partition key in index GSI1, a string; absent: not in the index
	GSI1SK = "gsi1sk" // sort key in index GSI1, a string; absent: not in the index
	GSI2PK = "gsi2pk"
	GSI2SK = "gsi2sk"
	TTL    = "ttl" // int64, Unix seconds; the engine may delete the item some time after
)

// The two sparse indexes, for [Query]. An item is in an index if it has both of
// its attributes.
const (
	GSI1 = "gsi1"
	GSI2 = "gsi2"
)

// Item is one item: attributes by name, [PK] and [SK] among them. A value is a
// string, an int64, a bool, a []byte or a []string; an engine refuses any other
// type, and gives back just these. Strings are UTF-8. An empty string, []byte or
// []string is a value; nil is not. A name has 1 to 255 bytes of UTF-8, without
// brackets; those that begin with an underscore belong to the engines.
type Item map[string]any

// Key returns the primary key of the item.
func (i Item) Key() Key {
	pk, _ := i[PK].(string)
	sk, _ := i[SK].(string)
	return Key{pk, sk}
}

// MaxLooked is about how many items a query with a filter looks at before it
// answers with what it has, so that no page costs more because the table grew.
const MaxLooked = 1000

// Query asks for a part of one partition.
type Query struct {
	Index      string // "", GSI1 or GSI2
	PK         string // the partition, of the table or of the index
	Prefix     string // only sort keys that begin with it; "" is every one
	Descending bool   // greatest sort key first
	Limit      int    // greatest number of items in the answer, 1 to 1,000
	Cursor     string // where the previous page ended; "" is the beginning
	// Filter leaves out items that do not pass; nil is every item. What it
	// leaves out costs capacity, but does not count toward Limit. After
	// [MaxLooked] items the page ends, however short it is. A filter may not
	// name the keys: not [PK] and [SK], nor those of Index.
	Filter Cond
}

// Page is an answer to a [Query].
type Page struct {
	Items []Item
	// Cursor continues after the last item of this page, also when items were
	// added or deleted meanwhile. It is "" if there are no more, opaque, and
	// safe to hand to a client: changed, or used with a query of another
	// Index, PK, Prefix or Descending, it is refused with [ErrBadCursor].
	// After a page with a Filter there may be a cursor and nothing behind it;
	// and where little passes, a page with a cursor may hold few items or none.
	Cursor string
}

var (
	// ErrNotFound says that there is no item under the key.
	ErrNotFound = errors.New("item not found")
	// ErrConditionFailed says that a condition did not hold and nothing was
	// written. [Write.Else] names the condition.
	ErrConditionFailed = errors.New("condition failed")
	// ErrBadCursor says that a cursor is damaged or belongs to another query.
	ErrBadCursor = errors.New("bad cursor")
	// ErrInvalid says that the call breaks a rule stated in this package: a
	// mistake of the program, or data that is too large.
	ErrInvalid = errors.New("invalid table operation")
	// ErrUnavailable says that the engine could not answer now.
	ErrUnavailable = errors.New("table unavailable")
)

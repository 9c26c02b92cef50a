// Package table is an ordered table in the shape of DynamoDB: items under a
// partition and a sort key, conditional writes, transactions, queries by prefix
// and two sparse indexes. Everything Gatehouse promises about codes, sessions,
// users and keys rests on the laws stated here; package tabletest proves them
// on every engine.
package table

import (
	"context"
	"errors"
	"fmt"
)

// Table is one table. Its methods are safe for concurrent use, also from
// several processes where the engine allows them on the same data.
//
// An error that is none of [ErrNotFound], [ErrConditionFailed], [ErrBadCursor]
// or a programming mistake wraps [ErrUnavailable]: the caller answers 503, and
// may not tell whether the operation took effect.
type Table interface {
	// Get returns the item under key. The read is strongly consistent: it
	// sees every write that was acknowledged before it began. It returns
	// [ErrNotFound] if there is none. It does not look at [TTL]: an expired
	// item may still be there, so that the caller checks expiry itself.
	Get(ctx context.Context, key Key) (Item, error)

	// Write does all of writes or none: one is a conditional write, several
	// are a transaction (at most [MaxWrites], each on another key). Every
	// condition is judged against the items as they were before the call, and
	// no other write comes between the judgement and the effect. If any
	// condition does not hold, nothing is written and the error is a
	// [*ConditionError] that lists which.
	Write(ctx context.Context, writes ...Write) error

	// Query returns the items of one partition in the order of their sort
	// keys (bytes), at most q.Limit of them that pass q.Filter. On the table
	// itself it is strongly consistent; on an index it may lag behind.
	// It returns [ErrBadCursor] if q.Cursor was not made by a query like q.
	Query(ctx context.Context, q Query) (Page, error)
}

// MaxWrites is the greatest number of writes in one call (a limit of DynamoDB).
const MaxWrites = 100

// Key is the primary key of an item. Neither part is ever empty.
type Key struct {
	PK string // partition key, at most 2,048 bytes
	SK string // sort key, at most 1,024 bytes
}

// Attribute names with a meaning for the table.
const (
	PK     = "pk"     // partition key, a string
	SK     = "sk"     // sort key, a string
	GSI1PK = "gsi1pk" // partition key in index GSI1; absent: not in the index
	GSI1SK = "gsi1sk" // sort key in index GSI1
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
// type, and gives back just these. An empty string is a value; nil is not.
type Item map[string]any

// Key returns the primary key of the item.
func (i Item) Key() Key {
	pk, _ := i[PK].(string)
	sk, _ := i[SK].(string)
	return Key{pk, sk}
}

// Query asks for a part of one partition.
type Query struct {
	Index      string // "", GSI1 or GSI2
	PK         string // the partition, of the table or of the index
	Prefix     string // only sort keys that begin with it; "" is every one
	Descending bool   // greatest sort key first
	Limit      int    // greatest number of items in the answer, 1 to 1,000
	Cursor     string // where the previous page ended; "" is the beginning
	Filter     Cond   // nil: every item. Filtered items cost capacity, but not Limit
}

// Page is an answer to a [Query].
type Page struct {
	Items []Item
	// Cursor continues after the last item of this page, also when items were
	// added or deleted meanwhile. It is "" if there are no more, opaque, and
	// safe to hand to a client: changed, or used with a query of another
	// Index, PK, Prefix or Descending, it is refused with [ErrBadCursor].
	Cursor string
}

var (
	// ErrNotFound says that there is no item under the key.
	ErrNotFound = errors.New("item not found")
	// ErrConditionFailed says that a condition did not hold and nothing was
	// written. The error in hand is a [*ConditionError].
	ErrConditionFailed = errors.New("condition failed")
	// ErrBadCursor says that a cursor is damaged or belongs to another query.
	ErrBadCursor = errors.New("bad cursor")
	// ErrUnavailable says that the engine could not answer now.
	ErrUnavailable = errors.New("table unavailable")
)

// ConditionError tells which writes of a call had a condition that did not hold.
type ConditionError struct {
	Failed []int // indexes into the writes of the call, ascending
}

func (e *ConditionError) Error() string {
	return fmt.Sprintf("%v: writes %v", ErrConditionFailed, e.Failed)
}

// Is makes errors.Is(err, ErrConditionFailed) true.
func (e *ConditionError) Is(target error) bool { return target == ErrConditionFailed }

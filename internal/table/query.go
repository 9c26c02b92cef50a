package table

import (
	"slices"
)

// CheckQuery returns [ErrInvalid] unless q may be asked.
func CheckQuery(q Query) error {
	if q.PK == "" {
		return invalid("a query without a partition")
	}
	if q.Index != "" && q.Index != GSI1 && q.Index != GSI2 {
		return invalid("unknown index %q", q.Index)
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return invalid("limit %d, want 1 to %d", q.Limit, MaxLimit)
	}
	if q.Filter == nil {
		return nil
	}
	if err := checkCond(q.Filter); err != nil {
		return err
	}
	pk, sk := q.Keys()
	keys := []string{PK, SK, pk, sk}
	for name := range names(q.Filter) {
		if slices.Contains(keys, name) {
			return invalid("a filter on the key %q", name)
		}
	}
	return nil
}

// Keys returns the names of the attributes that are the partition key and the
// sort key of what q asks: of the table or of an index.
func (q Query) Keys() (pk, sk string) {
	switch q.Index {
	case GSI1:
		return GSI1PK, GSI1SK
	case GSI2:
		return GSI2PK, GSI2SK
	}
	return PK, SK
}

// Matchable tells whether an item can exist that q finds: DynamoDB calls a query
// for what cannot exist a mistake.
func (q Query) Matchable() bool { return fits(q.PK, MaxPK) && fits(q.Prefix, MaxSK) }

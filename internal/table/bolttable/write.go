package bolttable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// call is a call of Write that waits for its transaction.
type call struct {
	writes []table.Write
	done   bool // guarded by turn, as err is
	err    error
}

// Write implements [table.Table]. Calls that arrive while another one waits for
// the disk share the next transaction of the file, one after the other in it,
// so that many of them cost few waits; a lone call waits for nobody.
func (t *Table) Write(ctx context.Context, writes ...table.Write) error {
	if err := table.CheckWrites(writes); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	c := &call{writes: writes}
	t.mu.Lock()
	t.queue = append(t.queue, c)
	t.mu.Unlock()

	t.turn.Lock()
	defer t.turn.Unlock()
	if !c.done { // else the holder of an earlier turn has taken this call along
		t.commit()
	}
	return c.err
}

// commit does all waiting calls in one transaction of the file.
func (t *Table) commit() {
	t.mu.Lock()
	calls := t.queue
	t.queue = nil
	t.mu.Unlock()

	for _, c := range calls {
		c.done, c.err = true, table.ErrUnavailable // if what follows should panic
	}
	verdicts := make([]error, len(calls))
	err := t.db.Update(func(tx *bbolt.Tx) error {
		for i, c := range calls {
			effects, err := judge(tx, c.writes)
			if verdicts[i] = err; err != nil {
				continue // without an effect, so that the others are not touched
			}
			for _, e := range effects {
				if err := e.apply(tx); err != nil {
					return err // undoes the transaction
				}
			}
		}
		return nil
	})
	for i, c := range calls {
		if c.err = verdicts[i]; err != nil {
			c.err = unavailable(err)
		}
	}
}

// effect is the change of one item; nil is an absent item.
type effect struct {
	key      table.Key
	old, new table.Item
	encoded  []byte // of new
}

// judge returns the effects of writes, or why there are none. It changes
// nothing.
func judge(tx *bbolt.Tx, writes []table.Write) ([]effect, error) {
	effects := make([]effect, len(writes))
	var failed []int
	for i, w := range writes {
		old, err := load(tx, w.Key)
		if err != nil {
			return nil, unavailable(err)
		}
		effects[i] = effect{key: w.Key, old: old}
		if !table.Holds(w.Cond, old) {
			failed = append(failed, i)
		}
	}
	if failed != nil {
		return nil, table.ConditionFailed(writes, failed...)
	}
	for i, w := range writes {
		e := &effects[i]
		var err error
		if e.new, err = changed(e.old, w); err != nil {
			return nil, fmt.Errorf("write %d: %w", i, err)
		}
		if e.new == nil {
			continue
		}
		if e.encoded, err = encode(e.new); err != nil {
			return nil, unavailable(err)
		}
	}
	return effects, nil
}

// changed returns what w makes of old, which it leaves as it is.
func changed(old table.Item, w table.Write) (table.Item, error) {
	switch w.Op {
	case table.OpPut:
		return w.Item, nil
	case table.OpDelete:
		return nil, nil
	case table.OpCheck:
		return old, nil
	}
	item := table.Item{table.PK: w.Key.PK, table.SK: w.Key.SK}
	maps.Copy(item, old)
	maps.Copy(item, w.Set)
	for _, name := range w.Remove {
		delete(item, name)
	}
	for name, n := range w.Add {
		sum, err := add(item[name], n)
		if err != nil {
			return nil, fmt.Errorf("%w: adding to %q: %w", table.ErrInvalid, name, err)
		}
		item[name] = sum
	}
	return item, table.CheckItem(item)
}

func add(value any, n int64) (int64, error) {
	if value == nil {
		return n, nil
	}
	v, ok := value.(int64)
	if !ok {
		return 0, fmt.Errorf("it is a %T", value)
	}
	if n > 0 && v > math.MaxInt64-n || n < 0 && v < math.MinInt64-n {
		return 0, errors.New("the sum is too large")
	}
	return v + n, nil
}

// apply puts the new item and its entries in place of the old ones.
func (e effect) apply(tx *bbolt.Tx) error {
	for _, place := range entries(e.old) {
		if err := tx.Bucket([]byte(place.bucket)).Delete(place.key); err != nil {
			return err
		}
	}
	key := itemKey(e.key)
	if e.new == nil {
		return tx.Bucket([]byte(items)).Delete(key)
	}
	for _, place := range entries(e.new) {
		if err := tx.Bucket([]byte(place.bucket)).Put(place.key, key); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(items)).Put(key, e.encoded)
}

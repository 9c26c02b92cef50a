package bolttable

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Query implements [table.Table]. It is strongly consistent on the indexes too.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := table.CheckQuery(q); err != nil {
		return table.Page{}, err
	}
	after, ok, err := q.Start()
	if err != nil {
		return table.Page{}, err
	}
	var start []byte // nil: the beginning
	if ok {
		start = positionKey(q, after)
	}
	var page table.Page
	err = t.db.View(func(tx *bbolt.Tx) (err error) {
		page, err = read(ctx, tx, q, start)
		return err
	})
	if err != nil {
		return table.Page{}, unavailable(err)
	}
	return page, nil
}

func positionKey(q table.Query, p table.Position) []byte {
	if q.Index == "" {
		return itemKey(p.Key)
	}
	return indexKey(q.PK, p.IndexSK, p.Key)
}

// read reads one page: the items after start, and one more to see whether there
// is one.
func read(ctx context.Context, tx *bbolt.Tx, q table.Query, start []byte) (table.Page, error) {
	bucket := items
	if q.Index != "" {
		bucket = q.Index
	}
	w := walk{
		cursor:     tx.Bucket([]byte(bucket)).Cursor(),
		prefix:     []byte(component(q.PK) + escape(q.Prefix)),
		descending: q.Descending,
	}
	var page table.Page
	var last table.Item
	looked := 0
	for k, v := w.first(start); k != nil; k, v = w.next() {
		if err := ctx.Err(); err != nil {
			return table.Page{}, err
		}
		if looked++; q.Filter != nil && looked > table.MaxLooked {
			page.Cursor = q.CursorAfter(last)
			break
		}
		if q.Index != "" { // where the value is the key of the item
			v = tx.Bucket([]byte(items)).Get(v)
		}
		if v == nil {
			return table.Page{}, errors.New("an index leads to no item")
		}
		item, err := decode(v)
		if err != nil {
			return table.Page{}, err
		}
		if last = item; !table.Holds(q.Filter, item) {
			continue
		}
		if len(page.Items) == q.Limit {
			page.Cursor = q.CursorAfter(page.Items[q.Limit-1])
			break
		}
		page.Items = append(page.Items, item)
	}
	return page, ctx.Err()
}

// walk visits the keys that begin with prefix, in order.
type walk struct {
	cursor     *bbolt.Cursor
	prefix     []byte
	descending bool
}

// first returns the first key after start, or the first of all if start is nil.
func (w walk) first(start []byte) (k, v []byte) {
	switch {
	case !w.descending && start == nil:
		return w.inside(w.cursor.Seek(w.prefix))
	case !w.descending:
		k, v = w.cursor.Seek(start)
		if bytes.Equal(k, start) {
			return w.next()
		}
		return w.inside(k, v)
	case start == nil: // from above every key with the prefix: after it comes UTF-8 or 0, never 0xff
		start = append(bytes.Clone(w.prefix), 0xff)
	}
	if k, _ = w.cursor.Seek(start); k == nil {
		return w.inside(w.cursor.Last())
	}
	return w.next()
}

// next returns the key after the one last returned; nil, nil if there is none.
func (w walk) next() (k, v []byte) {
	if w.descending {
		return w.inside(w.cursor.Prev())
	}
	return w.inside(w.cursor.Next())
}

func (w walk) inside(k, v []byte) ([]byte, []byte) {
	if !bytes.HasPrefix(k, w.prefix) {
		return nil, nil
	}
	return k, v
}

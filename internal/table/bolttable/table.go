// Package bolttable is a table.Table in one file: for a laptop, a test and a
// throw-away run. One process has it open at a time. A write that was
// acknowledged is on the disk, and survives that the process is killed.
package bolttable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// ErrInUse says that another process has the file open.
var ErrInUse = errors.New("in use by another process")

// lockTimeout is how long Open waits for a process that is just ending.
const lockTimeout = 200 * time.Millisecond

// Options change how a file is kept. The zero value is right for data that
// should be there tomorrow.
type Options struct {
	// UnsafeNoSync does not wait for the disk. It MUST NOT be set for data that
	// matters: a power failure can destroy the whole file. It is for tests and
	// runs that delete their file in the end.
	UnsafeNoSync bool
}

// Table is a [table.Table] in a file.
type Table struct {
	db *bbolt.DB

	turn sync.Mutex // held by the one writer that commits
	mu   sync.Mutex // guards queue
	// queue holds the calls of Write that wait for the next transaction.
	queue []*call
}

var _ table.Table = (*Table)(nil)

// Open opens the table in the file at path and creates it, and its folder, if
// they are absent; only this user of the machine can read them. It returns
// [ErrInUse] if another process has the file open. The caller calls Close.
func Open(path string, opts Options) (*Table, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening the local table: %w", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bbolt.FreelistMapType,
		NoSync:       opts.UnsafeNoSync,
		NoGrowSync:   opts.UnsafeNoSync,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is %w: stop the other gatehouse, or use another data folder", path, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the local table %s: %w", path, err)
	}
	if err := prepare(db); err != nil {
		db.Close()
		return nil, fmt.Errorf("opening the local table %s: %w", path, err)
	}
	return &Table{db: db}, nil
}

// prepare makes the buckets of a new file.
func prepare(db *bbolt.DB) error {
	var isNew bool
	err := db.View(func(tx *bbolt.Tx) error { isNew = tx.Bucket([]byte(items)) == nil; return nil })
	if err != nil || !isNew {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, bucket := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(bucket)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close closes the file. Calls under way end first; later ones return
// [table.ErrUnavailable].
func (t *Table) Close() error { return t.db.Close() }

// Get implements [table.Table].
func (t *Table) Get(ctx context.Context, key table.Key) (table.Item, error) {
	if err := table.CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	var item table.Item
	err := t.db.View(func(tx *bbolt.Tx) (err error) {
		item, err = load(tx, key)
		return err
	})
	if err != nil {
		return nil, unavailable(err)
	}
	if item == nil {
		return nil, table.ErrNotFound
	}
	return item, nil
}

// load returns nil if there is no item under key.
func load(tx *bbolt.Tx, key table.Key) (table.Item, error) {
	b := tx.Bucket([]byte(items)).Get(itemKey(key))
	if b == nil {
		return nil, nil
	}
	return decode(b)
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", table.ErrUnavailable, err) }

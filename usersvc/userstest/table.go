package userstest

import (
	"context"
	"sync/atomic"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Counted counts the calls of a table.
type Counted struct {
	table.Table
	calls atomic.Int64
}

func (c *Counted) Get(ctx context.Context, key table.Key) (table.Item, error) {
	c.calls.Add(1)
	return c.Table.Get(ctx, key)
}

func (c *Counted) Write(ctx context.Context, writes ...table.Write) error {
	c.calls.Add(1)
	return c.Table.Write(ctx, writes...)
}

func (c *Counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.calls.Add(1)
	return c.Table.Query(ctx, q)
}

// During returns how many calls do makes.
func (c *Counted) During(do func()) int64 {
	before := c.calls.Load()
	do()
	return c.calls.Load() - before
}

// Unavailable is a table that cannot be reached.
type Unavailable struct{}

func (Unavailable) Get(context.Context, table.Key) (table.Item, error) {
	return nil, table.ErrUnavailable
}
func (Unavailable) Write(context.Context, ...table.Write) error { return table.ErrUnavailable }
func (Unavailable) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{}, table.ErrUnavailable
}

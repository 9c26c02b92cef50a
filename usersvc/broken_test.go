package usersvc_test

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// broken is a table that is out of reach.
type broken struct{}

func (broken) Get(context.Context, table.Key) (table.Item, error) { return nil, table.ErrUnavailable }
func (broken) Write(context.Context, ...table.Write) error        { return table.ErrUnavailable }
func (broken) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{}, table.ErrUnavailable
}

// brokenAfter is a table that is out of reach after some writes.
type brokenAfter struct {
	table.Table
	writes int
}

func (b *brokenAfter) Write(ctx context.Context, writes ...table.Write) error {
	if b.writes == 0 {
		return table.ErrUnavailable
	}
	b.writes--
	return b.Table.Write(ctx, writes...)
}

// meddling is a table where somebody does something before the next write.
type meddling struct {
	table.Table
	before func()
}

func (m *meddling) Write(ctx context.Context, writes ...table.Write) error {
	if before := m.before; before != nil {
		m.before = nil
		before()
	}
	return m.Table.Write(ctx, writes...)
}

// with is the same users in t.
func (h *house) with(t table.Table) *usersvc.Users {
	users := *h.Users
	users.Table = t
	return &users
}

package usersvc

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Filter is which users to list, and how many.
type Filter struct {
	// Search is the beginning of an e-mail address, or of an id if it begins
	// with "u_" and has no @; "" is every user. Addresses are in alphabetical
	// order, everything else has the newest first.
	Search string
	Role   string // only users with the role; "" is every one
	Status Status // only users of the status; "" is every one
	Limit  int    // at most so many; 0: 50. At most 200
	Cursor string // of the page before; "" begins
}

// Page is a part of a list.
type Page[T any] struct {
	Items  []T    `json:"items"`          // never nil
	Cursor string `json:"next,omitempty"` // continues the list; "" if this is the end
}

// defaultLimit and maxLimit bound a page.
const defaultLimit, maxLimit = 50, 200

// List returns users, with one query. The list may be a moment behind. It
// returns [table.ErrBadCursor] for a cursor that does not come from a list with
// the same search.
func (u *Users) List(ctx context.Context, f Filter) (Page[User], error) {
	q := table.Query{Index: table.GSI1, PK: usersPartition, Descending: true, Limit: pageSize(f.Limit), Cursor: f.Cursor}
	switch {
	case strings.HasPrefix(f.Search, "u_") && !strings.Contains(f.Search, "@"):
		q.Prefix = strings.ToLower(f.Search)
	case f.Search != "":
		q.Index, q.Prefix, q.Descending = table.GSI2, strings.ToLower(f.Search), false
	}
	var conds table.All
	if f.Role != "" {
		conds = append(conds, table.Contains{Name: "roles", Element: f.Role})
	}
	if f.Status != "" {
		conds = append(conds, table.Equal{Name: "status", Value: string(f.Status)})
	}
	if len(conds) > 0 {
		q.Filter = conds
	}
	return list(ctx, u.Table, q, userFrom)
}

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultLimit
	}
	return min(limit, maxLimit)
}

// list returns a page of what q finds. A row that cannot be read is left out: it
// must not hide the others.
func list[T any](ctx context.Context, t table.Table, q table.Query, read func(table.Item) (T, error)) (Page[T], error) {
	found, err := t.Query(ctx, q)
	if err != nil {
		return Page[T]{}, fmt.Errorf("listing: %w", err)
	}
	page := Page[T]{Items: make([]T, 0, len(found.Items)), Cursor: found.Cursor}
	for _, item := range found.Items {
		if v, err := read(item); err == nil {
			page.Items = append(page.Items, v)
		}
	}
	return page, nil
}

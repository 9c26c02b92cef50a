package usersvc

import (
	"context"
	"fmt"
	"slices"
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
	Limit  int    // at most so many; 0: 50. At most [MaxLimit]
	Cursor string // of the page before; "" begins
}

// ByEmail tells whether Search is the beginning of an e-mail address. Such a
// search, and the cursors of its pages, name people: they belong in no URL.
func (f Filter) ByEmail() bool {
	return f.Search != "" && (!strings.HasPrefix(f.Search, "u_") || strings.Contains(f.Search, "@"))
}

// Page is a part of a list.
type Page[T any] struct {
	Items    []T    `json:"items"`          // never nil
	Cursor   string `json:"next,omitempty"` // continues the list; "" if this is the end
	Previous string `json:"-"`              // cursor of what comes before; "" if this is the beginning
}

// MaxLimit is the largest page of a list.
const MaxLimit = 200

const defaultLimit = 50

// List returns users, with one query. The list may be a moment behind. It
// returns [table.ErrBadCursor] for a cursor that does not come from a list with
// the same search.
func (u *Users) List(ctx context.Context, f Filter) (Page[User], error) {
	q := table.Query{Index: table.GSI1, PK: usersPartition, Descending: true, Limit: pageSize(f.Limit), Cursor: f.Cursor}
	q.Prefix = strings.ToLower(f.Search)
	if f.ByEmail() {
		q.Index, q.Descending = table.GSI2, false
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
	return min(limit, MaxLimit)
}

// list returns a page of what q finds. A row that cannot be read is left out: it
// must not hide the others.
//
// A cursor that leads back is one of the same query the other way round. So no
// cursor has to remember those before it, and going back costs what going on does.
func list[T any](ctx context.Context, t table.Table, q table.Query, read func(table.Item) (T, error)) (Page[T], error) {
	back := q
	back.Descending = !q.Descending
	from, _, err := q.Start()
	if at, ok, wrong := back.Start(); ok && wrong == nil {
		return listBack(ctx, t, q, back, at, read)
	}
	if err != nil {
		return Page[T]{}, fmt.Errorf("listing: %w", err)
	}
	found, err := t.Query(ctx, q)
	if err != nil {
		return Page[T]{}, fmt.Errorf("listing: %w", err)
	}
	page := Page[T]{Items: readable(found.Items, read), Cursor: found.Cursor}
	switch {
	case q.Cursor == "":
	case len(found.Items) > 0:
		page.Previous = back.CursorAfter(found.Items[0])
	default: // of a filter that matches nothing more
		page.Previous = back.CursorAt(from)
	}
	return page, nil
}

// listBack returns the page that ends before the position at. The last of its
// rows may be missing if what was shown after it was empty: they stand on the
// page that follows then.
func listBack[T any](ctx context.Context, t table.Table, q, back table.Query, at table.Position, read func(table.Item) (T, error)) (Page[T], error) {
	found, err := t.Query(ctx, back)
	if err != nil {
		return Page[T]{}, fmt.Errorf("listing: %w", err)
	}
	slices.Reverse(found.Items)
	page := Page[T]{Items: readable(found.Items, read), Previous: found.Cursor, Cursor: q.CursorAt(at)}
	if n := len(found.Items); n > 0 {
		page.Cursor = q.CursorAfter(found.Items[n-1])
	}
	return page, nil
}

func readable[T any](items []table.Item, read func(table.Item) (T, error)) []T {
	values := make([]T, 0, len(items))
	for _, item := range items {
		if v, err := read(item); err == nil {
			values = append(values, v)
		}
	}
	return values
}

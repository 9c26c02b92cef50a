package tabletest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func testQueries(t *testing.T, tab table.Table) {
	pk := partition("queries")
	// In the order of their bytes: neither of case, nor of letters, nor of UTF-16.
	ordered := []string{"\x00", "\x00\x00", "\x00a", "A", "B", "a", "a\x00", "a\x00b", "a\x01", "a b", "a#1", "a#10", "a#2", "aa", "b", "z", "é", "ﬀ", "\uffff", "\U0001f511"}
	shuffled := slices.Clone(ordered)
	slices.SortFunc(shuffled, func(a, b string) int { return strings.Compare(reverse(a), reverse(b)) })
	for _, sk := range shuffled {
		write(t, tab, table.Put(item(pk, sk, "of", sk)))
	}
	for _, neighbour := range []string{pk + "\x00", pk + "a", pk[:len(pk)-1]} {
		write(t, tab, table.Put(item(neighbour, "a")))
	}
	backwards := func(s []string) []string { s = slices.Clone(s); slices.Reverse(s); return s }

	for _, test := range []struct {
		name   string
		prefix string
	}{
		{"the whole partition", ""},
		{"a prefix that is a key itself", "a"},
		{"a prefix that is no key", "a#"},
		{"a prefix that ends the order", "\U0001f511"},
		{"a prefix that begins the order", "\x00"},
		{"a prefix with an inner zero", "a\x00"},
		{"a prefix that nothing has", "c"},
		{"a prefix past everything", "\U0010ffff"},
	} {
		var want []string
		for _, sk := range ordered {
			if strings.HasPrefix(sk, test.prefix) {
				want = append(want, sk)
			}
		}
		for _, limit := range []int{1, 2, 3, len(want), 1000} {
			limit = max(limit, 1)
			t.Run(test.name+", pages of "+number(limit), func(t *testing.T) {
				up := sortKeys(pages(t, tab, table.Query{PK: pk, Prefix: test.prefix, Limit: limit}))
				if diff := cmp.Diff(append([]string{}, want...), up); diff != "" {
					t.Errorf("ascending, -want +got:\n%s", diff)
				}
				down := sortKeys(pages(t, tab, table.Query{PK: pk, Prefix: test.prefix, Limit: limit, Descending: true}))
				if diff := cmp.Diff(append([]string{}, backwards(want)...), down); diff != "" {
					t.Errorf("descending, -want +got:\n%s", diff)
				}
			})
		}
	}
	t.Run("items come whole", func(t *testing.T) {
		want := item(pk, "whole", "s", "x", "n", int64(1), "t", true, "b", []byte{1}, "l", []string{"x", "x"})
		write(t, tab, table.Put(want))
		page := query(t, tab, table.Query{PK: pk, Prefix: "whole", Limit: 5})
		if diff := cmp.Diff(table.Page{Items: []table.Item{want}}, page); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("a partition without items is an empty page", func(t *testing.T) {
		for _, pk := range []string{partition("nobody"), pk + "\xff", strings.Repeat("p", table.MaxPK+1)} {
			if page := query(t, tab, table.Query{PK: pk, Limit: 5}); len(page.Items) > 0 || page.Cursor != "" {
				t.Errorf("page %v", page)
			}
		}
	})
	t.Run("a prefix that no key can have is an empty page", func(t *testing.T) {
		for _, prefix := range []string{"a\xff", strings.Repeat("a", table.MaxSK+1)} {
			if page := query(t, tab, table.Query{PK: pk, Prefix: prefix, Limit: 5}); len(page.Items) > 0 || page.Cursor != "" {
				t.Errorf("page %v", page)
			}
		}
	})
	t.Run("a page may be of several megabytes", func(t *testing.T) {
		pk := partition("large")
		for n := range 8 {
			write(t, tab, table.Put(item(pk, number(n), "s", strings.Repeat("x", 350_000))))
		}
		for _, limit := range []int{5, 8, 100} {
			if got := pages(t, tab, table.Query{PK: pk, Limit: limit}); len(got) != 8 {
				t.Errorf("limit %d: %d items, want 8", limit, len(got))
			}
		}
	})
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

func testFilters(t *testing.T, tab table.Table) {
	pk := partition("filters")
	for n := range 40 {
		write(t, tab, table.Put(item(pk, number(n), "third", n%3 == 0, "last", n == 39, "n", int64(n),
			table.GSI1PK, pk, table.GSI1SK, number(99-n))))
	}
	third := table.Equal{Name: "third", Value: true}

	t.Run("what it leaves out does not count toward the limit", func(t *testing.T) {
		page := query(t, tab, table.Query{PK: pk, Limit: 5, Filter: third})
		if diff := cmp.Diff([]string{"000", "003", "006", "009", "012"}, sortKeys(page.Items)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		page = query(t, tab, table.Query{PK: pk, Limit: 3, Filter: third, Cursor: page.Cursor})
		if diff := cmp.Diff([]string{"015", "018", "021"}, sortKeys(page.Items)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("one item far away is found", func(t *testing.T) {
		for _, limit := range []int{1, 2} {
			page := query(t, tab, table.Query{PK: pk, Limit: limit, Filter: table.Equal{Name: "last", Value: true}})
			if diff := cmp.Diff([]string{"039"}, sortKeys(page.Items)); diff != "" {
				t.Errorf("limit %d, -want +got:\n%s", limit, diff)
			}
		}
	})
	t.Run("a filter that nothing passes is an empty page", func(t *testing.T) {
		page := query(t, tab, table.Query{PK: pk, Limit: 5, Filter: table.Has{Name: "missing"}})
		if len(page.Items) > 0 || page.Cursor != "" {
			t.Errorf("page %v", page)
		}
	})
	t.Run("pages follow each other in both directions", func(t *testing.T) {
		for _, limit := range []int{1, 4, 14, 100} {
			q := table.Query{PK: pk, Limit: limit, Filter: table.All{third, table.Less{Name: "n", Value: int64(30)}}}
			want := []string{"000", "003", "006", "009", "012", "015", "018", "021", "024", "027"}
			if diff := cmp.Diff(want, sortKeys(pages(t, tab, q))); diff != "" {
				t.Errorf("limit %d, -want +got:\n%s", limit, diff)
			}
			q.Descending = true
			slices.Reverse(want)
			if diff := cmp.Diff(want, sortKeys(pages(t, tab, q))); diff != "" {
				t.Errorf("limit %d, descending, -want +got:\n%s", limit, diff)
			}
		}
	})
	t.Run("a long way to nothing is cut into pages", func(t *testing.T) {
		pk := partition("filtered far")
		const many = table.MaxLooked*3/2 + 1
		var writes []table.Write
		for n := range many {
			writes = append(writes, table.Put(item(pk, fmt.Sprintf("%06d", n), "last", n == many-1, table.GSI1PK, pk, table.GSI1SK, fmt.Sprintf("%06d", n))))
			if len(writes) == table.MaxWrites || n == many-1 {
				write(t, tab, writes...)
				writes = nil
			}
		}
		for _, index := range []string{"", table.GSI1} {
			q := table.Query{Index: index, PK: pk, Limit: 5, Filter: table.Equal{Name: "last", Value: true}}
			first := query(t, tab, q)
			if len(first.Items) > 0 || first.Cursor == "" {
				t.Errorf("index %q: %d items and cursor %q, want a cursor alone", index, len(first.Items), first.Cursor)
			}
			eventually(t, func() error {
				return different([]string{fmt.Sprintf("%06d", many-1)}, sortKeys(pages(t, tab, q)))
			})
		}
	})
	t.Run("an index is filtered too", func(t *testing.T) {
		eventually(t, func() error {
			got := sortKeys(pages(t, tab, table.Query{Index: table.GSI1, PK: pk, Limit: 2, Filter: table.All{third, table.Less{Name: "n", Value: int64(10)}}}))
			return different([]string{"009", "006", "003", "000"}, got)
		})
	})
}

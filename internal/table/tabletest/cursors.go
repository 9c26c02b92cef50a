package tabletest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func testCursors(t *testing.T, tab table.Table) {
	// fill makes items 010, 020 … 090 in a new partition.
	fill := func(t *testing.T) string {
		pk := partition("cursors")
		for n := 10; n <= 90; n += 10 {
			write(t, tab, table.Put(item(pk, number(n))))
		}
		return pk
	}
	rest := func(t *testing.T, q table.Query, cursor string, want ...string) {
		t.Helper()
		q.Cursor = cursor
		if diff := cmp.Diff(want, sortKeys(pages(t, tab, q))); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	for _, descending := range []bool{false, true} {
		name := map[bool]string{false: "ascending", true: "descending"}[descending]
		t.Run(name+", items come and go between pages", func(t *testing.T) {
			pk := fill(t)
			q := table.Query{PK: pk, Limit: 5, Descending: descending}
			page := query(t, tab, q) // ends with 050 in both directions
			write(t, tab,
				table.Put(item(pk, "005")), table.Put(item(pk, "095")), // at both ends
				table.Put(item(pk, "049")), table.Put(item(pk, "051")), // beside the end of the page
				table.Delete(table.Key{PK: pk, SK: "020"}), table.Delete(table.Key{PK: pk, SK: "080"}))
			if descending {
				rest(t, q, page.Cursor, "049", "040", "030", "010", "005")
			} else {
				rest(t, q, page.Cursor, "051", "060", "070", "090", "095")
			}
		})
		t.Run(name+", the last item of the page goes", func(t *testing.T) {
			pk := fill(t)
			q := table.Query{PK: pk, Limit: 5, Descending: descending}
			page := query(t, tab, q)
			write(t, tab, table.Delete(table.Key{PK: pk, SK: "050"}))
			if descending {
				rest(t, q, page.Cursor, "040", "030", "020", "010")
			} else {
				rest(t, q, page.Cursor, "060", "070", "080", "090")
			}
		})
		t.Run(name+", everything goes", func(t *testing.T) {
			pk := fill(t)
			q := table.Query{PK: pk, Limit: 5, Descending: descending}
			q.Cursor = query(t, tab, q).Cursor
			for n := 10; n <= 90; n += 10 {
				write(t, tab, table.Delete(table.Key{PK: pk, SK: number(n)}))
			}
			if page := query(t, tab, q); len(page.Items) > 0 || page.Cursor != "" {
				t.Errorf("page %v", page)
			}
		})
	}
	t.Run("a cursor may be used again, with another limit and filter", func(t *testing.T) {
		pk := fill(t)
		q := table.Query{PK: pk, Limit: 3}
		cursor := query(t, tab, q).Cursor
		rest(t, q, cursor, "040", "050", "060", "070", "080", "090")
		q.Limit = 4
		rest(t, q, cursor, "040", "050", "060", "070", "080", "090")
		q.Filter = table.Has{Name: "missing"}
		rest(t, q, cursor, []string{}...)
	})
	t.Run("a page that ends with the last item has no cursor", func(t *testing.T) {
		pk := fill(t)
		for _, limit := range []int{9, 10} {
			if page := query(t, tab, table.Query{PK: pk, Limit: limit}); page.Cursor != "" || len(page.Items) != 9 {
				t.Errorf("limit %d: %d items and cursor %q", limit, len(page.Items), page.Cursor)
			}
		}
	})
	t.Run("keys with any character", func(t *testing.T) {
		pk := partition("cursors\x00\"é\U0001f511")
		want := []string{"\x00", "\"", "%2e", "é", "\U0001f511"}
		for _, sk := range want {
			write(t, tab, table.Put(item(pk, sk)))
		}
		rest(t, table.Query{PK: pk, Limit: 1}, "", want...)
	})
}

func testForeignCursors(t *testing.T, tab table.Table) {
	pk, other := partition("mine"), partition("other")
	for _, pk := range []string{pk, other} {
		for n := range 5 {
			sk := "a" + number(n)
			write(t, tab, table.Put(item(pk, sk, table.GSI1PK, pk, table.GSI1SK, sk, table.GSI2PK, pk, table.GSI2SK, sk)))
		}
	}
	queries := map[string]table.Query{
		"the table":             {PK: pk},
		"another partition":     {PK: other},
		"a prefix":              {PK: pk, Prefix: "a"},
		"another prefix":        {PK: pk, Prefix: "a0"},
		"the reverse":           {PK: pk, Descending: true},
		"an index":              {PK: pk, Index: table.GSI1},
		"another index":         {PK: pk, Index: table.GSI2},
		"an index, reverse":     {PK: pk, Index: table.GSI1, Descending: true},
		"an index of the other": {PK: other, Index: table.GSI1},
	}
	cursors := map[string]string{}
	for name, q := range queries {
		q.Limit = 2
		eventually(t, func() error {
			page := query(t, tab, q)
			if cursors[name] = page.Cursor; page.Cursor == "" {
				return fmt.Errorf("%s: a page of %v without a cursor", name, page.Items)
			}
			return nil
		})
	}
	for of, cursor := range cursors {
		for with, q := range queries {
			q.Limit, q.Cursor = 2, cursor
			_, err := tab.Query(t.Context(), q)
			if isOwn := of == with; isOwn && err != nil {
				t.Errorf("the cursor of %s is refused by its own query: %v", of, err)
			} else if !isOwn && !errors.Is(err, table.ErrBadCursor) {
				t.Errorf("the cursor of %s with %s: %v, want %v", of, with, err, table.ErrBadCursor)
			}
		}
	}
	for name, q := range queries {
		t.Run("changed in any bit, "+name, func(t *testing.T) {
			q.Limit = 2
			raw := []byte(cursors[name])
			for i := range raw {
				for bit := range 8 {
					changed := append([]byte(nil), raw...)
					changed[i] ^= 1 << bit
					q.Cursor = string(changed)
					if _, err := tab.Query(t.Context(), q); !errors.Is(err, table.ErrBadCursor) {
						t.Fatalf("bit %d of byte %d of %q: %v", bit, i, raw, err)
					}
				}
			}
		})
	}
	own := cursors["the table"]
	for name, cursor := range map[string]string{
		"cut":              own[:len(own)-1],
		"cut in half":      own[:len(own)/2],
		"with more behind": own + "A",
		"with a line end":  own[:8] + "\n" + own[8:],
		"padded":           own + "=",
		"twice":            own + own,
		"a space":          " ",
		"a quote":          `' OR 1=1 --`,
		"plain JSON":       `{"Key":{"PK":"` + other + `","SK":"a"}}`,
		"JSON in base64":   base64.RawURLEncoding.EncodeToString([]byte(`{"Key":{"PK":"` + other + `","SK":"a"}}`)),
		"an expression":    "attribute_exists(pk)",
		"a sort key":       "a001",
		"very long":        strings.Repeat("A", 1<<20),
		"not UTF-8":        "\xff\xfe",
		"empty inside":     base64.RawURLEncoding.EncodeToString(make([]byte, 12)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tab.Query(t.Context(), table.Query{PK: pk, Limit: 2, Cursor: cursor})
			wantErr(t, err, table.ErrBadCursor)
		})
	}
}

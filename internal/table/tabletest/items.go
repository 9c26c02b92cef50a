package tabletest

import (
	"math"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func testValues(t *testing.T, tab table.Table) {
	pk := partition("values")
	for _, test := range []struct {
		name  string
		value any
	}{
		{"a string", "Ada"},
		{"an empty string", ""},
		{"a string with everything that needs an escape", "\x00\u2028</script>\"\\\U0001f511\r\n\u00e9e\u0301\ufffd"},
		{"a long string", strings.Repeat("gate", 50_000)},
		{"zero", int64(0)},
		{"the greatest int64", int64(math.MaxInt64)},
		{"the smallest int64", int64(math.MinInt64)},
		{"a number that a float64 cannot hold", int64(1)<<53 + 1},
		{"true", true},
		{"false", false},
		{"bytes", []byte{0, 1, 0xfe, 0xff}},
		{"no bytes", []byte{}},
		{"a list in its order, with repeats", []string{"b", "a", "b", ""}},
		{"an empty list", []string{}},
		{"a list of one empty string", []string{""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := item(pk, "put "+test.name, "value", test.value)
			write(t, tab, table.Put(want))
			wantItem(t, tab, want.Key(), want)

			want = item(pk, "update "+test.name, "value", test.value)
			write(t, tab, table.Update(want.Key(), map[string]any{"value": test.value}))
			wantItem(t, tab, want.Key(), want)
		})
	}
	t.Run("names that are words of a query language", func(t *testing.T) {
		want := item(pk, "names", "name", "a", "status", "b", "size", int64(1), "a.b", "c", "#x", "d", ":y", "e", "é", "f")
		write(t, tab, table.Put(want).If(table.Not{Cond: table.Has{Name: "a.b"}}))
		wantItem(t, tab, want.Key(), want)
		write(t, tab, table.Update(want.Key(), map[string]any{"a.b": "g", "size": "h"}).Removing("#x").If(table.Equal{Name: ":y", Value: "e"}))
		wantItem(t, tab, want.Key(), item(pk, "names", "name", "a", "status", "b", "size", "h", "a.b", "g", ":y", "e", "é", "f"))
	})
	t.Run("an item of the greatest size", func(t *testing.T) {
		want := item(pk, "large", "value", "")
		want["value"] = strings.Repeat("x", table.MaxItemSize-table.Size(want))
		write(t, tab, table.Put(want))
		wantItem(t, tab, want.Key(), want)
	})
}

func testGet(t *testing.T, tab table.Table) {
	pk := partition("get")
	write(t, tab, table.Put(item(pk, "b", "n", int64(1))))

	t.Run("the neighbours of an item are absent", func(t *testing.T) {
		for _, key := range []table.Key{{PK: pk, SK: "a"}, {PK: pk, SK: "b\x00"}, {PK: pk, SK: "bb"}, {PK: pk + "b", SK: "b"}, {PK: pk + "\x00", SK: "b"}, {PK: pk, SK: "B"}, {PK: pk[:len(pk)-1], SK: "b"}} {
			wantItem(t, tab, key, nil)
		}
	})
	t.Run("a key that no item can have is not found", func(t *testing.T) {
		for _, key := range []table.Key{{PK: strings.Repeat("p", table.MaxPK+1), SK: "b"}, {PK: pk, SK: strings.Repeat("s", table.MaxSK+1)}, {PK: pk, SK: "b\xff"}, {PK: pk + "\xc3", SK: "b"}} {
			_, err := tab.Get(t.Context(), key)
			wantErr(t, err, table.ErrNotFound)
		}
	})
	t.Run("an empty part of a key is refused", func(t *testing.T) {
		for _, key := range []table.Key{{}, {PK: pk}, {SK: "b"}} {
			_, err := tab.Get(t.Context(), key)
			wantErr(t, err, table.ErrInvalid)
		}
	})
	t.Run("keys of the greatest length work", func(t *testing.T) {
		want := item(pk+strings.Repeat("p", table.MaxPK-len(pk)), strings.Repeat("s", table.MaxSK))
		write(t, tab, table.Put(want))
		wantItem(t, tab, want.Key(), want)
	})
	t.Run("what the caller does with an item does not change the table", func(t *testing.T) {
		list, bytes := []string{"a"}, []byte{1}
		key := table.Key{PK: pk, SK: "aliases"}
		write(t, tab, table.Put(item(pk, "aliases", "list", list, "bytes", bytes)))
		list[0], bytes[0] = "z", 9
		got := get(t, tab, key)
		got["list"].([]string)[0], got["more"] = "y", true
		wantItem(t, tab, key, item(pk, "aliases", "list", []string{"a"}, "bytes", []byte{1}))
	})
	t.Run("an item whose time is over is still there to be judged", func(t *testing.T) {
		want := item(pk, "expired", table.TTL, int64(1_900_000_000), "n", int64(1))
		write(t, tab, table.Put(want))
		wantItem(t, tab, want.Key(), want)
	})
}

func testWrites(t *testing.T, tab table.Table) {
	pk := partition("writes")
	for _, test := range []struct {
		name  string
		write func(table.Key) table.Write
		old   []any // attributes, nil: absent
		want  []any // attributes, nil: absent
	}{
		{
			"a put replaces the whole item",
			func(k table.Key) table.Write { return table.Put(item(k.PK, k.SK, "b", "new")) },
			[]any{"a", "old", "b", "old"}, []any{"b", "new"},
		},
		{
			"an update sets, adds and removes, and leaves the rest",
			func(k table.Key) table.Write {
				return table.Update(k, map[string]any{"set": "new", "type": true}).Adding("n", 5).Adding("m", -7).Adding("n", 2).Removing("gone", "never there")
			},
			[]any{"set", "old", "type", "old", "n", int64(1), "gone", "x", "rest", []string{"r"}},
			[]any{"set", "new", "type", true, "n", int64(3), "m", int64(-7), "rest", []string{"r"}},
		},
		{
			"an update creates an absent item",
			func(k table.Key) table.Write { return table.Update(k, map[string]any{"a": "new"}).Adding("n", 1) },
			nil, []any{"a", "new", "n", int64(1)},
		},
		{
			"an update that only removes creates an absent item too",
			func(k table.Key) table.Write { return table.Update(k, nil).Removing("a") },
			nil, []any{},
		},
		{
			"a delete removes the item",
			func(k table.Key) table.Write { return table.Delete(k) },
			[]any{"a", "old"}, nil,
		},
		{
			"a delete of an absent item has no effect",
			func(k table.Key) table.Write { return table.Delete(k) },
			nil, nil,
		},
		{
			"a check changes nothing",
			func(k table.Key) table.Write { return table.Check(k, table.Exists{}) },
			[]any{"a", "old"}, []any{"a", "old"},
		},
		{
			"a check of an absent item does not create it",
			func(k table.Key) table.Write { return table.Check(k, table.NotExists{}) },
			nil, nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, company := range []int{0, 2} { // alone, and in a transaction
				key := table.Key{PK: pk, SK: test.name + number(company)}
				writes := []table.Write{test.write(key)}
				for n := range company {
					writes = append(writes, table.Put(item(pk, key.SK+"company"+number(n))))
				}
				var want table.Item
				if test.old != nil {
					write(t, tab, table.Put(item(pk, key.SK, test.old...)))
				}
				if test.want != nil {
					want = item(pk, key.SK, test.want...)
				}
				write(t, tab, writes...)
				wantItem(t, tab, key, want)
			}
		})
	}
}

package tabletest

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func testRefusals(t *testing.T, tab table.Table) {
	pk := partition("refusals")
	key := table.Key{PK: pk, SK: "a"}
	before := item(pk, "a", "s", "text", "n", int64(1), "large", strings.Repeat("x", 250_000))
	write(t, tab, table.Put(before))

	put := func(attributes ...any) table.Write { return table.Put(item(pk, "a", attributes...)) }
	set := func(name string, value any) table.Write { return table.Update(key, map[string]any{name: value}) }
	long := strings.Repeat("x", 3000)
	many := func(n int) []table.Write {
		writes := []table.Write{put("new", true)}
		for len(writes) < n {
			writes = append(writes, table.Put(item(pk, "many"+number(len(writes)))))
		}
		return writes
	}
	one := func(w table.Write) []table.Write { return []table.Write{w} }

	for _, test := range []struct {
		name   string
		writes []table.Write
	}{
		{"no writes", nil},
		{"more writes than fit", many(table.MaxWrites + 1)},
		{"two writes on one key", []table.Write{put("new", true), table.Delete(key)}},
		{"a write and a check on one key", []table.Write{put("new", true), table.Check(key, table.Exists{})}},
		{"more bytes than fit", func() []table.Write {
			writes := many(12)
			for _, w := range writes {
				w.Item["large"] = strings.Repeat("x", 380_000)
			}
			return writes
		}()},
		{"no partition key", one(table.Put(table.Item{table.SK: "a"}))},
		{"an empty sort key", one(table.Delete(table.Key{PK: pk}))},
		{"a key of another type", one(table.Put(table.Item{table.PK: pk, table.SK: int64(1)}))},
		{"a partition key that is too long", one(table.Put(item(pk+long, "a")))},
		{"a sort key that is too long", one(table.Put(item(pk, long)))},
		{"a key that is not UTF-8", one(table.Put(item(pk, "a\xff")))},
		{"an item with another key than its write", one(table.Write{Op: table.OpPut, Key: table.Key{PK: pk, SK: "b"}, Item: item(pk, "a")})},
		{"a put without an item", one(table.Write{Op: table.OpPut, Key: key})},
		{"a put that adds", one(put().Adding("n", 1))},
		{"a delete with an item", one(table.Write{Op: table.OpDelete, Key: key, Item: item(pk, "a")})},
		{"a delete that sets", one(table.Write{Op: table.OpDelete, Key: key, Set: map[string]any{"n": int64(1)}})},
		{"an unknown operation", one(table.Write{Op: 9, Key: key})},
		{"an error without a condition", one(put("new", true).Else(failures[0]))},
		{"a check without a condition", one(table.Check(key, nil))},
		{"an update that changes nothing", one(table.Update(key, nil))},
		{"an update of the partition key", one(set(table.PK, "b"))},
		{"an update of the sort key", one(set(table.SK, "b"))},
		{"setting and adding to one attribute", one(set("n", int64(2)).Adding("n", 1))},
		{"setting and removing one attribute", one(set("s", "new").Removing("s"))},
		{"removing one attribute twice", one(table.Update(key, nil).Removing("s", "s"))},
		{"adding to a string", one(table.Update(key, nil).Adding("s", 1))},
		{"adding to a string in a transaction", []table.Write{table.Put(item(pk, "b")), table.Update(key, nil).Adding("s", 1)}},
		{"a nil value", one(put("x", nil))},
		{"an int", one(put("x", 1))},
		{"a float", one(put("x", 1.5))},
		{"a map", one(put("x", map[string]any{}))},
		{"a list of anything", one(set("x", []any{"a"}))},
		{"a string that is not UTF-8", one(put("x", "a\xffb"))},
		{"a list with a string that is not UTF-8", one(set("x", []string{"a", "\xc3"}))},
		{"an attribute without a name", one(put("", "a"))},
		{"a name that is not UTF-8", one(put("a\xff", "a"))},
		{"a name that is too long", one(put(long, "a"))},
		{"a name that is a path", one(put("list[0]", "a"))},
		{"a name of the engines", one(put("_w", "a"))},
		{"removing an attribute of the engines", one(table.Update(key, nil).Removing("_w"))},
		{"an index key that is a number", one(put(table.GSI1PK, int64(1)))},
		{"an empty index key", one(put(table.GSI2SK, ""))},
		{"an index key that is too long", one(set(table.GSI1SK, long))},
		{"adding to an index key", one(table.Update(key, nil).Adding(table.GSI1SK, 1))},
		{"an expiry that is a string", one(put(table.TTL, "soon"))},
		{"an item that is too large", one(put("x", strings.Repeat("x", table.MaxItemSize)))},
		{"an item that is too large in a transaction", []table.Write{table.Put(item(pk, "b")), put("x", strings.Repeat("x", table.MaxItemSize))}},
		{"an update that makes an item too large", one(set("x", strings.Repeat("x", 250_000)))},
		{"an update that makes an item too large in a transaction", []table.Write{table.Put(item(pk, "b")), set("x", strings.Repeat("x", 250_000))}},
		{"a condition on an int", one(put().If(table.Equal{Name: "n", Value: 1}))},
		{"a condition on bytes", one(put().If(table.Equal{Name: "n", Value: []byte{1}}))},
		{"an order of bools", one(put().If(table.Less{Name: "n", Value: true}))},
		{"a condition on no name", one(put().If(table.Has{}))},
		{"a condition that is not UTF-8", one(put().If(table.Begins{Name: "s", Prefix: "\xff"}))},
		{"the negation of nothing", one(put().If(table.Not{}))},
		{"a nil among conditions", one(put().If(table.All{table.Exists{}, nil}))},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantErr(t, tab.Write(t.Context(), test.writes...), table.ErrInvalid)
			wantItem(t, tab, key, before)
			wantItem(t, tab, table.Key{PK: pk, SK: "b"}, nil)
		})
	}
	t.Run("as many writes as fit are done", func(t *testing.T) {
		write(t, tab, many(table.MaxWrites)...)
		if got := pages(t, tab, table.Query{PK: pk, Prefix: "many", Limit: 1000}); len(got) != table.MaxWrites-1 {
			t.Errorf("%d items, want %d", len(got), table.MaxWrites-1)
		}
	})
	for _, test := range []struct {
		name  string
		query table.Query
	}{
		{"a query without a partition", table.Query{Limit: 1}},
		{"a query without a limit", table.Query{PK: pk}},
		{"a query with a negative limit", table.Query{PK: pk, Limit: -1}},
		{"a query for too many", table.Query{PK: pk, Limit: table.MaxLimit + 1}},
		{"a query of an unknown index", table.Query{Index: "gsi3", PK: pk, Limit: 1}},
		{"a filter on the partition key", table.Query{PK: pk, Limit: 1, Filter: table.Equal{Name: table.PK, Value: pk}}},
		{"a filter on the sort key, deep inside", table.Query{PK: pk, Limit: 1, Filter: table.All{table.Not{Cond: table.Any{table.Has{Name: "n"}, table.Begins{Name: table.SK, Prefix: "a"}}}}}},
		{"a filter on the key of the index", table.Query{Index: table.GSI1, PK: pk, Limit: 1, Filter: table.Less{Name: table.GSI1SK, Value: "a"}}},
		{"a filter on the key of the table, in an index", table.Query{Index: table.GSI1, PK: pk, Limit: 1, Filter: table.Begins{Name: table.SK, Prefix: "a"}}},
		{"a filter that cannot be asked", table.Query{PK: pk, Limit: 1, Filter: table.Equal{Name: "n", Value: 1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := tab.Query(t.Context(), test.query)
			wantErr(t, err, table.ErrInvalid)
		})
	}
}

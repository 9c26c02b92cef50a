package tabletest

import (
	"fmt"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// testConditions asks every condition of an item and of an absent one, in each
// way a condition can be asked.
func testConditions(t *testing.T, tab table.Table) {
	var (
		yes = table.Exists{}
		no  = table.NotExists{}
	)
	pk := partition("conditions")
	attributes := []any{"s", "banana", "empty", "", "n", int64(7), "t", true, "f", false, "list", []string{"admin", "a,b", ""}, "none", []string{}, "bytes", []byte("banana")}

	for _, test := range []struct {
		cond    table.Cond
		present bool // it holds of the item above
		absent  bool // it holds of an absent one
	}{
		{table.Exists{}, true, false},
		{table.NotExists{}, false, true},

		{table.Has{Name: "s"}, true, false},
		{table.Has{Name: "empty"}, true, false},
		{table.Has{Name: "f"}, true, false},
		{table.Has{Name: "none"}, true, false},
		{table.Has{Name: "missing"}, false, false},

		{table.Equal{Name: "s", Value: "banana"}, true, false},
		{table.Equal{Name: "s", Value: "Banana"}, false, false},
		{table.Equal{Name: "s", Value: "banan"}, false, false},
		{table.Equal{Name: "s", Value: ""}, false, false},
		{table.Equal{Name: "empty", Value: ""}, true, false},
		{table.Equal{Name: "missing", Value: ""}, false, false},
		{table.Equal{Name: "n", Value: int64(7)}, true, false},
		{table.Equal{Name: "n", Value: int64(8)}, false, false},
		{table.Equal{Name: "n", Value: "7"}, false, false},
		{table.Equal{Name: "missing", Value: int64(0)}, false, false},
		{table.Equal{Name: "t", Value: true}, true, false},
		{table.Equal{Name: "t", Value: false}, false, false},
		{table.Equal{Name: "f", Value: false}, true, false},
		{table.Equal{Name: "missing", Value: false}, false, false},
		{table.Equal{Name: "t", Value: "true"}, false, false},
		{table.Equal{Name: "t", Value: int64(1)}, false, false},
		{table.Equal{Name: "list", Value: "admin"}, false, false},
		{table.Equal{Name: "bytes", Value: "banana"}, false, false},

		{table.Less{Name: "n", Value: int64(8)}, true, false},
		{table.Less{Name: "n", Value: int64(7)}, false, false},
		{table.Less{Name: "n", Value: int64(10)}, true, false},
		{table.Less{Name: "n", Value: int64(-8)}, false, false},
		{table.Less{Name: "n", Value: "8"}, false, false},
		{table.Less{Name: "missing", Value: int64(8)}, false, false},
		{table.Less{Name: "s", Value: "banana0"}, true, false},
		{table.Less{Name: "s", Value: "banana"}, false, false},
		{table.Less{Name: "s", Value: "Z"}, false, false},
		{table.Less{Name: "s", Value: "c"}, true, false},
		{table.Less{Name: "empty", Value: "a"}, true, false},
		{table.Less{Name: "missing", Value: "a"}, false, false},
		{table.Less{Name: "t", Value: "z"}, false, false},
		{table.Less{Name: "bytes", Value: "z"}, false, false},

		{table.Begins{Name: "s", Prefix: "ban"}, true, false},
		{table.Begins{Name: "s", Prefix: "banana"}, true, false},
		{table.Begins{Name: "s", Prefix: "bananas"}, false, false},
		{table.Begins{Name: "s", Prefix: "anana"}, false, false},
		{table.Begins{Name: "s", Prefix: ""}, true, false},
		{table.Begins{Name: "empty", Prefix: ""}, true, false},
		{table.Begins{Name: "missing", Prefix: ""}, false, false},
		{table.Begins{Name: "n", Prefix: ""}, false, false},
		{table.Begins{Name: "n", Prefix: "7"}, false, false},
		{table.Begins{Name: "list", Prefix: "admin"}, false, false},
		{table.Begins{Name: "bytes", Prefix: "ban"}, false, false},

		{table.Contains{Name: "list", Element: "admin"}, true, false},
		{table.Contains{Name: "list", Element: ""}, true, false},
		{table.Contains{Name: "list", Element: "a"}, false, false},
		{table.Contains{Name: "list", Element: "admi"}, false, false},
		{table.Contains{Name: "none", Element: ""}, false, false},
		{table.Contains{Name: "missing", Element: ""}, false, false},
		{table.Contains{Name: "s", Element: "nan"}, false, false},
		{table.Contains{Name: "s", Element: "banana"}, false, false},
		{table.Contains{Name: "bytes", Element: "nan"}, false, false},

		{table.Not{Cond: yes}, false, true},
		{table.Not{Cond: table.Not{Cond: yes}}, true, false},
		{table.Not{Cond: table.Equal{Name: "s", Value: "other"}}, true, true},
		{table.Not{Cond: table.Equal{Name: "missing", Value: "other"}}, true, true},
		{table.Not{Cond: table.Less{Name: "s", Value: int64(1)}}, true, true},
		{table.Not{Cond: table.Begins{Name: "s", Prefix: ""}}, false, true},
		{table.Not{Cond: table.Contains{Name: "s", Element: "nan"}}, true, true},
		{table.Not{Cond: table.Has{Name: "missing"}}, true, true},

		{table.All{}, true, true},
		{table.All{yes}, true, false},
		{table.All{yes, table.Has{Name: "s"}, table.Equal{Name: "t", Value: true}}, true, false},
		{table.All{yes, table.Has{Name: "missing"}}, false, false},
		{table.All{yes, no}, false, false},
		{table.Any{}, false, false},
		{table.Any{no}, false, true},
		{table.Any{yes, no}, true, true},
		{table.Any{table.Has{Name: "missing"}, table.Has{Name: "s"}}, true, false},
		{table.Any{table.Has{Name: "missing"}, table.Has{Name: "gone"}}, false, false},
		{table.Not{Cond: table.All{}}, false, false},
		{table.Not{Cond: table.Any{}}, true, true},
		{table.All{table.Any{no, table.Has{Name: "s"}}, table.Any{yes, table.Has{Name: "missing"}}}, true, false},
		{table.Any{table.All{yes, table.Has{Name: "missing"}}, table.All{no, table.All{}}}, false, true},
		{table.All{table.Any{yes, no}, table.Not{Cond: table.Any{table.All{}, no}}}, false, false},
	} {
		t.Run(fmt.Sprintf("%T%+v", test.cond, test.cond), func(t *testing.T) {
			testCondition(t, tab, item(pk, "present", attributes...), test.cond, test.present)
			testCondition(t, tab, item(pk, "absent"), test.cond, test.absent)
			if got := table.Holds(test.cond, item(pk, "present", attributes...)); got != test.present {
				t.Errorf("Holds is %v of the item", got)
			}
			if got := table.Holds(test.cond, nil); got != test.absent {
				t.Errorf("Holds is %v of an absent item", got)
			}
			testFilter(t, tab, pk, test.cond, attributes, test.present)
		})
	}
}

// testCondition asks cond of before, which is absent if it has only a key.
func testCondition(t *testing.T, tab table.Table, before table.Item, cond table.Cond, want bool) {
	t.Helper()
	key := before.Key()
	isThere := len(before) > 2
	put, update, del := item(key.PK, key.SK, "new", true), table.Update(key, map[string]any{"new": true}), table.Delete(key)
	updated := item(key.PK, key.SK, "new", true)
	if isThere {
		for name, value := range before {
			updated[name] = value
		}
	} else {
		before = nil
	}
	for _, way := range []struct {
		name  string
		write table.Write
		after table.Item
	}{
		{"put", table.Put(put), put},
		{"update", update, updated},
		{"delete", del, nil},
		{"check", table.Check(key, cond), before},
	} {
		if isThere {
			write(t, tab, table.Put(before))
		} else {
			write(t, tab, table.Delete(key))
		}
		err := tab.Write(t.Context(), way.write.If(cond).Else(failures[0]))
		if want {
			if err != nil {
				t.Errorf("%s of %s: %v", way.name, key.SK, err)
			}
			wantItem(t, tab, key, way.after)
		} else {
			wantFailed(t, err, 0)
			wantItem(t, tab, key, before)
		}
	}
}

// testFilter asks cond of an item that a query finds.
func testFilter(t *testing.T, tab table.Table, pk string, cond table.Cond, attributes []any, want bool) {
	t.Helper()
	write(t, tab, table.Put(item(pk, "filtered", attributes...)))
	page := query(t, tab, table.Query{PK: pk, Prefix: "filtered", Limit: 10, Filter: cond})
	if got := len(page.Items) == 1; got != want {
		t.Errorf("as a filter it is %v", got)
	}
}

package tabletest

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func testTransactions(t *testing.T, tab table.Table) {
	t.Run("every kind of write takes effect together", func(t *testing.T) {
		pk := partition("together")
		write(t, tab, table.Put(item(pk, "update", "n", int64(1))), table.Put(item(pk, "delete")), table.Put(item(pk, "check", "s", "x")))
		write(t, tab,
			table.Put(item(pk, "put", "a", "new")).If(table.NotExists{}),
			table.Update(table.Key{PK: pk, SK: "update"}, map[string]any{"a": "new"}).Adding("n", 1).If(table.Equal{Name: "n", Value: int64(1)}),
			table.Delete(table.Key{PK: pk, SK: "delete"}).If(table.Exists{}),
			table.Check(table.Key{PK: pk, SK: "check"}, table.Equal{Name: "s", Value: "x"}),
		)
		wantItem(t, tab, table.Key{PK: pk, SK: "put"}, item(pk, "put", "a", "new"))
		wantItem(t, tab, table.Key{PK: pk, SK: "update"}, item(pk, "update", "a", "new", "n", int64(2)))
		wantItem(t, tab, table.Key{PK: pk, SK: "delete"}, nil)
		wantItem(t, tab, table.Key{PK: pk, SK: "check"}, item(pk, "check", "s", "x"))
	})
	t.Run("it crosses partitions", func(t *testing.T) {
		a, b := partition("cross"), partition("cross")
		write(t, tab, table.Put(item(a, "x")), table.Put(item(b, "x")))
		wantItem(t, tab, table.Key{PK: a, SK: "x"}, item(a, "x"))
		wantItem(t, tab, table.Key{PK: b, SK: "x"}, item(b, "x"))
	})
	for _, test := range []struct {
		name   string
		failed []int // indexes of the writes whose condition does not hold
	}{
		{"the first condition fails", []int{0}},
		{"the last condition fails", []int{4}},
		{"one in the middle fails", []int{2}},
		{"a check fails", []int{3}},
		{"several fail", []int{1, 3, 4}},
		{"all fail", []int{0, 1, 2, 3, 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pk := partition("failing")
			var before []table.Item
			for n := range 5 {
				before = append(before, item(pk, number(n), "n", int64(n)))
				write(t, tab, table.Put(before[n]))
			}
			conds := make([]table.Cond, 5)
			for n := range conds {
				conds[n] = table.Equal{Name: "n", Value: int64(n)}
			}
			for _, n := range test.failed {
				conds[n] = table.Not{Cond: conds[n]}
			}
			err := tab.Write(t.Context(), named(
				table.Put(item(pk, "000", "n", int64(100))).If(conds[0]),
				table.Update(before[1].Key(), nil).Adding("n", 100).If(conds[1]),
				table.Delete(before[2].Key()).If(conds[2]),
				table.Check(before[3].Key(), conds[3]),
				table.Update(before[4].Key(), map[string]any{"n": int64(100)}).If(conds[4]),
				table.Put(item(pk, "unconditional")),
			)...)
			wantFailed(t, err, test.failed...)
			for _, i := range before {
				wantItem(t, tab, i.Key(), i)
			}
			wantItem(t, tab, table.Key{PK: pk, SK: "unconditional"}, nil)
		})
	}
	t.Run("conditions judge the items as they were before the call", func(t *testing.T) {
		pk := partition("before")
		writes := []table.Write{table.Put(item(pk, "a")).If(table.NotExists{}), table.Put(item(pk, "b")).If(table.NotExists{})}
		write(t, tab, writes...)
		wantFailed(t, tab.Write(t.Context(), named(writes...)...), 0, 1)
	})
	t.Run("the error of a condition that holds is not told", func(t *testing.T) {
		pk := partition("holding")
		write(t, tab, named(table.Put(item(pk, "a")).If(table.NotExists{}), table.Put(item(pk, "b")))...)
		wantFailed(t, tab.Write(t.Context(), named(
			table.Check(table.Key{PK: pk, SK: "a"}, table.Exists{}), table.Delete(table.Key{PK: pk, SK: "b"}).If(table.NotExists{}))...), 1)
	})
	t.Run("a condition without an error fails beside one that has one", func(t *testing.T) {
		pk := partition("unnamed")
		unnamed := table.Check(table.Key{PK: pk, SK: "a"}, table.Exists{})
		wantFailed(t, tab.Write(t.Context(), unnamed, table.Check(table.Key{PK: pk, SK: "b"}, table.Exists{}).Else(failures[1])), 1)
		wantErr(t, tab.Write(t.Context(), unnamed), table.ErrConditionFailed)
	})
	t.Run("conditions that share an error fail by it", func(t *testing.T) {
		pk := partition("shared")
		a := table.Check(table.Key{PK: pk, SK: "a"}, table.Exists{}).Else(failures[3])
		b := table.Check(table.Key{PK: pk, SK: "b"}, table.NotExists{}).Else(failures[3])
		wantFailed(t, tab.Write(t.Context(), a, b), 3)
	})
	t.Run("a call repeated is judged again", func(t *testing.T) {
		pk := partition("again")
		w := []table.Write{table.Put(item(pk, "a")), table.Update(table.Key{PK: pk, SK: "n"}, nil).Adding("n", 1)}
		write(t, tab, w...)
		write(t, tab, w...)
		wantItem(t, tab, table.Key{PK: pk, SK: "n"}, item(pk, "n", "n", int64(2)))
	})
}

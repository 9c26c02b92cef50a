package tabletest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func different(want, got []string) error {
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("-want +got:\n%s", diff)
	}
	return nil
}

func testIndexes(t *testing.T, tab table.Table) {
	for _, index := range []string{table.GSI1, table.GSI2} {
		t.Run(index, func(t *testing.T) { testIndex(t, tab, index) })
	}
	t.Run("an item may be in both, under other keys", func(t *testing.T) {
		pk := partition("both")
		want := item(pk, "a", table.GSI1PK, pk+"1", table.GSI1SK, "x", table.GSI2PK, pk+"2", table.GSI2SK, "y")
		write(t, tab, table.Put(want))
		for index, q := range map[string]table.Query{table.GSI1: {PK: pk + "1", Prefix: "x"}, table.GSI2: {PK: pk + "2", Prefix: "y"}} {
			q.Index, q.Limit = index, 5
			eventually(t, func() error {
				if diff := cmp.Diff([]table.Item{want}, query(t, tab, q).Items); diff != "" {
					return fmt.Errorf("%s, -want +got:\n%s", index, diff)
				}
				return nil
			})
		}
	})
}

func testIndex(t *testing.T, tab table.Table, index string) {
	pkName, skName := table.Query{Index: index}.Keys()
	in := partition("index")
	// want checks the sort keys, on the table, of what the index finds.
	want := func(t *testing.T, q table.Query, keys ...string) {
		t.Helper()
		q.Index, q.Limit = index, max(q.Limit, 2)
		eventually(t, func() error { return different(append([]string{}, keys...), sortKeys(pages(t, tab, q))) })
	}

	t.Run("only items with both keys are in it", func(t *testing.T) {
		pk := partition("sparse")
		write(t, tab,
			table.Put(item(pk, "both", pkName, pk, skName, "1")),
			table.Put(item(pk, "first", pkName, pk)),
			table.Put(item(pk, "second", skName, "1")),
			table.Put(item(pk, "none")))
		want(t, table.Query{PK: pk}, "both")
	})
	t.Run("it has an order of its own, over partitions", func(t *testing.T) {
		pk := partition("ordered")
		for n := range 9 {
			sk := "b" + number(9-n)
			if n == 4 {
				sk = "a"
			}
			write(t, tab, table.Put(item(partition("own"), number(n), pkName, pk, skName, sk)))
		}
		want(t, table.Query{PK: pk}, "004", "008", "007", "006", "005", "003", "002", "001", "000")
		want(t, table.Query{PK: pk, Prefix: "b", Descending: true, Limit: 3}, "000", "001", "002", "003", "005", "006", "007", "008")
	})
	t.Run("items with the same sort key are all found, each once", func(t *testing.T) {
		pk := partition("same")
		for n := range 7 {
			write(t, tab, table.Put(item(pk, number(n), pkName, pk, skName, "same")))
		}
		for _, q := range []table.Query{{PK: pk, Limit: 1}, {PK: pk, Limit: 3}, {PK: pk, Limit: 3, Descending: true, Prefix: "same"}} {
			q.Index = index
			eventually(t, func() error {
				seen := map[string]int{}
				for _, sk := range sortKeys(pages(t, tab, q)) {
					seen[sk]++
				}
				wantSeen := map[string]int{"000": 1, "001": 1, "002": 1, "003": 1, "004": 1, "005": 1, "006": 1}
				if diff := cmp.Diff(wantSeen, seen); diff != "" {
					return fmt.Errorf("limit %d, -want +got:\n%s", q.Limit, diff)
				}
				return nil
			})
		}
	})
	t.Run("writes put items in, move them and take them out", func(t *testing.T) {
		pk := partition("moving")
		key := table.Key{PK: pk, SK: "a"}
		write(t, tab, table.Put(item(pk, "a", "n", int64(1))))
		want(t, table.Query{PK: in})
		write(t, tab, table.Update(key, map[string]any{pkName: in, skName: "1"}))
		want(t, table.Query{PK: in}, "a")
		write(t, tab, table.Update(key, map[string]any{skName: "2"}))
		want(t, table.Query{PK: in, Prefix: "1"})
		want(t, table.Query{PK: in, Prefix: "2"}, "a")
		write(t, tab, table.Update(key, nil).Removing(skName))
		want(t, table.Query{PK: in})
		write(t, tab, table.Put(item(pk, "a", pkName, in, skName, "3")))
		want(t, table.Query{PK: in}, "a")
		write(t, tab, table.Put(item(pk, "a", pkName, in+"other", skName, "3")))
		want(t, table.Query{PK: in})
		want(t, table.Query{PK: in + "other"}, "a")
		write(t, tab, table.Delete(key))
		want(t, table.Query{PK: in + "other"})
	})
	t.Run("it shows the whole item as it is now", func(t *testing.T) {
		pk := partition("whole")
		key := table.Key{PK: pk, SK: "a"}
		write(t, tab, table.Put(item(pk, "a", pkName, pk, skName, "1", "n", int64(1), "l", []string{"x"})))
		write(t, tab, table.Update(key, nil).Adding("n", 1))
		eventually(t, func() error {
			got := query(t, tab, table.Query{Index: index, PK: pk, Limit: 5}).Items
			if diff := cmp.Diff([]table.Item{item(pk, "a", pkName, pk, skName, "1", "n", int64(2), "l", []string{"x"})}, got); diff != "" {
				return fmt.Errorf("-want +got:\n%s", diff)
			}
			return nil
		})
	})
	t.Run("a transaction that fails leaves it as it was", func(t *testing.T) {
		pk := partition("failing")
		write(t, tab, table.Put(item(pk, "a", pkName, pk, skName, "1")))
		err := tab.Write(t.Context(), named(
			table.Put(item(pk, "b", pkName, pk, skName, "2")),
			table.Delete(table.Key{PK: pk, SK: "a"}).If(table.Has{Name: "missing"}))...)
		wantFailed(t, err, 1)
		want(t, table.Query{PK: pk}, "a")
	})
	t.Run("a cursor survives that its item leaves or moves", func(t *testing.T) {
		pk := partition("leaving")
		for n := range 6 {
			write(t, tab, table.Put(item(pk, number(n), pkName, pk, skName, number(n))))
		}
		want(t, table.Query{PK: pk}, "000", "001", "002", "003", "004", "005")
		page := query(t, tab, table.Query{Index: index, PK: pk, Limit: 3})
		write(t, tab, table.Update(table.Key{PK: pk, SK: "002"}, nil).Removing(pkName))
		want(t, table.Query{PK: pk, Cursor: page.Cursor}, "003", "004", "005")
		write(t, tab, table.Update(table.Key{PK: pk, SK: "003"}, map[string]any{skName: "9"}))
		want(t, table.Query{PK: pk, Cursor: page.Cursor}, "004", "005", "003")
	})
}

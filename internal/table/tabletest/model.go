package tabletest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// model is what a table should be: a map in memory.
type model map[table.Key]table.Item

// testModel does random calls on the table and on a map, and compares.
func testModel(t *testing.T, tab table.Table) {
	rapid.Check(t, func(rt *rapid.T) {
		root := partition("model") // no two runs share items
		g := generator{pks: []string{root, root + "\x00", root + "#a"}}
		m := model{}
		rt.Repeat(map[string]func(*rapid.T){
			"write":       func(rt *rapid.T) { m.write(rt, t, tab, g, 1) },
			"transaction": func(rt *rapid.T) { m.write(rt, t, tab, g, rapid.IntRange(2, 5).Draw(rt, "writes")) },
			"query":       func(rt *rapid.T) { m.query(rt, t, tab, g) },
			"get": func(rt *rapid.T) {
				key := g.key(rt)
				got, err := tab.Get(t.Context(), key)
				want, ok := m[key]
				if ok != (err == nil) || !ok && !errors.Is(err, table.ErrNotFound) || !cmp.Equal(want, got) {
					rt.Fatalf("item %q is %v (%v), want %v", key, got, err, want)
				}
			},
		})
	})
}

func (m model) write(rt *rapid.T, t *testing.T, tab table.Table, g generator, n int) {
	var writes []table.Write
	used := map[table.Key]bool{}
	for range n {
		if key := g.key(rt); !used[key] {
			used[key] = true
			writes = append(writes, g.write(rt, key))
		}
	}
	after := maps.Clone(m)
	var failed []int
	for i, w := range writes {
		old := m[w.Key]
		if !holds(w.Cond, old) {
			failed = append(failed, i)
			continue
		}
		switch w.Op {
		case table.OpPut:
			after[w.Key] = w.Item
		case table.OpDelete:
			delete(after, w.Key)
		case table.OpUpdate:
			updated := item(w.Key.PK, w.Key.SK)
			maps.Copy(updated, old)
			maps.Copy(updated, w.Set)
			for _, name := range w.Remove {
				delete(updated, name)
			}
			for name, n := range w.Add {
				before, _ := updated[name].(int64)
				updated[name] = before + n
			}
			after[w.Key] = updated
		}
	}
	err := tab.Write(t.Context(), named(writes...)...)
	if failed == nil {
		if err != nil {
			rt.Fatalf("writing %+v: %v", writes, err)
		}
		clear(m)
		maps.Copy(m, after)
		return
	}
	if !errors.Is(err, table.ErrConditionFailed) || !slices.Equal(failedOf(err), failed) {
		rt.Fatalf("writing %+v: %v, want failed conditions %v", writes, err, failed)
	}
}

// holds knows the conditions that the generator makes.
func holds(cond table.Cond, i table.Item) bool {
	switch c := cond.(type) {
	case table.Exists:
		return i != nil
	case table.NotExists:
		return i == nil
	case table.Less:
		n, ok := i[c.Name].(int64)
		return ok && n < c.Value.(int64)
	case table.Contains:
		list, _ := i[c.Name].([]string)
		return slices.Contains(list, c.Element)
	}
	return true
}

func (m model) query(rt *rapid.T, t *testing.T, tab table.Table, g generator) {
	q := table.Query{
		PK:         g.pk(rt),
		Prefix:     rapid.SampledFrom([]string{"", "a", "a\x00", "b", "zz"}).Draw(rt, "prefix"),
		Descending: rapid.Bool().Draw(rt, "descending"),
		Limit:      rapid.IntRange(1, 6).Draw(rt, "limit"),
		Filter:     rapid.SampledFrom([]table.Cond{nil, nil, table.Less{Name: "n", Value: int64(0)}, table.Contains{Name: "l", Element: "x"}}).Draw(rt, "filter"),
	}
	want := []string{}
	for key, i := range m {
		if key.PK == q.PK && strings.HasPrefix(key.SK, q.Prefix) && holds(q.Filter, i) {
			want = append(want, key.SK)
		}
	}
	slices.Sort(want)
	if q.Descending {
		slices.Reverse(want)
	}
	got := []string{}
	for {
		page, err := tab.Query(t.Context(), q)
		if err != nil || len(page.Items) > q.Limit {
			rt.Fatalf("query %+v: %d items, %v", q, len(page.Items), err)
		}
		for _, i := range page.Items {
			if want := m[i.Key()]; !cmp.Equal(want, i) {
				rt.Fatalf("query %+v finds %v, want %v", q, i, want)
			}
		}
		got = append(got, sortKeys(page.Items)...)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	if !slices.Equal(want, got) {
		rt.Fatalf("query %+v finds %q, want %q", q, got, want)
	}
}

// generator makes calls that often meet the same items.
type generator struct{ pks []string }

func (g generator) pk(rt *rapid.T) string { return rapid.SampledFrom(g.pks).Draw(rt, "pk") }

func (g generator) key(rt *rapid.T) table.Key {
	sk := rapid.SampledFrom([]string{"a", "a\x00", "a\x00\x00", "a\x01", "aa", "a\U0001f511", "b", "b\uffff", "é"})
	return table.Key{PK: g.pk(rt), SK: sk.Draw(rt, "sk")}
}

func (g generator) cond(rt *rapid.T) table.Cond {
	return rapid.SampledFrom([]table.Cond{nil, nil, nil, table.Exists{}, table.NotExists{},
		table.Less{Name: "n", Value: int64(3)}, table.Contains{Name: "l", Element: "x"}}).Draw(rt, "cond")
}

func (g generator) attributes(rt *rapid.T) map[string]any {
	attributes := map[string]any{}
	if rapid.Bool().Draw(rt, "has s") {
		attributes["s"] = rapid.String().Draw(rt, "s")
	}
	if rapid.Bool().Draw(rt, "has n") {
		attributes["n"] = rapid.Int64Range(-5, 5).Draw(rt, "n")
	}
	if rapid.Bool().Draw(rt, "has l") {
		attributes["l"] = rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", ""}), 0, 3).Draw(rt, "l")
	}
	return attributes
}

func (g generator) write(rt *rapid.T, key table.Key) table.Write {
	var w table.Write
	switch rapid.SampledFrom([]table.Op{table.OpPut, table.OpPut, table.OpUpdate, table.OpDelete, table.OpCheck}).Draw(rt, "op") {
	case table.OpPut:
		i := item(key.PK, key.SK)
		maps.Copy(i, g.attributes(rt))
		w = table.Put(i)
	case table.OpUpdate:
		set := g.attributes(rt)
		w = table.Update(key, set).Adding("sum", rapid.Int64Range(-9, 9).Draw(rt, "sum"))
		if _, ok := set["s"]; !ok && rapid.Bool().Draw(rt, "remove s") {
			w = w.Removing("s")
		}
	case table.OpDelete:
		w = table.Delete(key)
	case table.OpCheck:
		return table.Check(key, rapid.SampledFrom([]table.Cond{table.Exists{}, table.NotExists{}}).Draw(rt, "check"))
	}
	return w.If(g.cond(rt))
}

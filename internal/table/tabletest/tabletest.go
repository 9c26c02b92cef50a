// Package tabletest states the laws of table.Table as tests. An engine proves
// itself with one line:
//
//	tabletest.Run(t, func(t *testing.T) table.Table { return open(t) })
package tabletest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Run runs the suite. The table that open returns may hold other items and may
// be the same one each time: every test works in partitions of its own.
func Run(t *testing.T, open func(t *testing.T) table.Table) {
	laws := []struct {
		name string
		test func(*testing.T, table.Table)
	}{
		{"values come back as they were written", testValues},
		{"a get finds the item or says that there is none", testGet},
		{"writes change what they say and nothing else", testWrites},
		{"conditions hold as stated", testConditions},
		{"what breaks a rule is refused and changes nothing", testRefusals},
		{"a transaction does all or nothing", testTransactions},
		{"of racing calls no effect is lost and none is doubled", testRaces},
		{"a query finds one partition in order", testQueries},
		{"a filter leaves out without counting", testFilters},
		{"a cursor continues where the page ended", testCursors},
		{"S131 a cursor of anything else is refused", testForeignCursors},
		{"an index holds the items that have its keys", testIndexes},
		{"a call with an ended context does nothing", testContext},
		{"the table behaves as a map does", testModel},
	}
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) { law.test(t, open(t)) })
	}
}

// partition returns a name that no other test uses.
func partition(name string) string { return name + "#" + rand.Text() }

// item makes an item under pk and sk, with more attributes as name, value pairs.
func item(pk, sk string, attributes ...any) table.Item {
	i := table.Item{table.PK: pk, table.SK: sk}
	for n := 0; n < len(attributes); n += 2 {
		i[attributes[n].(string)] = attributes[n+1]
	}
	return i
}

func write(t testing.TB, tab table.Table, writes ...table.Write) {
	t.Helper()
	if err := tab.Write(t.Context(), writes...); err != nil {
		t.Fatalf("writing: %v", err)
	}
}

func get(t testing.TB, tab table.Table, key table.Key) table.Item {
	t.Helper()
	i, err := tab.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("getting %q: %v", key, err)
	}
	return i
}

func query(t testing.TB, tab table.Table, q table.Query) table.Page {
	t.Helper()
	page, err := tab.Query(t.Context(), q)
	if err != nil {
		t.Fatalf("querying %+v: %v", q, err)
	}
	return page
}

// pages follows the cursors of q to the end and returns all items.
func pages(t testing.TB, tab table.Table, q table.Query) []table.Item {
	t.Helper()
	var all []table.Item
	for {
		page := query(t, tab, q)
		if len(page.Items) > q.Limit {
			t.Fatalf("%d items in a page, want at most %d", len(page.Items), q.Limit)
		}
		all = append(all, page.Items...)
		if page.Cursor == "" {
			return all
		}
		if len(page.Items) < q.Limit && q.Filter == nil {
			t.Fatalf("a page of %d items with a cursor, want %d items", len(page.Items), q.Limit)
		}
		q.Cursor = page.Cursor
	}
}

func sortKeys(items []table.Item) []string {
	keys := []string{}
	for _, i := range items {
		keys = append(keys, i.Key().SK)
	}
	return keys
}

// wantItem checks the item under key; nil is none.
func wantItem(t testing.TB, tab table.Table, key table.Key, want table.Item) {
	t.Helper()
	got, err := tab.Get(context.WithoutCancel(t.Context()), key)
	if want == nil {
		if !errors.Is(err, table.ErrNotFound) || got != nil {
			t.Errorf("item %q: %v, %v; want %v", key, got, err, table.ErrNotFound)
		}
		return
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("item %q (error %v), -want +got:\n%s", key, err, diff)
	}
}

// wantErr checks that err is want and none of the other kinds of errors.
func wantErr(t testing.TB, err, want error) {
	t.Helper()
	for _, kind := range []error{table.ErrNotFound, table.ErrConditionFailed, table.ErrBadCursor, table.ErrInvalid, table.ErrUnavailable} {
		if errors.Is(err, kind) != (kind == want) {
			t.Errorf("error %v, want %v only", err, want)
			return
		}
	}
}

// failures names the conditions of a call: see named.
var failures = func() (errs [8]error) {
	for i := range errs {
		errs[i] = fmt.Errorf("the condition of write %d fails", i)
	}
	return errs
}()

// named returns writes, each of which carries the error of its position if it
// has a condition.
func named(writes ...table.Write) []table.Write {
	for i, w := range writes {
		if w.Cond != nil {
			writes[i] = w.Else(failures[i])
		}
	}
	return writes
}

// failedOf returns the positions of the named writes whose errors are in err.
func failedOf(err error) []int {
	var failed []int
	for i, failure := range failures {
		if errors.Is(err, failure) {
			failed = append(failed, i)
		}
	}
	return failed
}

// wantFailed checks that a call of named writes failed by the conditions at
// these positions, and by no others.
func wantFailed(t testing.TB, err error, want ...int) {
	t.Helper()
	wantErr(t, err, table.ErrConditionFailed)
	if diff := cmp.Diff(want, failedOf(err)); diff != "" {
		t.Errorf("failed conditions (error %v), -want +got:\n%s", err, diff)
	}
}

// eventually checks what an index says until it is right or seconds have gone:
// an index may lag behind the table.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Error(err)
}

func number(n int) string { return fmt.Sprintf("%03d", n) }

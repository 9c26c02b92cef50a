package dynamotable_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

var (
	keyA = table.Key{PK: "faults", SK: "a"}
	keyB = table.Key{PK: "faults", SK: "b"}
)

func item(key table.Key, attributes ...any) table.Item {
	i := table.Item{table.PK: key.PK, table.SK: key.SK}
	for n := 0; n < len(attributes); n += 2 {
		i[attributes[n].(string)] = attributes[n+1]
	}
	return i
}

func wantItem(t *testing.T, tab table.Table, key table.Key, want table.Item) {
	t.Helper()
	got, err := tab.Get(t.Context(), key)
	if err != nil && (want != nil || !errors.Is(err, table.ErrNotFound)) {
		t.Errorf("getting %v: %v", key, err)
	} else if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item %v, -want +got:\n%s", key, diff)
	}
}

// onWrites is a choice of faults for writes, by how many came before.
func onWrites(faults ...dynamotest.Fault) func(int, dynamotest.Request) dynamotest.Fault {
	n := 0
	return func(_ int, r dynamotest.Request) dynamotest.Fault {
		if r.Operation == "GetItem" || r.Operation == "Query" || n == len(faults) {
			return dynamotest.None
		}
		n++
		return faults[n-1]
	}
}

func writesOf(requests []dynamotest.Request) int {
	n := 0
	for _, r := range requests {
		if r.Operation != "GetItem" && r.Operation != "Query" {
			n++
		}
	}
	return n
}

var failures = []error{errors.New("the first condition fails"), errors.New("the second condition fails")}

// named returns writes, each of which carries the error of its position if it
// has a condition.
func named(writes []table.Write) []table.Write {
	writes = slices.Clone(writes)
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

// kinds are writes of every kind, with what they make of an item and of none.
var kinds = []struct {
	name   string
	before table.Item // under keyA
	writes []table.Write
	after  table.Item
}{
	{"a put", nil, []table.Write{table.Put(item(keyA, "n", int64(1)))}, item(keyA, "n", int64(1))},
	{"a put of a new item", nil,
		[]table.Write{table.Put(item(keyA, "n", int64(1))).If(table.NotExists{})}, item(keyA, "n", int64(1))},
	{"a put bound to a version", item(keyA, "v", int64(1)),
		[]table.Write{table.Put(item(keyA, "v", int64(2))).If(table.Equal{Name: "v", Value: int64(1)})}, item(keyA, "v", int64(2))},
	{"an update", item(keyA, "a", "x"),
		[]table.Write{table.Update(keyA, map[string]any{"b": "y"}).Removing("a")}, item(keyA, "b", "y")},
	{"an update of a new item", nil,
		[]table.Write{table.Update(keyA, map[string]any{"b": "y"}).If(table.NotExists{})}, item(keyA, "b", "y")},
	{"an update bound to a version", item(keyA, "v", int64(1)),
		[]table.Write{table.Update(keyA, map[string]any{"v": int64(2)}).If(table.Equal{Name: "v", Value: int64(1)})}, item(keyA, "v", int64(2))},
	{"an addition", item(keyA, "n", int64(1)), []table.Write{table.Update(keyA, nil).Adding("n", 1)}, item(keyA, "n", int64(2))},
	{"an addition with a condition that still holds", item(keyA, "n", int64(1)),
		[]table.Write{table.Update(keyA, nil).Adding("n", 1).If(table.Exists{})}, item(keyA, "n", int64(2))},
	{"a delete", item(keyA), []table.Write{table.Delete(keyA)}, nil},
	{"a delete of an item that exists", item(keyA), []table.Write{table.Delete(keyA).If(table.Exists{})}, nil},
	{"a check", item(keyA), []table.Write{table.Check(keyA, table.Exists{})}, item(keyA)},
	{"a transaction", item(keyA, "n", int64(1)),
		[]table.Write{table.Update(keyA, nil).Adding("n", 1), table.Put(item(keyB)).If(table.NotExists{})}, item(keyA, "n", int64(2))},
}

func TestFaultsOfWrites(t *testing.T) {
	for name, first := range map[string][]dynamotest.Fault{
		"fault 17 throttled":                            {dynamotest.Throttle, dynamotest.Throttle},
		"fault 18 in conflict":                          {dynamotest.Conflict, dynamotest.Conflict},
		"fault 19 the answer is lost":                   {dynamotest.Lose},
		"fault 19 the answer is lost twice":             {dynamotest.Lose, dynamotest.Lose},
		"fault 19 the answer is cut":                    {dynamotest.Cut},
		"fault 19 an internal error after the effect":   {dynamotest.ServerError},
		"fault 19 lost, then in conflict and throttled": {dynamotest.Lose, dynamotest.Conflict, dynamotest.Throttle},
		"fault 23 the pooled connection was reset":      {dynamotest.Reset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &dynamotest.Faults{}
			tab := dynamotest.OpenThrough(t, os.Getenv, faults)
			for _, kind := range kinds {
				t.Run(kind.name, func(t *testing.T) {
					faults.Choose = nil
					clearKeys(t, tab)
					if kind.before != nil {
						if err := tab.Write(t.Context(), table.Put(kind.before)); err != nil {
							t.Fatal(err)
						}
					}
					faults.Choose = onWrites(first...)
					before := writesOf(faults.Requests())
					if err := tab.Write(t.Context(), named(kind.writes)...); err != nil {
						t.Errorf("writing: %v", err)
					}
					if n := writesOf(faults.Requests()) - before; n != len(first)+1 {
						t.Errorf("%d requests, want %d", n, len(first)+1)
					}
					wantItem(t, tab, keyA, kind.after)
				})
			}
		})
	}
}

func clearKeys(t *testing.T, tab table.Table) {
	t.Helper()
	for _, key := range []table.Key{keyA, keyB} {
		if err := tab.Write(t.Context(), table.Delete(key)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFailedConditionsAreFinal(t *testing.T) {
	faults := &dynamotest.Faults{}
	tab := dynamotest.OpenThrough(t, os.Getenv, faults)
	never := table.All{table.Exists{}, table.NotExists{}}
	for name, test := range map[string]struct {
		first  []dynamotest.Fault
		writes []table.Write
		want   []int
	}{
		"fault 18 of a put":         {nil, []table.Write{table.Put(item(keyA)).If(never)}, []int{0}},
		"fault 18 of an update":     {nil, []table.Write{table.Update(keyA, map[string]any{"a": "b"}).If(never)}, []int{0}},
		"fault 18 of an addition":   {nil, []table.Write{table.Update(keyA, nil).Adding("n", 1).If(never)}, []int{0}},
		"fault 18 of a delete":      {nil, []table.Write{table.Delete(keyA).If(never)}, []int{0}},
		"fault 18 of a check":       {nil, []table.Write{table.Check(keyA, never)}, []int{0}},
		"fault 18 of a transaction": {nil, []table.Write{table.Put(item(keyA)), table.Delete(keyB).If(never)}, []int{1}},
		"fault 17 after throttling": {[]dynamotest.Fault{dynamotest.Throttle, dynamotest.Conflict}, []table.Write{table.Put(item(keyA)).If(never)}, []int{0}},
		"fault 19 of a transaction that was lost on the way there": {[]dynamotest.Fault{dynamotest.Reset},
			[]table.Write{table.Put(item(keyA)), table.Delete(keyB).If(never)}, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			faults.Choose = onWrites(test.first...)
			before := len(faults.Requests())
			err := tab.Write(t.Context(), named(test.writes)...)
			if !errors.Is(err, table.ErrConditionFailed) || !slices.Equal(failedOf(err), test.want) {
				t.Errorf("error %v, want failed conditions %v", err, test.want)
			}
			if n := len(faults.Requests()) - before; n != len(test.first)+1 {
				t.Errorf("%d requests, want %d", n, len(test.first)+1)
			}
			wantItem(t, tab, keyA, nil)
		})
	}
}

func TestLostAnswerAndAnotherWrite(t *testing.T) {
	t.Run("fault 19 it does not claim that its condition failed", func(t *testing.T) {
		faults := &dynamotest.Faults{}
		tab := dynamotest.OpenThrough(t, os.Getenv, faults)
		if err := tab.Write(t.Context(), table.Put(item(keyA, "v", int64(1)))); err != nil {
			t.Fatal(err)
		}
		bump := func(n int64) error {
			return tab.Write(t.Context(), table.Update(keyA, map[string]any{"v": n + 1}).If(table.Equal{Name: "v", Value: n}))
		}
		lost, done := make(chan bool), make(chan error)
		first := true
		faults.Choose = func(int, dynamotest.Request) dynamotest.Fault {
			if first {
				first = false
				close(lost)
				return dynamotest.Lose
			}
			return dynamotest.None
		}
		go func() {
			<-lost
			for { // until the first effect is there, and the version 2
				if err := bump(2); !errors.Is(err, table.ErrConditionFailed) {
					done <- err
					return
				}
			}
		}()
		err := bump(1)
		if other := <-done; other != nil {
			t.Fatal(other)
		}
		if errors.Is(err, table.ErrConditionFailed) { // nil if it came back before the other write
			t.Errorf("error %v, though the write took effect", err)
		}
		wantItem(t, tab, keyA, item(keyA, "v", int64(3)))
	})
}

func TestLostAnswerAndFailedCondition(t *testing.T) {
	t.Run("fault 19 a put that may have taken effect does not say that it has not", func(t *testing.T) {
		faults := &dynamotest.Faults{Choose: onWrites(dynamotest.None, dynamotest.Reset)}
		tab := dynamotest.OpenThrough(t, os.Getenv, faults)
		if err := tab.Write(t.Context(), table.Put(item(keyA))); err != nil {
			t.Fatal(err)
		}
		err := tab.Write(t.Context(), named([]table.Write{table.Put(item(keyA)).If(table.NotExists{})})...)
		if !errors.Is(err, table.ErrUnavailable) || errors.Is(err, table.ErrConditionFailed) || failedOf(err) != nil {
			t.Errorf("error %v, want %v", err, table.ErrUnavailable)
		}
	})
}

func TestHalfThrottled(t *testing.T) {
	t.Run("fault 17 calls end within 2 s, and no effect is doubled", func(t *testing.T) {
		t.Parallel()
		faults := &dynamotest.Faults{Choose: func(int, dynamotest.Request) dynamotest.Fault {
			return []dynamotest.Fault{dynamotest.None, dynamotest.Throttle}[rand.N(2)]
		}}
		durations, _ := transfer(t, dynamotest.OpenThrough(t, os.Getenv, faults))
		slices.Sort(durations)
		if p99 := durations[len(durations)*99/100-1]; p99 > 2*time.Second {
			t.Errorf("p99 is %v, want under 2 s", p99)
		}
	})
	t.Run("fault 18 three conflicts in ten lose and double nothing", func(t *testing.T) {
		t.Parallel()
		faults := &dynamotest.Faults{Choose: func(int, dynamotest.Request) dynamotest.Fault {
			if rand.N(10) < 3 {
				return dynamotest.Conflict
			}
			return dynamotest.None
		}}
		if _, unavailable := transfer(t, dynamotest.OpenThrough(t, os.Getenv, faults)); unavailable > 0 {
			t.Errorf("%d calls were not answered", unavailable)
		}
	})
	t.Run("fault 19 one answer in four lost, lose and double nothing", func(t *testing.T) {
		t.Parallel()
		faults := &dynamotest.Faults{Choose: func(int, dynamotest.Request) dynamotest.Fault {
			return []dynamotest.Fault{dynamotest.None, dynamotest.None, dynamotest.None, dynamotest.Lose}[rand.N(4)]
		}}
		if _, unavailable := transfer(t, dynamotest.OpenThrough(t, os.Getenv, faults)); unavailable > 0 {
			t.Errorf("%d calls were not answered", unavailable)
		}
	})
}

// transfer moves numbers between two items, in transactions and in single
// additions, and checks that as many arrive as were sent. A call that was not
// answered may have taken effect or not.
func transfer(t *testing.T, tab *dynamotable.Table) (durations []time.Duration, unavailable int) {
	t.Helper()
	const workers, calls = 10, 20
	var mu sync.Mutex
	var wg sync.WaitGroup
	acknowledged := 0
	for range workers {
		wg.Go(func() {
			for range calls {
				began := time.Now()
				err := tab.Write(t.Context(), table.Update(keyA, nil).Adding("n", 1), table.Update(keyB, nil).Adding("n", -1))
				mu.Lock()
				durations = append(durations, time.Since(began))
				switch {
				case err == nil:
					acknowledged++
				case errors.Is(err, table.ErrUnavailable):
					unavailable++
				default:
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	var a, b table.Item
	for _, get := range []struct {
		item *table.Item
		key  table.Key
	}{{&a, keyA}, {&b, keyB}} {
		var err error
		if *get.item, err = tab.Get(t.Context(), get.key); err != nil {
			t.Fatal(err)
		}
	}
	n := a["n"].(int64)
	if b["n"] != -n || n < int64(acknowledged) || n > int64(acknowledged+unavailable) {
		t.Errorf("sums %v and %v after %d acknowledged calls and %d unknown ones", n, b["n"], acknowledged, unavailable)
	}
	return durations, unavailable
}

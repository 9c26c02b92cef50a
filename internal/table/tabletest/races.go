package tabletest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// together runs f n times at once and waits for the last.
func together(n int, f func(n int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; f(i) })
	}
	close(start)
	wg.Wait()
}

// insist repeats a call that the engine could not answer for all the racing. It
// is for calls that may take effect twice.
func insist(t *testing.T, f func() error) error {
	var err error
	for range 50 {
		if err = f(); !errors.Is(err, table.ErrUnavailable) {
			return err
		}
		time.Sleep(rand.N(20 * time.Millisecond))
	}
	t.Errorf("after 50 attempts: %v", err)
	return err
}

func testRaces(t *testing.T, tab table.Table) {
	const racers = 16
	t.Run("one of many creators wins", func(t *testing.T) {
		pk := partition("creators")
		var winners atomic.Int64
		together(racers, func(n int) {
			err := insist(t, func() error {
				return tab.Write(t.Context(), named(table.Put(item(pk, "a", "winner", int64(n))).If(table.NotExists{}))...)
			})
			if err == nil {
				winners.Add(1)
				wantItem(t, tab, table.Key{PK: pk, SK: "a"}, item(pk, "a", "winner", int64(n)))
			} else {
				wantFailed(t, err, 0)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Errorf("%d winners, want 1", n)
		}
	})
	t.Run("one of many consumers gets the item", func(t *testing.T) {
		pk := partition("consumers")
		write(t, tab, table.Put(item(pk, "a")))
		var winners atomic.Int64
		together(racers, func(int) {
			err := insist(t, func() error {
				return tab.Write(t.Context(), named(table.Delete(table.Key{PK: pk, SK: "a"}).If(table.Exists{}))...)
			})
			if err == nil {
				winners.Add(1)
			} else {
				wantFailed(t, err, 0)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Errorf("%d winners, want 1", n)
		}
	})
	t.Run("one of many transactions that share a key wins, whole", func(t *testing.T) {
		pk := partition("sharing")
		var winner atomic.Int64
		together(racers, func(n int) {
			err := insist(t, func() error {
				return tab.Write(t.Context(), named(
					table.Put(item(pk, "own"+number(n))),
					table.Put(item(pk, "shared", "winner", int64(n))).If(table.NotExists{}))...)
			})
			if err == nil {
				winner.Add(int64(n) + 1000)
			} else {
				wantFailed(t, err, 1)
			}
		})
		n := winner.Load() - 1000
		if n < 0 || n >= racers {
			t.Fatalf("not one winner")
		}
		wantItem(t, tab, table.Key{PK: pk, SK: "shared"}, item(pk, "shared", "winner", n))
		if got := pages(t, tab, table.Query{PK: pk, Prefix: "own", Limit: 50}); len(got) != 1 || got[0].Key().SK != "own"+number(int(n)) {
			t.Errorf("traces of losers: %v", got)
		}
	})
	t.Run("each of many losers gets the errors of its own conditions", func(t *testing.T) {
		pk := partition("losers")
		write(t, tab, table.Put(item(pk, "a")))
		together(len(failures), func(n int) {
			absent, present := table.Key{PK: pk, SK: "absent"}, table.Key{PK: pk, SK: "a"}
			for range 5 {
				err := insist(t, func() error {
					return tab.Write(t.Context(),
						table.Put(item(pk, "own"+number(n))),
						table.Check(absent, table.Exists{}).Else(failures[n]),
						table.Check(present, table.NotExists{}).Else(failures[(n+1)%len(failures)]))
				})
				want := []int{n, (n + 1) % len(failures)}
				slices.Sort(want)
				wantFailed(t, err, want...)
			}
		})
		if got := pages(t, tab, table.Query{PK: pk, Prefix: "own", Limit: 50}); len(got) != 0 {
			t.Errorf("traces of losers: %v", got)
		}
	})
	t.Run("100 increments lose none", func(t *testing.T) {
		pk := partition("counter")
		key := table.Key{PK: pk, SK: "counter"}
		var acknowledged, unknown atomic.Int64
		together(10, func(int) {
			for range 10 {
				err := tab.Write(t.Context(), table.Update(key, nil).Adding("n", 1))
				switch {
				case err == nil:
					acknowledged.Add(1)
				case errors.Is(err, table.ErrUnavailable):
					unknown.Add(1)
				default:
					t.Error(err)
				}
			}
		})
		n, _ := get(t, tab, key)["n"].(int64)
		if least := acknowledged.Load(); n < least || n > least+unknown.Load() {
			t.Errorf("n = %d after %d acknowledged and %d unknown increments", n, least, unknown.Load())
		}
	})
	t.Run("increments bound to a version lose none", func(t *testing.T) {
		pk := partition("versions")
		key := table.Key{PK: pk, SK: "a"}
		write(t, tab, table.Put(item(pk, "a", "version", int64(0), "n", int64(0))))
		together(5, func(int) {
			for done := 0; done < 5; {
				i := get(t, tab, key)
				n, version := i["n"].(int64), i["version"].(int64)
				err := tab.Write(t.Context(), table.Update(key, map[string]any{"n": n + 1, "version": version + 1}).
					If(table.Equal{Name: "version", Value: version}))
				if err == nil {
					done++
				} else if !errors.Is(err, table.ErrConditionFailed) {
					t.Error(err)
					return
				}
			}
		})
		wantItem(t, tab, key, item(pk, "a", "version", int64(25), "n", int64(25)))
	})
	t.Run("a sum over two items is the same before and after transfers", func(t *testing.T) {
		pk := partition("transfers")
		a, b := table.Key{PK: pk, SK: "a"}, table.Key{PK: pk, SK: "b"}
		write(t, tab, table.Put(item(pk, "a", "n", int64(100))), table.Put(item(pk, "b", "n", int64(100))))
		var moved atomic.Int64
		together(8, func(n int) {
			from, to := a, b
			if n%2 == 1 { // the order of the keys crosses as well
				from, to = b, a
			}
			for range 4 {
				err := tab.Write(t.Context(), table.Update(from, nil).Adding("n", -1), table.Update(to, nil).Adding("n", 1))
				switch {
				case err != nil && !errors.Is(err, table.ErrUnavailable):
					t.Error(err)
				case err == nil && n%2 == 0:
					moved.Add(1)
				case err == nil:
					moved.Add(-1)
				}
			}
		})
		wantItem(t, tab, a, item(pk, "a", "n", 100-moved.Load()))
		wantItem(t, tab, b, item(pk, "b", "n", 100+moved.Load()))
	})
	t.Run("two who check each other's item do not both write", func(t *testing.T) {
		for range 10 { // write skew: the last two admins step down at once
			pk := partition("skew")
			write(t, tab, table.Put(item(pk, "0", "admin", true)), table.Put(item(pk, "1", "admin", true)))
			var stepped atomic.Int64
			together(2, func(n int) {
				self, other := table.Key{PK: pk, SK: string('0' + rune(n))}, table.Key{PK: pk, SK: string('1' - rune(n))}
				err := insist(t, func() error {
					return tab.Write(t.Context(), named(
						table.Check(other, table.Equal{Name: "admin", Value: true}),
						table.Update(self, map[string]any{"admin": false}))...)
				})
				if err == nil {
					stepped.Add(1)
				} else {
					wantFailed(t, err, 0)
				}
			})
			if n := stepped.Load(); n != 1 {
				t.Errorf("%d stepped down, want 1", n)
			}
		}
	})
	t.Run("an acknowledged write is seen by every later read", func(t *testing.T) {
		pk := partition("acknowledged")
		together(4, func(n int) {
			for i := range 10 {
				want := item(pk, number(n), "n", int64(i))
				if err := tab.Write(t.Context(), table.Put(want)); err != nil {
					t.Error(err)
					return
				}
				wantItem(t, tab, want.Key(), want)
				page := query(t, tab, table.Query{PK: pk, Prefix: number(n), Limit: 1})
				if len(page.Items) != 1 || page.Items[0]["n"] != int64(i) {
					t.Errorf("a query finds %v, want n = %d", page.Items, i)
				}
			}
		})
	})
}

// Package connectiontest states the laws of connection.Store as tests, and has a
// store and a closer in memory for the tests of functions. A store proves itself
// with one line:
//
//	connectiontest.Run(t, func(t *testing.T) connection.Store { return open(t) })
//
// Internal to Gatehouse: it may change with any release.
package connectiontest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/connection"
)

// Run runs the suite. The store that open returns may hold other connections, and
// may be the same one each time.
func Run(t *testing.T, open func(t *testing.T) connection.Store) {
	for _, law := range []struct {
		name string
		test func(*testing.T, connection.Store)
	}{
		{"a connection comes back as it was remembered", comesBack},
		{"a connection is found from the second its token ends", foundInTime},
		{"remembering twice is remembering once", rememberedOnce},
		{"what is forgotten is found no more", forgotten},
		{"the caller may forget what it finds", forgottenMeanwhile},
		{"a caller may stop looking", stopped},
		{"many connections that end later hide none", many},
		{"callers do not get into each other's way", concurrent},
		{"a context that has ended changes nothing", contextEnds},
	} {
		t.Run(law.name, func(t *testing.T) { law.test(t, open(t)) })
	}
}

// epoch is long ago, so that no other connection of a shared store ends before.
var epoch = time.Unix(1_000_000_000, 0).UTC()

// ending is a new connection whose token ends the seconds after epoch.
func ending(seconds int) connection.Connection {
	at := epoch.Add(time.Duration(seconds) * time.Second)
	return connection.Connection{
		ID: rand.Text()[:14] + "=", ExpiresAt: at, Subject: "u_ada", SessionID: "s_1", OpenedAt: at.Add(-10 * time.Minute),
	}
}

func remember(t *testing.T, s connection.Store, connections ...connection.Connection) {
	t.Helper()
	for _, c := range connections {
		if err := s.Remember(t.Context(), c); err != nil {
			t.Fatalf("remembering: %v", err)
		}
	}
}

func forget(t *testing.T, s connection.Store, connections ...connection.Connection) {
	t.Helper()
	for _, c := range connections {
		if err := s.Forget(t.Context(), c); err != nil {
			t.Fatalf("forgetting: %v", err)
		}
	}
}

// found tells how often the store finds each of the connections, the seconds
// after epoch.
func found(t *testing.T, s connection.Store, seconds int, connections ...connection.Connection) []int {
	t.Helper()
	times := make([]int, len(connections))
	for got, err := range s.EndingBy(t.Context(), time.Unix(epoch.Unix()+int64(seconds), 0)) {
		if err != nil {
			t.Fatalf("finding: %v", err)
		}
		for i, c := range connections {
			if got.ID == c.ID && got.ExpiresAt.Equal(c.ExpiresAt) {
				times[i]++
			}
		}
	}
	return times
}

func want(t *testing.T, got []int, want ...int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("found %v times, want %v", got, want)
	}
}

func comesBack(t *testing.T, s connection.Store) {
	full := ending(0)
	bare := connection.Connection{ID: ending(0).ID, ExpiresAt: epoch, Subject: "u_lin", OpenedAt: epoch}
	remember(t, s, full, bare)
	for _, c := range []connection.Connection{full, bare} {
		same := false
		for got, err := range s.EndingBy(t.Context(), epoch) {
			if err != nil {
				t.Fatal(err)
			}
			same = same || got == c
		}
		if !same {
			t.Errorf("%+v did not come back", c)
		}
	}
	forget(t, s, full, bare)
}

func foundInTime(t *testing.T, s connection.Store) {
	early, late := ending(10), ending(11)
	remember(t, s, early, late)
	want(t, found(t, s, 9, early, late), 0, 0)
	want(t, found(t, s, 10, early, late), 1, 0)
	want(t, found(t, s, 11, early, late), 1, 1)
	want(t, found(t, s, 1<<40, early, late), 1, 1)
	forget(t, s, early, late)
}

func rememberedOnce(t *testing.T, s connection.Store) {
	c := ending(0)
	remember(t, s, c, c)
	want(t, found(t, s, 0, c), 1)
	forget(t, s, c)
	want(t, found(t, s, 0, c), 0)
}

func forgotten(t *testing.T, s connection.Store) {
	c, other := ending(0), ending(0)
	remember(t, s, c, other)
	forget(t, s, connection.Connection{ID: c.ID, ExpiresAt: c.ExpiresAt}) // all that a $disconnect may know
	want(t, found(t, s, 0, c, other), 0, 1)
	forget(t, s, c, ending(0))                                                         // neither is there
	forget(t, s, connection.Connection{ID: other.ID, ExpiresAt: epoch.Add(time.Hour)}) // nor this
	want(t, found(t, s, 0, c, other), 0, 1)
	forget(t, s, other)
}

func forgottenMeanwhile(t *testing.T, s connection.Store) {
	var all []connection.Connection
	for range 20 {
		all = append(all, ending(0))
	}
	remember(t, s, all...)
	for c, err := range s.EndingBy(t.Context(), epoch) {
		if err != nil {
			t.Fatal(err)
		}
		forget(t, s, c)
	}
	want(t, found(t, s, 0, all...), make([]int, len(all))...)
}

func stopped(t *testing.T, s connection.Store) {
	a, b := ending(0), ending(0)
	remember(t, s, a, b)
	for range s.EndingBy(t.Context(), epoch) {
		break
	}
	want(t, found(t, s, 0, a, b), 1, 1)
	forget(t, s, a, b)
}

func many(t *testing.T, s connection.Store) {
	var early, late []connection.Connection
	for i := range 300 { // more than a page
		late = append(late, ending(100+i))
	}
	for i := range 120 {
		early = append(early, ending(i%60))
	}
	remember(t, s, late...)
	remember(t, s, early...)
	want(t, found(t, s, 60, early...), slices.Repeat([]int{1}, len(early))...)
	want(t, found(t, s, 1000, late...), slices.Repeat([]int{1}, len(late))...)
	forget(t, s, append(early, late...)...)
}

func concurrent(t *testing.T, s connection.Store) {
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 10 {
				c := ending(0)
				if err := s.Remember(t.Context(), c); err != nil {
					t.Error(err)
				}
				times := 0
				for got, err := range s.EndingBy(t.Context(), epoch) {
					if err != nil {
						t.Error(err)
					}
					if got.ID == c.ID {
						times++
					}
				}
				if times != 1 {
					t.Error(fmt.Errorf("found %d times", times))
				}
				if err := s.Forget(t.Context(), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
}

func contextEnds(t *testing.T, s connection.Store) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	there, absent := ending(0), ending(0)
	remember(t, s, there)
	if s.Remember(over, absent) == nil || s.Forget(over, there) == nil {
		t.Error("done after all")
	}
	var failed error
	for _, err := range s.EndingBy(over, epoch) {
		failed = err
	}
	if failed == nil {
		t.Error("finds nothing, and says so of everything")
	}
	want(t, found(t, s, 0, there, absent), 1, 0)
	forget(t, s, there)
}

package connection_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
)

// swept is a sweep, and what it is about.
type swept struct {
	connection.Sweep
	store  connectiontest.Memory
	closer connectiontest.Closer
	now    time.Time
}

func newSwept(t *testing.T, endings ...time.Duration) *swept {
	t.Helper()
	s := &swept{now: time.Now().UTC().Truncate(time.Second)}
	s.Sweep = connection.Sweep{Store: &s.store, Closer: &s.closer, Now: func() time.Time { return s.now }}
	for i, d := range endings {
		c := connection.Connection{ID: fmt.Sprintf("c%d", i), ExpiresAt: s.now.Add(d), Subject: "u_ada", SessionID: fmt.Sprintf("s%d", i)}
		if err := s.store.Remember(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run runs the sweep and checks what it did.
func (s *swept) run(t *testing.T, want connection.Swept, wantErr error) {
	t.Helper()
	got, err := s.Run(t.Context())
	if got != want || !errors.Is(err, wantErr) {
		t.Errorf("%+v, %v; want %+v, %v", got, err, want, wantErr)
	}
}

func (s *swept) wantState(t *testing.T, open int, closed ...string) {
	t.Helper()
	if got := s.store.Open(); len(got) != open {
		t.Errorf("open %v, want %d", got, open)
	}
	if got := s.closer.Closed(); !slices.Equal(got, closed) {
		t.Errorf("closed %q, want %q", got, closed)
	}
}

func TestSweep(t *testing.T) {
	t.Run("S127 a connection that says nothing is closed when its token ends", func(t *testing.T) {
		s := newSwept(t, -time.Minute, 0, time.Second, 10*time.Minute)
		s.run(t, connection.Swept{Closed: 2}, nil)
		s.wantState(t, 2, "c0", "c1")
		s.run(t, connection.Swept{}, nil)
		s.now = s.now.Add(time.Minute)
		s.run(t, connection.Swept{Closed: 1}, nil)
		s.wantState(t, 1, "c0", "c1", "c2")
	})
	t.Run("S127 one that is gone is closed", func(t *testing.T) {
		s := newSwept(t, 0)
		s.closer.Fails = func(string) error { return connection.ErrGone }
		s.run(t, connection.Swept{Closed: 1}, nil)
		s.wantState(t, 0)
	})
	t.Run("S127 one that cannot be closed is tried again, and keeps no other open", func(t *testing.T) {
		s := newSwept(t, 0, 0, 0)
		throttled := errors.New("throttled")
		s.closer.Fails = func(id string) error {
			if id == "c0" {
				return throttled
			}
			return nil
		}
		s.run(t, connection.Swept{Closed: 2, Failed: 1}, throttled)
		s.wantState(t, 1, "c1", "c2")
		s.closer.Fails = nil
		s.run(t, connection.Swept{Closed: 1}, nil)
		s.wantState(t, 0, "c0", "c1", "c2")
	})
	t.Run("S127 until API Gateway has closed it", func(t *testing.T) {
		s := newSwept(t, -connection.MaxAge, -connection.MaxAge-time.Second)
		s.closer.Fails = func(string) error { return errors.New("never") }
		if got, err := s.Run(t.Context()); got != (connection.Swept{Closed: 1, Failed: 1}) || err == nil {
			t.Errorf("%+v, %v", got, err)
		}
		s.wantState(t, 1)
	})
	t.Run("a store that is out of reach", func(t *testing.T) {
		s := newSwept(t, 0)
		s.store.Err = errors.New("out of reach")
		s.run(t, connection.Swept{}, s.store.Err)
	})
	t.Run("S127 a part of the store that is out of reach keeps no other open", func(t *testing.T) {
		s := newSwept(t, 0, 0)
		part := errors.New("a part is out of reach")
		s.Store = broken{&s.store, part}
		s.run(t, connection.Swept{Closed: 2}, part)
		s.wantState(t, 0, "c0", "c1")
	})
}

// broken is a store that first fails to find some.
type broken struct {
	connection.Store
	err error
}

func (b broken) EndingBy(ctx context.Context, t time.Time) iter.Seq2[connection.Connection, error] {
	return func(yield func(connection.Connection, error) bool) {
		if yield(connection.Connection{}, b.err) {
			b.Store.EndingBy(ctx, t)(yield)
		}
	}
}

func TestSweepBounds(t *testing.T) {
	t.Run("no more than the limit in one run", func(t *testing.T) {
		s := newSwept(t, make([]time.Duration, 50)...)
		s.Limit = 20
		s.run(t, connection.Swept{Closed: 20, Stopped: true}, nil)
		s.run(t, connection.Swept{Closed: 20, Stopped: true}, nil)
		s.run(t, connection.Swept{Closed: 10}, nil)
		s.wantState(t, 0, s.closer.Closed()...)
	})
	t.Run("nothing new when the time is up", func(t *testing.T) {
		s := newSwept(t, make([]time.Duration, 50)...)
		s.Workers = 2
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second+200*time.Millisecond)
		defer cancel()
		s.closer.Fails = func(string) error { time.Sleep(20 * time.Millisecond); return nil }
		got, err := s.Run(ctx)
		if err != nil || !got.Stopped || got.Closed == 0 || got.Closed > 40 || got.Failed != 0 || ctx.Err() != nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestSweepRevoked(t *testing.T) {
	s := newSwept(t, 5*time.Minute, 6*time.Minute, 0)
	unknown := errors.New("the feed cannot be had")
	s.Revoked = func(context.Context, connection.Connection) (bool, error) { return true, unknown }
	s.run(t, connection.Swept{Closed: 1}, unknown) // the one that has ended
	s.wantState(t, 2, "c2")

	s.Revoked = func(_ context.Context, c connection.Connection) (bool, error) { return c.SessionID == "s1", nil }
	s.run(t, connection.Swept{Closed: 1}, nil)
	s.wantState(t, 1, "c1", "c2")
}

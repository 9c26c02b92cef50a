package connectiontest

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/connection"
)

// Memory is a [connection.Store] in memory, for tests. The zero Memory is empty.
type Memory struct {
	// Err, if it is set, is what every method fails with. It must not be set
	// while another goroutine uses the store.
	Err error

	mu   sync.Mutex
	open []connection.Connection
}

var _ connection.Store = (*Memory)(nil)

// Remember implements [connection.Store].
func (m *Memory) Remember(ctx context.Context, c connection.Connection) error {
	if err := m.Forget(ctx, c); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = append(m.open, c)
	return nil
}

// Forget implements [connection.Store].
func (m *Memory) Forget(ctx context.Context, c connection.Connection) error {
	if m.Err != nil {
		return m.Err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = slices.DeleteFunc(m.open, func(o connection.Connection) bool {
		return o.ID == c.ID && o.ExpiresAt.Equal(c.ExpiresAt)
	})
	return nil
}

// EndingBy implements [connection.Store].
func (m *Memory) EndingBy(ctx context.Context, t time.Time) iter.Seq2[connection.Connection, error] {
	return func(yield func(connection.Connection, error) bool) {
		if m.Err != nil {
			yield(connection.Connection{}, m.Err)
			return
		}
		for _, c := range m.Open() {
			if err := ctx.Err(); err != nil {
				yield(connection.Connection{}, err)
				return
			}
			if !c.ExpiresAt.After(t) && !yield(c, nil) {
				return
			}
		}
	}
}

// Open returns what the store remembers.
func (m *Memory) Open() []connection.Connection {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.open)
}

// Closer is a [connection.Closer] that notes what it is asked to close.
type Closer struct {
	// Fails, if it is set, says what closing the connection with the id fails
	// with; nil is that it is closed.
	Fails func(id string) error

	mu     sync.Mutex
	closed []string
}

var _ connection.Closer = (*Closer)(nil)

// Close implements [connection.Closer].
func (c *Closer) Close(_ context.Context, id string) error {
	if c.Fails != nil {
		if err := c.Fails(id); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = append(c.closed, id)
	return nil
}

// Closed returns the ids of the connections that were closed, sorted.
func (c *Closer) Closed() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(c.closed))
}

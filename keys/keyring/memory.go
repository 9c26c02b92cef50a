package keyring

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
)

// memory is the ring as this process read it last. It is refreshed on use, one
// read at a time; nothing runs between requests.
type memory struct {
	turn chan struct{} // holds one token while somebody reads the table

	mu      sync.Mutex
	set     keys.Set
	version int64
	readAt  time.Time // when set was asked for; zero: never read
	failAt  time.Time // when reading failed last; zero: it did not since readAt
}

// pause is how long a failed read is not repeated.
const pause = time.Second

// Set returns the keys in use now. An empty ring adopts its first key, and a
// ring without a current key is given the next one as soon as that may sign.
//
// If the table cannot be read, no key signs, but the keys last seen are
// published, or else the exported ones: verifiers go on. Without those, the
// error wraps [keys.ErrUnavailable].
func (k *Keyring) Set(ctx context.Context) (keys.Set, error) {
	return k.atMost(ctx, k.Staleness)
}

// Fresh is Set for the JWK Set: no older than a second, so that a compromised
// key leaves it at once.
func (k *Keyring) Fresh(ctx context.Context) (keys.Set, error) {
	return k.atMost(ctx, min(k.Staleness, time.Second))
}

// atMost returns the keys as they were in the table no longer than staleness
// ago.
func (k *Keyring) atMost(ctx context.Context, staleness time.Duration) (keys.Set, error) {
	if set, fresh := k.copy.get(k.Now(), staleness); fresh {
		return set, nil
	}
	select {
	case k.copy.turn <- struct{}{}:
		defer func() { <-k.copy.turn }()
	case <-ctx.Done():
		return k.without(ctx, ctx.Err())
	}
	now := k.Now()
	if set, fresh := k.copy.get(now, staleness); fresh {
		return set, nil // somebody else has just read it
	}
	if k.copy.failed(now) {
		return k.without(ctx, errPaused)
	}
	loading, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	stored, err := k.settled(loading)
	if err != nil {
		k.copy.fail(now)
		return k.without(ctx, err)
	}
	return k.copy.put(now, stored.version, func() keys.Set { return k.set(stored.ring) }), nil
}

var errPaused = errors.New("reading the ring failed a moment ago")

// without returns what is left when the ring could not be read because of
// cause.
func (k *Keyring) without(ctx context.Context, cause error) (keys.Set, error) {
	set := k.copy.last()
	set.Current = nil
	if len(set.Published) == 0 {
		set = k.exported
	}
	if len(set.Published) == 0 {
		return keys.Set{}, unavailable(cause)
	}
	k.Log.WarnContext(ctx, "publishing keys without the ring", "err", cause)
	return set, nil
}

// get returns the set if it is no older than staleness. A clock that went
// backwards makes it old.
func (m *memory) get(now time.Time, staleness time.Duration) (keys.Set, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	age := now.Sub(m.readAt)
	return m.set, !m.readAt.IsZero() && age >= 0 && age < staleness
}

func (m *memory) last() keys.Set {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set
}

// put remembers a ring, and parses it only if its version is new.
func (m *memory) put(now time.Time, version int64, set func() keys.Set) keys.Set {
	m.mu.Lock()
	defer m.mu.Unlock()
	if version != m.version {
		m.set, m.version = set(), version
	}
	m.readAt, m.failAt = now, time.Time{}
	return m.set
}

// forget has the next use read the ring.
func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readAt = time.Time{}
}

func (m *memory) fail(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failAt = now
}

func (m *memory) failed(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	age := now.Sub(m.failAt)
	return !m.failAt.IsZero() && age >= 0 && age < pause
}

// unavailable makes err wrap keys.ErrUnavailable, unless it is a mistake of
// ours or the caller's own end.
func unavailable(err error) error {
	if errors.Is(err, keys.ErrUnavailable) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, table.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errPaused) {
		return errors.Join(keys.ErrUnavailable, err)
	}
	return err
}

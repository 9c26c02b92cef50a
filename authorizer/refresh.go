package authorizer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// refresher keeps something that comes from the issuer young: each use asks first
// whether it is current, and fetches it again if it is not. It has no
// goroutine: a function that is frozen between requests would stop it.
type refresher struct {
	fetch  func(context.Context) error // nil: there is nothing to fetch from
	now    func() time.Time
	maxAge time.Duration // what is older is not current
	pause  time.Duration // the least time between two fetches
	log    *slog.Logger
	what   string // is fetched, for the log
	// missing tells whether nothing can be decided with what is there. Then a
	// fetch is tried again at once, and no pause is kept.
	missing func() bool
	// slowFirst gives a request the longer budget while it is missing.
	slowFirst bool
	failed    metric.Metric // counts fetches that failed

	mu       sync.Mutex
	loadedAt time.Time     // when the fetch began that brought what is there; zero if none has
	triedAt  time.Time     // when the last fetch began; zero if none has
	running  chan struct{} // closed when the fetch under way ends; nil if none is
}

// current tells whether what is there is young enough to be used unasked.
func (r *refresher) current() bool {
	return r.fetch == nil || r.youngerThan(r.maxAge)
}

// youngerThan tells whether there is anything that was fetched less than limit
// ago.
func (r *refresher) youngerThan(limit time.Duration) bool {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.loadedAt.IsZero() && within(now.Sub(r.loadedAt), limit)
}

// age is how long ago the fetch began that brought what is there.
func (r *refresher) age() time.Duration {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Sub(r.loadedAt)
}

// within tells whether age is less than limit. After a clock was set back, age is
// negative and tells nothing.
func within(age, limit time.Duration) bool { return 0 <= age && age < limit }

// refresh fetches, or waits for the fetch that is under way. It reports whether
// there was one: not if the last began less than the pause ago.
func (r *refresher) refresh(ctx context.Context) bool {
	now := r.now()
	missing := r.fetch != nil && r.missing()
	r.mu.Lock()
	if running := r.running; running != nil {
		r.mu.Unlock()
		select {
		case <-running:
		case <-ctx.Done():
		}
		return true
	}
	if r.fetch == nil || !missing && !r.triedAt.IsZero() && within(now.Sub(r.triedAt), r.pause) {
		r.mu.Unlock()
		return false
	}
	r.triedAt = now
	done := make(chan struct{})
	r.running = done
	r.mu.Unlock()

	var err error
	if missing {
		err = r.fetchFirst(ctx)
	} else {
		err = r.fetch(ctx)
	}

	r.mu.Lock()
	if err == nil {
		r.loadedAt = now
	}
	r.running = nil
	r.mu.Unlock()
	close(done)
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelError, "fetching "+r.what, slog.Any("err", err), r.failed.Of(1))
	}
	return true
}

// firstAttempts is how often a fetch is tried within one request if there is
// nothing to decide with: the issuer may be starting, too.
const firstAttempts = 3

// fetchFirst fetches until it succeeds, or the time of the request ends. A failure
// before a success is no failure: no alarm is to ring for a slow start.
func (r *refresher) fetchFirst(ctx context.Context) error {
	if r.slowFirst {
		extendBudget(ctx)
	}
	for n := 1; ; n++ {
		err := r.fetch(ctx)
		if err == nil || n == firstAttempts || ctx.Err() != nil {
			return err
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) <= 0 {
			return err
		}
		r.log.LogAttrs(ctx, slog.LevelWarn, "fetching "+r.what+" again", slog.Any("err", err))
	}
}

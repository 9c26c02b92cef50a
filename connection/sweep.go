package connection

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
)

// Sweep closes the connections whose token has ended, also those that say
// nothing. It is run on a schedule: with one run each minute, a connection lives
// at most a minute longer than its token.
type Sweep struct {
	Store  Store  // required
	Closer Closer // required

	// Revoked tells whether the token of a connection was revoked before it
	// expires. Nil: no one is asked, and the connection of a suspended or signed-out
	// user lives until its token expires. With it, each run reads every open
	// connection. After an error the connection stays.
	Revoked func(context.Context, Connection) (bool, error)

	Limit   int              // connections closed in one run; 0: 10,000
	Workers int              // closed at the same time; 0: 16
	Now     func() time.Time // nil: time.Now
}

// Swept is what one run of a [Sweep] did.
type Swept struct {
	Closed  int  // connections that are closed, or were gone
	Failed  int  // connections that may be open still: the next run tries again
	Stopped bool // the limit was reached, or the time was up: the next run goes on
}

// spare is how long before the end of its time a run begins nothing new, so that
// Lambda does not end it in the midst of something.
const spare = 5 * time.Second

// Run closes what is due. Five seconds before the deadline of ctx it begins
// nothing new. The error is the first of what went wrong; all else was done.
func (s *Sweep) Run(ctx context.Context) (Swept, error) {
	finding := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		finding, cancel = context.WithDeadline(ctx, deadline.Add(-spare))
		defer cancel()
	}
	r := run{sweep: s, now: time.Now()}
	if s.Now != nil {
		r.now = s.Now()
	}
	due := make(chan Connection)
	var workers sync.WaitGroup
	for range cmp.Or(s.Workers, 16) {
		workers.Go(func() {
			for c := range due {
				r.done(r.end(ctx, c))
			}
		})
	}
	r.find(finding, due)
	close(due)
	workers.Wait()
	return r.swept, r.err
}

// run is one run of a sweep.
type run struct {
	sweep *Sweep
	now   time.Time

	mu    sync.Mutex
	swept Swept
	err   error // the first
}

// find sends the connections that are to be closed.
func (r *run) find(ctx context.Context, due chan<- Connection) {
	until := r.now
	if r.sweep.Revoked != nil {
		until = time.Unix(1<<40, 0) // every connection
	}
	left := cmp.Or(r.sweep.Limit, 10_000)
	for c, err := range r.sweep.Store.EndingBy(ctx, until) {
		switch {
		case ctx.Err() != nil:
			r.stop()
			return
		case err != nil:
			r.note(fmt.Errorf("looking for connections: %w", err))
			continue
		case !r.isDue(ctx, c):
			continue
		case left == 0:
			r.stop()
			return
		}
		left--
		due <- c
	}
}

// isDue tells whether c is to be closed.
func (r *run) isDue(ctx context.Context, c Connection) bool {
	if c.ended(r.now) {
		return true
	}
	if r.sweep.Revoked == nil {
		return false
	}
	revoked, err := r.sweep.Revoked(ctx, c)
	if err != nil {
		r.note(fmt.Errorf("asking whether a connection is revoked: %w", err))
	}
	return revoked && err == nil
}

func (r *run) end(ctx context.Context, c Connection) error {
	if r.now.Sub(c.ExpiresAt) > MaxAge {
		// It was opened before its token ended: API Gateway has closed it.
		return r.sweep.Store.Forget(ctx, c)
	}
	return end(ctx, r.sweep.Store, r.sweep.Closer, c)
}

func (r *run) done(err error) {
	if err != nil {
		r.note(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.swept.Failed++
	} else {
		r.swept.Closed++
	}
}

// note keeps the first error.
func (r *run) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

func (r *run) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.swept.Stopped = true
}

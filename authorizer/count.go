package authorizer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// tellEvery is the least time between two lines about what was allowed.
const tellEvery = time.Second

// tally counts what has no line of its own: the requests that are allowed, and
// how old the revocation feed was. The next line that is written carries it; a
// request that is allowed writes one if the last line is a second old. A line for
// each would cost more than many decisions.
type tally struct {
	mu      sync.Mutex
	allowed int
	feedAge time.Duration // the greatest
	toldAt  time.Time
}

// allow counts a request that is allowed, and reports whether it is time to tell.
func (t *tally) allow(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.allowed++
	return !within(now.Sub(t.toldAt), tellEvery)
}

// fed counts a decision by a list of this age.
func (t *tally) fed(age time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.feedAge = max(t.feedAge, age)
}

// tell adds what was counted to a line that is written now, and starts again at zero.
func (t *tally) tell(attrs []slog.Attr, now time.Time) []slog.Attr {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.allowed > 0 {
		attrs = append(attrs, metric.Allowed.Of(t.allowed))
	}
	if t.feedAge > 0 {
		attrs = append(attrs, metric.FeedAge.Lasting(t.feedAge))
	}
	t.allowed, t.feedAge, t.toldAt = 0, 0, now
	return attrs
}

// countAllowed counts a request that may go on, if anybody reads the numbers.
func (a *Authorizer) countAllowed(ctx context.Context) {
	if a.tally == nil {
		return
	}
	now := a.c.Now()
	if !a.tally.allow(now) {
		return
	}
	if attrs := a.tally.tell(nil, now); len(attrs) > 0 { // nobody else has told it meanwhile
		a.c.Log.LogAttrs(ctx, slog.LevelInfo, "allowed", attrs...)
	}
}

// countRefused returns what the line of a refusal counts.
func (a *Authorizer) countRefused(attrs []slog.Attr) []slog.Attr {
	attrs = append(attrs, metric.Refused.Of(1))
	if a.tally != nil {
		attrs = a.tally.tell(attrs, a.c.Now())
	}
	return attrs
}

// countFeed notes how old the list was that a decision rested on.
func (a *Authorizer) countFeed() {
	if a.tally != nil {
		a.tally.fed(a.c.Revocations.age())
	}
}

// logTrouble writes the line for our own trouble.
func (a *Authorizer) logTrouble(ctx context.Context, err error) {
	attrs := []slog.Attr{slog.Any("err", err), metric.Undecided.Of(1)}
	if errors.Is(err, errStale) {
		attrs = append(attrs, metric.FeedFailures.Of(1))
	}
	a.c.Log.LogAttrs(ctx, slog.LevelError, "authorizer", attrs...)
}

package authorizer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/revocation"
)

// FeedConfig says where the revocation feed is.
type FeedConfig struct {
	URL string // required: https, or http on this machine

	Client   *http.Client     // nil: one of its own; redirects are never followed
	Now      func() time.Time // nil: time.Now
	Interval time.Duration    // how old the list may be before a use asks again; 0: 4 seconds, and the login service may answer with a list of the second before
	MaxStale time.Duration    // how old it may be when the feed cannot be had; 0: 60 seconds
	Timeout  time.Duration    // for one fetch; 0: 500 ms
	Log      *slog.Logger     // nil: slog.Default()
}

// Feed is the list of tokens that are dead although they have not expired,
// fetched when it is used: at most once in Interval, or, for a route that must be
// fresh, at every use. When it cannot be had, the list that is there serves until
// it is older than MaxStale, except for fresh routes. Then every use is an error:
// nobody knows any more who is still welcome.
type Feed struct {
	refresher
	fetcher  fetcher
	maxStale time.Duration
	list     atomic.Pointer[listCopy]
}

type listCopy struct {
	revocation.List
	etag string
}

// NewFeed returns a feed. It fetches nothing.
func NewFeed(c FeedConfig) (*Feed, error) {
	if err := checkURL(c.URL); err != nil {
		return nil, fmt.Errorf("revocation feed: %w", err)
	}
	// The transport asks again by itself where a kept connection turns out dead.
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1}
	f := &Feed{
		fetcher:  fetcher{c.URL, onlyThere(c.Client, transport), cmp.Or(c.Timeout, 500*time.Millisecond)},
		maxStale: cmp.Or(c.MaxStale, time.Minute),
		refresher: refresher{
			now: orNow(c.Now), log: orDefaultLog(c.Log), what: "revocation feed", failed: metric.FeedFailures,
			maxAge: cmp.Or(c.Interval, 4*time.Second), pause: min(time.Second, cmp.Or(c.Interval, time.Second)),
		},
	}
	f.list.Store(&listCopy{})
	f.fetch = func(ctx context.Context) error { return f.load(ctx, false) }
	return f, nil
}

// errStale says that the feed is too old to be trusted.
var errStale = errors.New("the revocation feed cannot be had")

// Revoked tells whether a token is dead. The error says that nobody knows; it is
// trouble of ours, not of the token.
func (f *Feed) Revoked(ctx context.Context, subject, sessionID string, issuedAt time.Time, fresh bool) (bool, error) {
	if fresh {
		if err := f.reload(ctx); err != nil {
			return false, fmt.Errorf("%w: %w", errStale, err)
		}
	} else {
		if !f.current() {
			f.refresh(ctx)
		}
		if !f.youngerThan(f.maxStale) {
			return false, errStale
		}
	}
	return f.list.Load().Revoked(subject, sessionID, issuedAt), nil
}

// reload fetches now. It does not wait for a fetch that began before: that may
// have been answered before the revocation this caller must not miss.
func (f *Feed) reload(ctx context.Context) error {
	now := f.now()
	if err := f.load(ctx, true); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loadedAt.Before(now) {
		f.loadedAt = now
	}
	return nil
}

// load fetches the list and puts it into the place of the one that is there.
func (f *Feed) load(ctx context.Context, fresh bool) error {
	have := f.list.Load()
	got, err := f.fetcher.get(ctx, copyOf{etag: have.etag, fresh: fresh})
	if err != nil || got.current {
		return err
	}
	list := &listCopy{etag: got.etag}
	if err := list.UnmarshalJSON(got.body); err != nil {
		return err
	}
	f.list.Store(list)
	return nil
}

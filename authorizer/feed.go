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
	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// FeedConfig says where the revocation feed is.
type FeedConfig struct {
	URL string // required: https, or http on this machine

	Client   *http.Client     // nil: one of its own; redirects are never followed
	Now      func() time.Time // nil: time.Now
	Interval time.Duration    // how old the list may be before a use asks again; 0: 4 seconds, and the login service may answer with a list of the second before
	MaxStale time.Duration    // how old it may be when the feed cannot be had; 0: 60 seconds
	Timeout  time.Duration    // for one fetch; 0: 500 ms; twice as long without a list to serve, and on a route that is fresh
	Log      *slog.Logger     // nil: slog.Default()
}

// Feed is the list of tokens that are dead although they have not expired,
// fetched when it is used: at most once in Interval. When it cannot be had, the
// list that is there serves until it is older than MaxStale. Then every use is an
// error: revocations are unknown.
//
// On a route that is fresh, the list is not asked: the issuer judges the token
// itself, as its table stands at this moment.
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
		fetcher:  fetcher{c.URL, onlyThere(c.Client, transport), cmp.Or(c.Timeout, 500*time.Millisecond), revocation.MaxSize},
		maxStale: cmp.Or(c.MaxStale, time.Minute),
		refresher: refresher{
			now: orNow(c.Now), log: orDefaultLog(c.Log), what: "revocation feed", failed: metric.FeedFailures,
			maxAge: cmp.Or(c.Interval, 4*time.Second), pause: min(time.Second, cmp.Or(c.Interval, time.Second)),
		},
	}
	f.list.Store(&listCopy{})
	f.missing = func() bool { return !f.youngerThan(f.maxStale) }
	f.fetch = f.load
	return f, nil
}

// errStale says that the feed is too old to be trusted.
var errStale = errors.New("the revocation feed cannot be had")

// Issued is what the feed needs to know about an access token.
type Issued struct {
	Subject   string
	SessionID string // "" if it has no session
	ClientID  string // "" if it is not known; then revocations of one client are not seen
	IssuedAt  time.Time
}

// Revoked tells whether a token is dead, or too old to tell. The error says that
// revocations are unknown; it is trouble of ours, not of the token.
func (f *Feed) Revoked(ctx context.Context, t Issued) (bool, error) {
	why, err := f.listed(ctx, t)
	return why != "", err
}

func (f *Feed) listed(ctx context.Context, t Issued) (Reason, error) {
	if !f.current() {
		f.refresh(ctx)
	}
	if f.missing() {
		return "", errStale
	}
	list := f.list.Load()
	switch {
	case list.Revoked(revocation.Token(t)):
		return ReasonRevoked, nil
	case list.Remembers() > 0 && f.now().Sub(t.IssuedAt) >= list.Remembers():
		return ReasonForgotten, nil
	}
	return "", nil
}

// judge tells why a verified token is to be refused; "" if it is not.
func (f *Feed) judge(ctx context.Context, v *verified, fresh bool) (Reason, error) {
	t := Issued{v.access.Subject, v.access.SessionID, v.access.ClientID, v.access.IssuedAt}
	if !fresh {
		return f.listed(ctx, t)
	}
	active, err := f.ask(ctx, v.rawToken, t)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errStale, err)
	}
	if !active {
		return ReasonRevoked, nil
	}
	return "", nil
}

// ask has the issuer judge a token. No list can serve in place of the answer, so it
// waits as long as for a first list. An issuer of the version before answers with
// the list, which then is as new.
func (f *Feed) ask(ctx context.Context, rawToken string, t Issued) (active bool, err error) {
	got, err := f.fetcher.patient().get(ctx, wanted{rawToken: rawToken})
	if err != nil {
		return false, err
	}
	var judged string
	err = strictjson.Members(string(got.body), func(name, value string) error {
		if name == "active" && judged != "" {
			return errors.New("active twice")
		}
		if name == "active" {
			judged = value
		}
		return nil
	})
	switch {
	case err == nil && judged == "true":
		return true, nil
	case err == nil && judged == "false":
		return false, nil
	}
	var list revocation.List
	if err := list.UnmarshalJSON(got.body); err != nil {
		return false, err
	}
	return !list.Revoked(revocation.Token(t)), nil
}

// load fetches the list and puts it into the place of the one that is there.
func (f *Feed) load(ctx context.Context) error {
	fetcher, have := f.fetcher, f.list.Load()
	if f.missing() {
		fetcher = fetcher.patient()
	}
	got, err := fetcher.get(ctx, wanted{etag: have.etag})
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

package authorizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// refresher keeps something that comes from the issuer young: whoever uses it
// asks first whether it is current, and if not has it fetched again.
type refresher struct {
	fetch  func(context.Context) error // nil: there is nothing to fetch from
	now    func() time.Time
	maxAge time.Duration
	pause  time.Duration
	log    *slog.Logger
	what   string // for the log

	mu       sync.Mutex
	loadedAt time.Time     // when the fetch began that brought what is there; zero if none has
	triedAt  time.Time     // when the last fetch began; zero if none has
	running  chan struct{} // closed when the fetch under way ends; nil if none is
}

// current tells whether what is there is young enough to be used unasked.
func (r *refresher) current() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fetch == nil || within(r.now().Sub(r.loadedAt), r.maxAge) && !r.loadedAt.IsZero()
}

// within tells whether age is less than limit. After a clock was set back, age is
// negative and tells nothing.
func within(age, limit time.Duration) bool { return 0 <= age && age < limit }

// refresh fetches, or waits for the fetch that is under way. It reports whether
// there was one: not if the last began less than the pause ago.
func (r *refresher) refresh(ctx context.Context) bool {
	r.mu.Lock()
	if running := r.running; running != nil {
		r.mu.Unlock()
		select {
		case <-running:
		case <-ctx.Done():
		}
		return true
	}
	now := r.now()
	if r.fetch == nil || !r.triedAt.IsZero() && within(now.Sub(r.triedAt), r.pause) {
		r.mu.Unlock()
		return false
	}
	r.triedAt = now
	done := make(chan struct{})
	r.running = done
	r.mu.Unlock()

	// Others wait for this fetch: it does not end because one caller leaves.
	err := r.fetch(context.WithoutCancel(ctx))

	r.mu.Lock()
	if err == nil {
		r.loadedAt = now
	}
	r.running = nil
	r.mu.Unlock()
	close(done)
	if err != nil {
		r.log.ErrorContext(ctx, "fetching "+r.what, "err", err)
	}
	return true
}

// maxBody bounds what is read of an answer. API Gateway's own verifier reads no
// larger key set either.
const maxBody = 150_000

// fetcher gets a small document from one address.
type fetcher struct {
	url     string
	client  *http.Client
	timeout time.Duration
}

func (f fetcher) get(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errors.New("the answer is too large")
	}
	return body, nil
}

// client returns c, or a client of our own, as one that follows no redirect: it
// asks the configured address and no other.
func client(c *http.Client) *http.Client {
	own := http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		// Fetches are minutes apart: a kept connection would be a dead one.
		DisableKeepAlives: true,
	}}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

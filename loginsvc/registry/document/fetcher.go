// Package document fetches the metadata documents of clients that nobody registered
// (draft-ietf-oauth-client-id-metadata-document).
//
// Internal to Gatehouse: it may change with any release.
package document

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/publicnet"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// Bounds of a metadata document.
const (
	maxTime = time.Second // for the whole document
	maxSize = 64 << 10    // bytes
	minAge  = time.Minute // a copy is used at least so long: a sign-in takes several requests
	longest = time.Hour
	maxKept = 200
)

// Fetcher finds clients that are described by a metadata document on the web, whose
// address is the client's id. It keeps good documents in memory, within the age that
// their Cache-Control header names and one minute to one hour, and keeps no failure.
// It fetches one document at a time, from public addresses alone, and follows no
// redirect. It is safe for concurrent use.
type Fetcher struct {
	hosts []string      // as [Config.Hosts]
	terms client.Client // what each client may have
	http  *http.Client
	now   func() time.Time

	fetching chan struct{} // holds one token while a document is fetched

	mu    sync.Mutex
	known map[string]kept
}

type kept struct {
	client client.Client
	until  time.Time
}

// Config is what [New] needs.
type Config struct {
	// Hosts are the hosts whose documents are fetched, with the port unless it is 443.
	// [client.AnyHost] stands for all; none turns documents off.
	Hosts []string
	// Terms is the client that each document completes: its scopes and audiences are
	// the most that a client may have.
	Terms client.Client
	Now   func() time.Time // nil: time.Now

	transport http.RoundTripper // nil: public addresses alone
}

// New returns a Fetcher.
func New(cfg Config) *Fetcher {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.transport == nil {
		cfg.transport = publicnet.Transport(nil, nil)
	}
	return &Fetcher{
		hosts: cfg.Hosts, terms: cfg.Terms, now: cfg.Now, fetching: make(chan struct{}, 1), known: map[string]kept{},
		http: &http.Client{Transport: cfg.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Lookup returns the client with the id. The error is [client.ErrUnknown] if the id is
// no address of a document or its host is not allowed, and a [client.DocumentError] if
// the document cannot be had or is wrong.
func (f *Fetcher) Lookup(ctx context.Context, id string) (client.Client, error) {
	host, ok := client.DocumentHost(id)
	if !ok || !slices.Contains(f.hosts, client.AnyHost) && !slices.Contains(f.hosts, host) {
		return client.Client{}, client.ErrUnknown
	}
	if c, ok := f.recall(id); ok {
		return c, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*maxTime)
	defer cancel()
	select {
	case f.fetching <- struct{}{}:
		defer func() { <-f.fetching }()
	case <-ctx.Done():
		return client.Client{}, &client.DocumentError{Host: host, Fault: "others are being fetched", Temporary: true, Err: ctx.Err()}
	}
	if c, ok := f.recall(id); ok { // somebody else was waiting for the same one
		return c, nil
	}
	began := f.now()
	data, age, err := f.fetch(ctx, id)
	if err != nil {
		fault := &client.DocumentError{Host: host, Fault: "it could not be fetched", Temporary: true, Err: err}
		if permanent, ok := errors.AsType[*fetchFault](err); ok {
			fault.Fault, fault.Temporary, fault.Err = permanent.fault, permanent.temporary, nil
		}
		return client.Client{}, fault
	}
	c, err := client.ParseDocument(id, data, f.terms)
	if err != nil {
		return client.Client{}, err
	}
	f.remember(c, began.Add(age))
	return c, nil
}

// fetchFault is an answer that is not the document.
type fetchFault struct {
	fault     string
	temporary bool
}

func (f *fetchFault) Error() string { return f.fault }

// fetch returns the document and how long it may be kept.
func (f *Fetcher) fetch(ctx context.Context, id string) (data []byte, age time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, id, nil)
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "gatehouse")
	answer, err := f.http.Do(r)
	if err != nil {
		return nil, 0, reached(err)
	}
	defer answer.Body.Close()
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case answer.StatusCode != http.StatusOK:
		return nil, 0, &fetchFault{fmt.Sprintf("its address answers with status %d, not 200", answer.StatusCode), answer.StatusCode >= 500}
	case media != "application/json" && !(strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")):
		return nil, 0, &fetchFault{"its Content-Type is not application/json", false}
	case answer.Header.Get("Content-Encoding") != "":
		return nil, 0, &fetchFault{"it is compressed although we did not ask for that", false}
	}
	data, err = io.ReadAll(io.LimitReader(answer.Body, maxSize+1))
	if err != nil {
		return nil, 0, reached(err)
	}
	if len(data) > maxSize {
		return nil, 0, &fetchFault{fmt.Sprintf("it is larger than %d kB", maxSize>>10), false}
	}
	return data, min(max(maxAge(answer.Header), minAge), longest), nil
}

// reached turns an error of the connection into a fault that says what is wrong, where
// that is known. It tells a stranger nothing about our network: an address that is
// not public looks like a name that does not exist.
func reached(err error) error {
	var dns *net.DNSError
	if errors.Is(err, publicnet.ErrNotPublic) || errors.As(err, &dns) && dns.IsNotFound {
		return &fetchFault{"its host has no public address", false}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &fetchFault{"it took longer than a second", true}
	}
	return err
}

// maxAge is what Cache-Control allows (RFC 9111, Section 5.2.2); 0 if it allows nothing
// or says nothing.
func maxAge(h http.Header) time.Duration {
	age := time.Duration(0)
	for _, directive := range strings.Split(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				age = time.Duration(seconds) * time.Second
			}
		}
	}
	return age
}

func (f *Fetcher) recall(id string) (client.Client, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.known[id]
	left := k.until.Sub(f.now())
	return k.client, ok && left > 0 && left <= longest // a clock that was put back keeps nothing longer
}

func (f *Fetcher) remember(c client.Client, until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	maps.DeleteFunc(f.known, func(_ string, k kept) bool { return !now.Before(k.until) })
	if len(f.known) >= maxKept {
		clear(f.known)
	}
	f.known[c.ID] = kept{c, until}
}

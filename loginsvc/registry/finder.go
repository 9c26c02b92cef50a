package registry

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// MaxAge is how long a [Finder] may remember what the table said: after that, a
// new secret is good everywhere, and a dropped one or a removed client nowhere.
const MaxAge = 5 * time.Second

// maxRemembered bounds the memory of a Finder. Only clients that exist are in it,
// so that nobody can fill it with made-up ids.
const maxRemembered = 500

// Finder finds the client with an id: in gatehouse.yml, then in the table, then by
// its metadata document. It is safe for concurrent use.
type Finder struct {
	// Unregistered finds clients that nobody registered, as Lookup does; nil: there
	// are none.
	Unregistered func(ctx context.Context, id string) (client.Client, error)
	// Self is the most that clients have that registered themselves; nil: they are
	// unknown, also those of the table.
	Self *client.Client

	file    client.List
	clients Clients

	mu      sync.Mutex
	known   map[string]client.Client
	origins map[string]bool // of the table
	listed  time.Time       // when origins was read
}

// NewFinder returns a Finder. A nil now is time.Now.
func NewFinder(file client.List, t table.Table, now func() time.Time) *Finder {
	return &Finder{file: file, clients: Clients{Table: t, Now: now}, known: make(map[string]client.Client)}
}

// Lookup returns the client with the id, [client.ErrUnknown], an error of the table,
// or a [client.DocumentError]. A client of the file is never looked for in the table: no row there can
// take its place. What is unknown is not remembered, so that a client can be used
// as soon as it is added.
func (f *Finder) Lookup(ctx context.Context, id string) (client.Client, error) {
	if c, err := f.file.Lookup(ctx, id); err == nil {
		return c, nil
	}
	now := f.clients.now()
	if c, ok := f.recall(id, now); ok {
		return c, nil
	}
	r, err := f.clients.Get(ctx, id)
	if err == nil && r.Self { // there may be less for it now than when it came
		if f.Self == nil {
			return client.Client{}, client.ErrUnknown
		}
		r.Audiences = f.Self.Audiences
		r.Scopes = slices.DeleteFunc(slices.Clone(r.Scopes), func(scope string) bool { return !slices.Contains(f.Self.Scopes, scope) })
		if len(r.Scopes) == 0 { // which would stand for the usual ones
			return client.Client{}, client.ErrUnknown
		}
	}
	if errors.Is(err, client.ErrUnknown) && f.Unregistered != nil {
		return f.Unregistered(ctx, id)
	}
	if err != nil {
		return client.Client{}, err
	}
	r.KnownAt = now
	f.remember(r.Client)
	return r.Client, nil
}

func (f *Finder) recall(id string, now time.Time) (client.Client, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.known[id]
	return c, ok && isFresh(c.KnownAt, now)
}

func (f *Finder) remember(c client.Client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= maxRemembered {
		maps.DeleteFunc(f.known, func(_ string, r client.Client) bool { return !isFresh(r.KnownAt, c.KnownAt) })
	}
	if len(f.known) >= maxRemembered {
		clear(f.known)
	}
	f.known[c.ID] = c
}

// isFresh is false too if the clock was put back since.
func isFresh(at, now time.Time) bool { return !now.Before(at) && now.Sub(at) < MaxAge }

// AllowsOrigin tells whether a public client of the file or of the table has
// registered the origin (see [client.List.AllowsOrigin]). However many origins
// strangers make up, the table is asked once in [MaxAge].
func (f *Finder) AllowsOrigin(ctx context.Context, origin string) (bool, error) {
	if ok, err := f.file.AllowsOrigin(ctx, origin); ok || err != nil {
		return ok, err
	}
	now := f.clients.now()
	f.mu.Lock()
	origins, listed := f.origins, f.listed
	f.mu.Unlock()
	if origins != nil && isFresh(listed, now) {
		return origins[origin], nil
	}
	origins, err := f.readOrigins(ctx)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	f.origins, f.listed = origins, now
	f.mu.Unlock()
	return origins[origin], nil
}

func (f *Finder) readOrigins(ctx context.Context) (map[string]bool, error) {
	all, err := f.clients.withOrigins(ctx)
	if err != nil {
		return nil, err
	}
	origins := make(map[string]bool)
	for _, r := range all {
		// A client of the file has only the origins that the file gives it.
		inFile := slices.ContainsFunc(f.file, func(c client.Client) bool { return c.ID == r.ID })
		if !r.Public() || inFile {
			continue
		}
		for _, origin := range r.Origins {
			origins[origin] = true
		}
	}
	return origins, nil
}

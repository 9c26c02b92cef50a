// Package keyring keeps the ring of signing keys in the table, and turns it into
// keys to sign with and keys to publish.
//
// The ring is one item: it is read by one consistent read and changed by one
// conditional write, so that nobody ever sees half a rotation, and of two that
// change it at once one starts again. Public keys stand in the item itself:
// publishing them asks nobody who holds private keys. What happens when is
// decided by [keys.Rules]; every step of a change can be the last one before a
// crash, and the next run goes on from there.
//
// Internal to Gatehouse: it may change with any release.
package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

// Config is what a [Keyring] is made of.
type Config struct {
	Table table.Table
	Rules keys.Rules

	// Open returns the signer that a reference leads to.
	Open func(ctx context.Context, reference string) (keys.Signer, error)
	// Create makes a key. Nil: this process makes none, and neither rotates nor
	// begins a ring without Adopt.
	Create func(ctx context.Context) (reference string, s keys.Signer, err error)
	// Discard ends the private key behind a reference that Create returned. It
	// is called again if it failed, or if nobody remembers. Nil: private keys
	// are kept.
	Discard func(ctx context.Context, reference string) error
	// Adopt refers to the first key of an empty ring, such as the one made
	// together with the table. "": the first key is made by Create.
	Adopt string

	// Exported is a JWK Set that [Keyring.Export] wrote when the stack was
	// built. It is published by a process that could not read the table since
	// it started. Nil: such a process publishes nothing.
	Exported []byte
	// Staleness is how old the ring in memory may be when it is used. 0: 5
	// seconds; at most a minute, which [keys.Margin] allows for.
	Staleness time.Duration

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default()
}

// Keyring is the ring in the table. Its methods are safe for concurrent use,
// also by many processes.
type Keyring struct {
	Config
	exported keys.Set
	copy     memory

	mu      sync.Mutex
	signers map[string]*signer // by key id; each is opened at most once
}

// loadTimeout bounds a read of the ring for [Keyring.Set]: API Gateway waits for
// a JWK Set no longer than 1,500 ms.
const loadTimeout = time.Second

// New returns a keyring. It does no I/O.
func New(c Config) (*Keyring, error) {
	var mistakes []error
	if c.Table == nil || c.Open == nil {
		mistakes = append(mistakes, errors.New("table and open are needed"))
	}
	if c.Staleness == 0 {
		c.Staleness = 5 * time.Second
	}
	if c.Staleness < 0 || c.Staleness > time.Minute {
		mistakes = append(mistakes, fmt.Errorf("staleness of %v: want at most a minute", c.Staleness))
	}
	mistakes = append(mistakes, c.Rules.Check())
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	k := &Keyring{Config: c, copy: memory{turn: make(chan struct{}, 1)}, signers: make(map[string]*signer)}
	if c.Exported != nil {
		pubs, err := jwks.Parse(c.Exported)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("exported keys: %w", err))
		}
		k.exported = keys.Set{Published: pubs}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return k, nil
}

// List returns the ring as it is in the table now. Its references are not for
// the public.
func (k *Keyring) List(ctx context.Context) (keys.Ring, error) {
	stored, err := k.load(ctx)
	return stored.ring, err
}

// Export returns the JWK Set of now, for [Config.Exported] and for authorizers,
// which learn its age from the member fetched_at, in Unix seconds.
func (k *Keyring) Export(ctx context.Context) ([]byte, error) {
	stored, err := k.settled(ctx)
	if err != nil {
		return nil, err
	}
	document, err := jwks.Marshal(k.set(stored.ring).Published)
	if err != nil {
		return nil, err
	}
	dated := struct {
		Keys      json.RawMessage `json:"keys"`
		FetchedAt int64           `json:"fetched_at"`
	}{FetchedAt: k.Now().Unix()}
	if err := json.Unmarshal(document, &dated); err != nil {
		return nil, err
	}
	return json.Marshal(dated)
}

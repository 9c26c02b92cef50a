package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

// newRing returns the ring of signing keys, seen by a clock. Its first key is
// the store's.
func (b *builder) newRing(now func() time.Time) (*keyring.Keyring, error) {
	return keyring.New(keyring.Config{
		Table: b.store.table, Adopt: b.store.first, Now: now, Log: b.log, Staleness: 100 * time.Millisecond,
		Open: b.store.keys.Open, Create: b.store.keys.Create, Discard: b.store.keys.Discard,
	})
}

// openRing makes the ring, and the next key as if it were there since yesterday:
// nobody on this machine wants to wait for hours to see a rotation, and nobody
// but this process verifies with its keys. Finding primes takes long, so that
// it is left for after the start.
func (b *builder) openRing(ctx context.Context) (err error) {
	if b.ring, err = b.newRing(b.Now); err != nil {
		return err
	}
	if b.past, err = b.newRing(func() time.Time { return b.Now().Add(-24 * time.Hour) }); err != nil {
		return err
	}
	b.tended = make(chan struct{})
	b.store.inUse.Go(func() {
		defer close(b.tended)
		if _, err := b.past.Tend(ctx); err != nil && ctx.Err() == nil {
			b.Log.WarnContext(ctx, "there is no next signing key", "err", err)
		}
	})
	return nil
}

// keys returns the keys of the login service. In the first moments it waits for
// the next one, so that every answer has that too.
func (b *builder) keys(ctx context.Context) (keys.Set, error) {
	select {
	case <-b.tended:
	case <-ctx.Done():
	}
	return b.ring.Set(ctx)
}

// handleKeys shows the ring, for `gatehouse keys list`.
func (d *demo) handleKeys(w http.ResponseWriter, r *http.Request) error {
	view, err := d.ring.View(r.Context())
	if err != nil {
		return err
	}
	return httpx.JSON(w, view)
}

// handleRotate rotates, for `gatehouse keys rotate`.
func (d *demo) handleRotate(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.past.Tend(r.Context()); err != nil {
		return err
	}
	if _, err := d.ring.Rotate(r.Context()); err != nil {
		return forbidden(err)
	}
	return d.handleKeys(w, r)
}

// handleCompromise takes a key out of the JWK Set, for `gatehouse keys retire`.
func (d *demo) handleCompromise(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.past.Tend(r.Context()); err != nil {
		return err
	}
	if _, err := d.ring.Compromise(r.Context(), r.PathValue("kid")); err != nil {
		return forbidden(err)
	}
	return d.handleKeys(w, r)
}

// forbidden tells why the rules of the ring forbid what was asked.
func forbidden(err error) error {
	if rule, ok := errors.AsType[*keys.RuleError](err); ok {
		return &httpx.Error{Status: http.StatusConflict, Code: "not_now", Detail: rule.Error(), Err: err}
	}
	return err
}

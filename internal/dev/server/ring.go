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
func (h *house) newRing(now func() time.Time) (*keyring.Keyring, error) {
	return keyring.New(keyring.Config{
		Table: h.store.table, Adopt: h.store.first, Now: now, Log: h.log, Staleness: 100 * time.Millisecond,
		Open: h.store.keys.Open, Create: h.store.keys.Create, Discard: h.store.keys.Discard,
	})
}

// openRing makes the ring, and the next key as if it were there since yesterday:
// nobody on this machine wants to wait for hours to see a rotation, and nobody
// but this process verifies with its keys. Finding primes takes long, so that
// it is left for after the start.
func (h *house) openRing(ctx context.Context) (err error) {
	if h.ring, err = h.newRing(h.Now); err != nil {
		return err
	}
	if h.past, err = h.newRing(func() time.Time { return h.Now().Add(-24 * time.Hour) }); err != nil {
		return err
	}
	h.tended = make(chan struct{})
	h.store.inUse.Go(func() {
		defer close(h.tended)
		if _, err := h.past.Tend(ctx); err != nil && ctx.Err() == nil {
			h.Log.WarnContext(ctx, "there is no next signing key", "err", err)
		}
	})
	return nil
}

// keys returns the keys of the login service. In the first moments it waits for
// the next one, so that whoever asks knows that too.
func (h *house) keys(ctx context.Context) (keys.Set, error) {
	select {
	case <-h.tended:
	case <-ctx.Done():
	}
	return h.ring.Set(ctx)
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

package keyring

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
)

// attempts is how often a change starts again because another process changed the
// ring. Each time, that process made progress.
const attempts = 10

// step is a change of the ring: it returns the ring as it should be, or the
// same ring if there is nothing to do.
type step func(ctx context.Context, ring keys.Ring) (keys.Ring, error)

// apply makes a change, from the ring in the table as it is now.
func (k *Keyring) apply(ctx context.Context, change step) (stored, error) {
	for range attempts {
		old, err := k.load(ctx)
		if err != nil {
			return stored{}, err
		}
		ring, err := change(ctx, old.ring)
		if err != nil {
			return old, err
		}
		if same(old.ring, ring) {
			return old, nil
		}
		now, err := k.store(ctx, old, ring)
		if !errors.Is(err, errChanged) {
			return now, err
		}
	}
	return stored{}, fmt.Errorf("changing the key ring: %w: others change it all the time", table.ErrUnavailable)
}

// same tells whether a change left the ring as it was.
func same(a, b keys.Ring) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// settled returns the ring, after it was given a first or a current key if it
// had none and may have one.
func (k *Keyring) settled(ctx context.Context) (stored, error) {
	now, err := k.load(ctx)
	if err != nil {
		return stored{}, err
	}
	if len(now.ring) == 0 {
		return k.begin(ctx)
	}
	if _, ok := now.ring.Current(); ok {
		return now, nil
	}
	return k.apply(ctx, k.fill)
}

// fill gives the ring a current key, if it has none and the next one may sign.
func (k *Keyring) fill(_ context.Context, ring keys.Ring) (keys.Ring, error) {
	if _, ok := ring.Current(); ok {
		return ring, nil
	}
	if promoted, err := k.Rules.Promote(ring, k.Now()); err == nil {
		return promoted, nil
	}
	return ring, nil
}

// begin gives an empty ring its first key: the same one, however many processes
// start together.
func (k *Keyring) begin(ctx context.Context) (stored, error) {
	if k.Adopt == "" {
		now, _, err := k.join(ctx, func(ring keys.Ring, key keys.RingKey) (keys.Ring, error) {
			if len(ring) > 0 {
				return ring, nil
			}
			return k.Rules.Adopt(ring, key, k.Now())
		})
		return now, err
	}
	signer, err := k.Open(ctx, k.Adopt)
	if err != nil {
		return stored{}, fmt.Errorf("opening the first key: %w", err)
	}
	first := keys.RingKey{Public: signer.Public(), Reference: k.Adopt, Adopted: true}
	return k.apply(ctx, func(_ context.Context, ring keys.Ring) (keys.Ring, error) {
		if len(ring) > 0 {
			return ring, nil
		}
		return k.Rules.Adopt(ring, first, k.Now())
	})
}

// errNoMaker says that this process cannot make keys.
var errNoMaker = errors.New("the key ring needs a key, and this process makes none")

// join makes a key, has it join the ring by add and returns its id. If the ring
// can do without it after all, the id is "" and the new key is discarded.
func (k *Keyring) join(ctx context.Context, add func(keys.Ring, keys.RingKey) (keys.Ring, error)) (_ stored, id string, _ error) {
	if k.Create == nil {
		return stored{}, "", errNoMaker
	}
	reference, signer, err := k.Create(ctx)
	if err != nil {
		return stored{}, "", fmt.Errorf("making a key: %w", err)
	}
	if err := prove(ctx, signer); err != nil {
		return stored{}, "", errors.Join(fmt.Errorf("the new key: %w", err), k.discard(ctx, reference))
	}
	key := keys.RingKey{Public: signer.Public(), Reference: reference}
	now, err := k.apply(ctx, func(_ context.Context, ring keys.Ring) (keys.Ring, error) { return add(ring, key) })
	id = keys.Thumbprint(key.Public)
	if _, ok := now.ring.Find(id); ok {
		return now, id, nil
	}
	if errors.Is(err, table.ErrUnavailable) {
		return now, "", err // it may have joined
	}
	return now, "", errors.Join(err, k.discard(ctx, reference))
}

// discard ends a private key, also if the caller has gone meanwhile.
func (k *Keyring) discard(ctx context.Context, reference string) error {
	if k.Discard == nil {
		return nil
	}
	return k.Discard(context.WithoutCancel(ctx), reference)
}

// prove has a signer sign something and verifies it.
func prove(ctx context.Context, signer keys.Signer) error {
	digest := sha256.Sum256([]byte("gatehouse key ring probe " + rand.Text()))
	signature, err := signer.SignDigest(ctx, digest)
	if err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(signer.Public(), crypto.SHA256, digest[:], signature); err != nil {
		return fmt.Errorf("the signature is not by the key itself: %w", err)
	}
	return nil
}

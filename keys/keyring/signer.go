package keyring

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// set returns the keys of a ring as the rest of Gatehouse sees them. It does no
// I/O: the private key is opened by the first signature.
func (k *Keyring) set(ring keys.Ring) keys.Set {
	var set keys.Set
	for _, key := range ring.Published() {
		set.Published = append(set.Published, key.Public)
	}
	for _, key := range ring {
		if key.State == keys.Retired {
			set.Retired = append(set.Retired, keys.RetiredKey{Public: key.Public, RetiredAt: key.RetiringAt})
		}
	}
	if current, ok := ring.Current(); ok {
		set.Current = k.signer(current)
	}
	return set
}

// signer returns the signer of a key, the same one each time.
func (k *Keyring) signer(key keys.RingKey) *signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.signers[key.ID]
	if !ok || s.reference != key.Reference {
		s = &signer{public: key.Public, reference: key.Reference, open: k.Open, turn: make(chan struct{}, 1)}
		k.signers[key.ID] = s
	}
	return s
}

// signer is a key of the ring that is opened when it is first used.
type signer struct {
	public    *rsa.PublicKey
	reference string
	open      func(context.Context, string) (keys.Signer, error)

	turn   chan struct{} // holds one token while opened is looked at
	opened keys.Signer   // nil: not yet
}

// Public returns the public key that the ring has.
func (s *signer) Public() *rsa.PublicKey { return s.public }

// SignDigest signs with the private key that the ring refers to.
func (s *signer) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	private, err := s.private(ctx)
	if err != nil {
		return nil, err
	}
	return private.SignDigest(ctx, digest)
}

func (s *signer) private(ctx context.Context) (keys.Signer, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the signing key: %w", ctx.Err())
	}
	if s.opened != nil {
		return s.opened, nil
	}
	opened, err := s.open(ctx, s.reference)
	if err != nil {
		return nil, fmt.Errorf("opening the signing key: %w", err)
	}
	if !opened.Public().Equal(s.public) {
		return nil, fmt.Errorf("%w: the reference leads to another key than the one in the ring", keys.ErrUnavailable)
	}
	s.opened = opened
	return opened, nil
}

// String keeps the reference out of what is printed.
func (s *signer) String() string { return "key " + keys.Thumbprint(s.public) }

// GoString keeps the reference out of what is printed.
func (s *signer) GoString() string { return s.String() }

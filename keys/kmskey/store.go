package kmskey

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Store makes and opens the keys of a ring in KMS, under their ARNs.
type Store struct {
	Client Maker
	Spec   Spec // of the keys that Create makes
}

// Open opens the key behind a reference: see [Open].
func (s Store) Open(ctx context.Context, reference string) (keys.Signer, error) {
	key, err := Open(ctx, s.Client, reference)
	if err != nil {
		return nil, err
	}
	return key, nil
}

// Create makes a key: see [Create].
func (s Store) Create(ctx context.Context) (reference string, _ keys.Signer, err error) {
	reference, key, err := Create(ctx, s.Client, s.Spec)
	if err != nil {
		return "", nil, err
	}
	return reference, key, nil
}

// Discard ends a key: see [Discard].
func (s Store) Discard(ctx context.Context, reference string) error {
	return Discard(ctx, s.Client, reference)
}

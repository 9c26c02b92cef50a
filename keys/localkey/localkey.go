// Package localkey holds a signing key in memory or in a PEM file: for work on
// one machine and for tests. It is never linked into a Lambda function, where
// keys live in KMS.
//
// Internal to Gatehouse: it may change with any release.
package localkey

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Key is a [keys.Signer] whose private key is in the memory of this process.
type Key struct {
	public *rsa.PublicKey
	// The private key is enclosed here, so that no way of printing a Key
	// reaches it.
	sign func(digest [sha256.Size]byte) ([]byte, error)
}

var _ keys.Signer = (*Key)(nil)

// Generate returns a new random key of 2048 bits.
func Generate() (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, keys.MinBits)
	if err != nil {
		return nil, fmt.Errorf("generating RSA key: %w", err)
	}
	return fromPrivate(private)
}

func fromPrivate(private *rsa.PrivateKey) (*Key, error) {
	if err := keys.CheckPublic(&private.PublicKey); err != nil {
		return nil, err
	}
	return &Key{
		public: &private.PublicKey,
		sign: func(digest [sha256.Size]byte) ([]byte, error) {
			return rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
		},
	}, nil
}

// Public returns the public key.
func (k *Key) Public() *rsa.PublicKey { return k.public }

// SignDigest signs digest, unless ctx has ended.
func (k *Key) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return k.sign(digest)
}

// Package keystest holds the laws of [keys.Signer] as tests, for every
// implementation to pass.
//
// Internal to Gatehouse: it may change with any release.
package keystest

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Run proves the laws of keys.Signer on the signers that open returns. It calls
// open once per law, with a test that ends when the law is proven; open may
// return the same signer every time.
func Run(t *testing.T, open func(t *testing.T) keys.Signer) {
	t.Run("the public key is there and stays the same", func(t *testing.T) { samePublic(t, open(t)) })
	t.Run("the key is RSA of 2048 bits or more", func(t *testing.T) { longEnough(t, open(t)) })
	t.Run("a signature verifies with crypto/rsa", func(t *testing.T) { verifies(t, open(t)) })
	t.Run("a context that has ended signs nothing", func(t *testing.T) { honoursContext(t, open(t)) })
	t.Run("signers are safe for concurrent use", func(t *testing.T) { concurrent(t, open(t)) })
}

func samePublic(t *testing.T, s keys.Signer) {
	before := s.Public()
	if before == nil {
		t.Fatal("Public returned nil")
	}
	if _, err := s.SignDigest(t.Context(), sha256.Sum256(nil)); err != nil {
		t.Fatal(err)
	}
	if !before.Equal(s.Public()) {
		t.Error("Public returned another key after a signature")
	}
}

func longEnough(t *testing.T, s keys.Signer) {
	if err := keys.CheckPublic(s.Public()); err != nil {
		t.Error(err)
	}
}

func verifies(t *testing.T, s keys.Signer) {
	// The longest is beyond the 4,096 bytes that KMS hashes by itself.
	for _, size := range []int{0, 1, 4096, 4097, 20_000} {
		if err := signAndVerify(t.Context(), s, make([]byte, size)); err != nil {
			t.Errorf("message of %d bytes: %v", size, err)
		}
	}
}

func honoursContext(t *testing.T, s keys.Signer) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	signature, err := s.SignDigest(ctx, sha256.Sum256(nil))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one that wraps context.Canceled", err)
	}
	if signature != nil {
		t.Error("a signature came with the error")
	}
	if err := signAndVerify(t.Context(), s, []byte("afterwards")); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
}

func concurrent(t *testing.T, s keys.Signer) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 4 {
				if err := signAndVerify(t.Context(), s, fmt.Append(nil, i, j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func signAndVerify(ctx context.Context, s keys.Signer, message []byte) error {
	digest := sha256.Sum256(message)
	signature, err := s.SignDigest(ctx, digest)
	if err != nil {
		return err
	}
	return rsa.VerifyPKCS1v15(s.Public(), crypto.SHA256, digest[:], signature)
}

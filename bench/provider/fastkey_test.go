package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

func TestFastKey(t *testing.T) {
	private := keystest.WeakKey()
	key := newFastKey(private)
	for i := range 100 {
		digest := sha256.Sum256([]byte{byte(i)})
		if err := rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], key.sign(digest)); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkFastKey(b *testing.B) {
	key := newFastKey(keystest.WeakKey())
	for b.Loop() {
		key.sign([sha256.Size]byte{})
	}
}

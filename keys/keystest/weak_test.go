package keystest_test

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

func TestWeakKey(t *testing.T) {
	s := keystest.Signer(keystest.WeakKey())
	keystest.Run(t, func(*testing.T) keys.Signer { return s })
}

func BenchmarkWeakKey(b *testing.B) {
	for b.Loop() {
		keystest.WeakKey()
	}
}
func BenchmarkSign(b *testing.B) {
	s := keystest.Signer(keystest.WeakKey())
	for b.Loop() {
		s.SignDigest(b.Context(), [32]byte{})
	}
}

package token_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
)

// instant answers with a signature made before: what is left is our own work,
// which includes verifying the signature.
type instant struct {
	keys.Signer
	signature []byte
}

func (s instant) SignDigest(context.Context, [sha256.Size]byte) ([]byte, error) {
	return s.signature, nil
}

func BenchmarkSign(b *testing.B) {
	a := lin()
	s := instant{theKey(), signatureOf(signed(b, a))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Sign(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyAccess(b *testing.B) {
	rawToken, key, w := signed(b, lin()), published(), want()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := token.VerifyAccess(b.Context(), rawToken, key, w); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyPKCS1v15 is what verification cannot be faster than.
func BenchmarkVerifyPKCS1v15(b *testing.B) {
	rawToken := signed(b, lin())
	digest := sha256.Sum256([]byte(rawToken[:strings.LastIndexByte(rawToken, '.')]))
	signature := signatureOf(rawToken)
	b.ReportAllocs()
	for b.Loop() {
		if err := rsa.VerifyPKCS1v15(theKey().Public(), crypto.SHA256, digest[:], signature); err != nil {
			b.Fatal(err)
		}
	}
}

func signatureOf(rawToken string) []byte {
	signature, err := base64.RawURLEncoding.DecodeString(rawToken[strings.LastIndexByte(rawToken, '.')+1:])
	if err != nil {
		panic(err)
	}
	return signature
}

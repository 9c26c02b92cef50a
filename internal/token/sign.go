package token

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/keys"
)

var (
	errIncomplete = errors.New("a required claim is empty")
	errLifetime   = errors.New("a token must end after it begins")
	errTooLarge   = fmt.Errorf("token of more than %d bytes", MaxSize)
	// errForeignSignature is a signer that answers with the signature of
	// another key: in KMS, an alias that was moved.
	errForeignSignature = errors.New("the signature is not by the key that the token names")
)

// complete returns an error if every verifier would refuse a token with these
// claims.
func complete(issuer, subject, audience string, issuedAt, expiresAt time.Time) error {
	if issuer == "" || subject == "" || audience == "" || issuedAt.IsZero() {
		return errIncomplete
	}
	if expiresAt.Unix() <= issuedAt.Unix() {
		return errLifetime
	}
	return nil
}

// sign returns claims as a token of the type, signed by s.
func sign(ctx context.Context, s keys.Signer, typ string, claims jwt.Claims) (string, error) {
	unsigned := jwt.NewWithClaims(method{ctx}, claims)
	unsigned.Header["typ"] = typ
	unsigned.Header["kid"] = keys.Thumbprint(s.Public())
	rawToken, err := unsigned.SignedString(s)
	if err != nil {
		return "", err
	}
	if len(rawToken) > MaxSize {
		return "", errTooLarge
	}
	return rawToken, nil
}

// method is RS256 over a [keys.Signer]. A jwt.SigningMethod is given no context,
// so each signature has a method of its own that carries one; none is
// registered with the library.
type method struct{ ctx context.Context }

func (method) Alg() string { return jwt.SigningMethodRS256.Alg() }

// Sign returns a signature by key that has been verified.
func (m method) Sign(signed string, key any) ([]byte, error) {
	s, ok := key.(keys.Signer)
	if !ok {
		return nil, jwt.ErrInvalidKeyType
	}
	digest := sha256.Sum256([]byte(signed))
	signature, err := s.SignDigest(m.ctx, digest)
	if err != nil {
		return nil, err
	}
	if rsa.VerifyPKCS1v15(s.Public(), crypto.SHA256, digest[:], signature) != nil {
		return nil, errForeignSignature
	}
	return signature, nil
}

func (method) Verify(signed string, signature []byte, key any) error {
	return jwt.SigningMethodRS256.Verify(signed, signature, key)
}

package keys

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
)

// Thumbprint returns the key id of pub: its JWK thumbprint (RFC 7638) with
// SHA-256, 43 characters of base64url. It tells who holds the key to nobody.
func Thumbprint(pub *rsa.PublicKey) string {
	// "construct a JSON object containing only the required members […] with
	// no whitespace or line breaks […], ordered lexicographically" (RFC 7638,
	// Section 3). Base64url needs no escaping in JSON.
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(pub.E)).Bytes())
	n := base64.RawURLEncoding.EncodeToString(pub.N.Bytes())
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

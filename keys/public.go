package keys

import (
	"crypto/rsa"
	"errors"
	"fmt"
)

// Bounds of what Gatehouse signs with and publishes.
const (
	// MinBits is the smallest modulus: "A key of size 2048 bits or larger MUST
	// be used" (RFC 7518, Section 3.3).
	MinBits = 2048
	// MaxPublished is how many keys a JWK Set may hold: an AWS load balancer
	// reads no more.
	MaxPublished = 10
)

// CheckPublic returns an error that says why pub must not be used: it is nil,
// shorter than [MinBits] or not an RSA key at all.
func CheckPublic(pub *rsa.PublicKey) error {
	switch {
	case pub == nil || pub.N == nil || pub.N.Sign() <= 0:
		return errors.New("no RSA public key")
	case pub.N.BitLen() < MinBits:
		return fmt.Errorf("RSA key of %d bits: want %d or more", pub.N.BitLen(), MinBits)
	case pub.E < 3 || pub.E&1 == 0 || pub.N.Bit(0) == 0:
		return errors.New("malformed RSA public key")
	}
	return nil
}

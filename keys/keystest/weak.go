package keystest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// WeakKey returns a new RSA key of more than 2048 bits that takes a few
// milliseconds to make, because its primes have 64 bits each; a real one takes
// a hundred. Its signatures verify like any other. Anybody can break it.
func WeakKey() *rsa.PrivateKey {
	const count = 33 // 64-bit primes for a product of 2048 bits with certainty
	e := big.NewInt(65537)
	for {
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: big.NewInt(1), E: int(e.Int64())}}
		totient := big.NewInt(1)
		for range count {
			p, err := rand.Prime(rand.Reader, 64)
			if err != nil {
				panic(err)
			}
			key.Primes = append(key.Primes, p)
			key.N.Mul(key.N, p)
			totient.Mul(totient, new(big.Int).Sub(p, big.NewInt(1)))
		}
		if key.D = new(big.Int).ModInverse(e, totient); key.D != nil && key.Validate() == nil {
			key.Precompute()
			return key
		}
	}
}

// Signer returns a signer that uses private.
func Signer(private *rsa.PrivateKey) keys.Signer { return signer{private} }

type signer struct{ private *rsa.PrivateKey }

func (s signer) Public() *rsa.PublicKey { return &s.private.PublicKey }

func (s signer) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return rsa.SignPKCS1v15(nil, s.private, crypto.SHA256, digest[:])
}

package main

import (
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"math/bits"
)

const exponent = 65537

// fastKey signs with a key of many primes of 64 bits in a few dozen
// microseconds, prime by prime (RFC 8017, Section 5.1.2). It is as unsafe as
// such a key is anyway.
type fastKey struct {
	modulus *big.Int
	size    int
	parts   []part
}

type part struct {
	prime, exponent uint64
	prime64         *big.Int
	basis           *big.Int // 1 modulo this prime, 0 modulo each other
}

func newFastKey(private *rsa.PrivateKey) *fastKey {
	k := &fastKey{modulus: private.N, size: private.Size()}
	one := big.NewInt(1)
	for _, p := range private.Primes {
		others := new(big.Int).Div(private.N, p)
		inverse := new(big.Int).ModInverse(others, p)
		k.parts = append(k.parts, part{
			prime:    p.Uint64(),
			prime64:  p,
			exponent: new(big.Int).Mod(private.D, new(big.Int).Sub(p, one)).Uint64(),
			basis:    others.Mul(others, inverse),
		})
	}
	return k
}

// sign returns the RSASSA-PKCS1-v1_5 signature (RFC 8017, Section 8.2.1).
func (k *fastKey) sign(digest [sha256.Size]byte) []byte {
	message := new(big.Int).SetBytes(padded(digest, k.size))
	sum, residue := new(big.Int), new(big.Int)
	for _, p := range k.parts {
		m := residue.Mod(message, p.prime64).Uint64()
		sum.Add(sum, residue.Mul(p.basis, residue.SetUint64(power(m, p.exponent, p.prime))))
	}
	return sum.Mod(sum, k.modulus).FillBytes(make([]byte, k.size))
}

// power is base to the exponent, modulo m, which is greater than base.
func power(base, exponent, m uint64) uint64 {
	result := uint64(1)
	for ; exponent > 0; exponent >>= 1 {
		if exponent&1 == 1 {
			high, low := bits.Mul64(result, base)
			result = bits.Rem64(high, low, m)
		}
		high, low := bits.Mul64(base, base)
		base = bits.Rem64(high, low, m)
	}
	return result
}

// padded is the encoded message of a digest (RFC 8017, Section 9.2).
func padded(digest [sha256.Size]byte, size int) []byte {
	info := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	tail := append(info, digest[:]...)
	message := make([]byte, size)
	message[1] = 1
	for i := 2; i < size-len(tail)-1; i++ {
		message[i] = 0xff
	}
	copy(message[size-len(tail):], tail)
	return message
}

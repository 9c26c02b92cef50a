package keys_test

import (
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// The example of RFC 7638, Section 3.1.
const rfcModulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

func rfcKey(t *testing.T) *rsa.PublicKey {
	t.Helper()
	n, err := base64.RawURLEncoding.DecodeString(rfcModulus)
	if err != nil {
		t.Fatal(err)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
}

func TestThumbprint(t *testing.T) {
	const want = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
	if got := keys.Thumbprint(rfcKey(t)); got != want {
		t.Errorf("Thumbprint = %q, want %q", got, want)
	}
	other := rfcKey(t)
	other.E = 3
	if keys.Thumbprint(other) == want {
		t.Error("the exponent does not count")
	}
}

func TestCheckPublic(t *testing.T) {
	if err := keys.CheckPublic(rfcKey(t)); err != nil {
		t.Errorf("a good key: %v", err)
	}
	odd := func(bits uint) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return n.SetBit(n, 0, 1)
	}
	for name, pub := range map[string]*rsa.PublicKey{
		"nil":                 nil,
		"without modulus":     {E: 65537},
		"negative modulus":    {N: new(big.Int).Neg(odd(2048)), E: 65537},
		"2047 bits":           {N: odd(2047), E: 65537},
		"exponent 1":          {N: odd(2048), E: 1},
		"even exponent":       {N: odd(2048), E: 65536},
		"even modulus":        {N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537},
		"negative exponent":   {N: odd(2048), E: -65537},
		"exponent left out":   {N: odd(2048)},
		"modulus of one byte": {N: big.NewInt(251), E: 65537},
	} {
		if keys.CheckPublic(pub) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

package jwks_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

var private = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// public returns n different public keys. Only the first has a private one.
func public(n int) []*rsa.PublicKey {
	pubs := []*rsa.PublicKey{&private().PublicKey}
	for i := 1; i < n; i++ {
		modulus := new(big.Int).Add(private().N, big.NewInt(int64(2*i)))
		pubs = append(pubs, &rsa.PublicKey{N: modulus, E: 65537})
	}
	return pubs[:n]
}

func TestMarshal(t *testing.T) {
	t.Run("S97 kty RSA, use sig, alg RS256, unique kid, n of 2048 bits, no private member", func(t *testing.T) {
		pubs := public(3)
		document, err := jwks.Marshal(pubs)
		if err != nil {
			t.Fatal(err)
		}
		var set map[string][]map[string]string
		if err := json.Unmarshal(document, &set); err != nil {
			t.Fatal(err)
		}
		if len(set) != 1 || len(set["keys"]) != 3 {
			t.Fatalf("JWK Set %s", document)
		}
		for i, jwk := range set["keys"] {
			n, err := base64.RawURLEncoding.DecodeString(jwk["n"])
			if err != nil || new(big.Int).SetBytes(n).Cmp(pubs[i].N) != 0 {
				t.Errorf("key %d: n is %s", i, jwk["n"])
			}
			delete(jwk, "n")
			want := map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "kid": keys.Thumbprint(pubs[i])}
			for name := range want {
				if jwk[name] != want[name] {
					t.Errorf("key %d: %s is %q, want %q", i, name, jwk[name], want[name])
				}
				delete(jwk, name)
			}
			for name := range jwk {
				t.Errorf("key %d has a member %q", i, name)
			}
		}
	})
	t.Run("S97 ten keys are published", func(t *testing.T) {
		if _, err := jwks.Marshal(public(10)); err != nil {
			t.Error(err)
		}
	})
	t.Run("S102 an empty set is an error", func(t *testing.T) {
		for _, none := range [][]*rsa.PublicKey{nil, {}} {
			if document, err := jwks.Marshal(none); !errors.Is(err, jwks.ErrEmpty) || document != nil {
				t.Errorf("Marshal(none) = %s, %v", document, err)
			}
		}
	})
}

func TestMarshalRefuses(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 8*120_000)
	huge.SetBit(huge, 0, 1)
	for _, c := range []struct {
		name string
		pubs []*rsa.PublicKey
		want string
	}{
		{"S97 eleven keys", public(11), "11 keys"},
		{"S97 the same key twice", append(public(1), public(1)...), "twice"},
		{"S97 a key under 2048 bits", []*rsa.PublicKey{{N: big.NewInt(251), E: 65537}}, "8 bits"},
		{"S97 no key between others", append(public(1), nil), "no RSA public key"},
		{"S98 more than 150,000 bytes", []*rsa.PublicKey{{N: huge, E: 65537}}, "bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if document, err := jwks.Marshal(c.pubs); err == nil || !strings.Contains(err.Error(), c.want) || document != nil {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	want := public(3)
	document, err := jwks.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jwks.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, func(a, b *rsa.PublicKey) bool { return a.Equal(b) }) {
		t.Error("Parse is not the inverse of Marshal")
	}
}

func TestParseRefuses(t *testing.T) {
	good, err := jwks.Marshal(public(1))
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) []byte {
		if !strings.Contains(string(good), old) {
			t.Fatalf("no %s in %s", old, good)
		}
		return []byte(strings.Replace(string(good), old, new, 1))
	}
	kid := keys.Thumbprint(&private().PublicKey)
	for name, document := range map[string][]byte{
		"nothing":                    nil,
		"no JSON":                    []byte("<html>"),
		"an empty set":               []byte(`{"keys":[]}`),
		"another use":                replace(`"sig"`, `"enc"`),
		"another algorithm":          replace(`"RS256"`, `"RS512"`),
		"another key id":             replace(kid, strings.Repeat("A", len(kid))),
		"no key id":                  replace(kid, ""),
		"a symmetric key":            []byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0","use":"sig","alg":"RS256","kid":"x"}]}`),
		"the same key twice":         replace(`]}`, ","+strings.TrimSuffix(strings.TrimPrefix(string(good), `{"keys":[`), `]}`)+`]}`),
		"a key under 2048 bits":      []byte(`{"keys":[{"kty":"RSA","n":"-w","e":"AQAB","use":"sig","alg":"RS256","kid":"x"}]}`),
		"more than 150,000 bytes":    append(good[:len(good):len(good)], bytes.Repeat([]byte(" "), jwks.MaxBytes)...),
		"a private member":           replace(`"kty":"RSA"`, `"kty":"RSA","d":"AQAB"`),
		"a modulus with line breaks": replace(`"n":"`, `"n":"\n`),
	} {
		if pubs, err := jwks.Parse(document); err == nil {
			t.Errorf("%s: parsed as %d keys", name, len(pubs))
		}
	}
}

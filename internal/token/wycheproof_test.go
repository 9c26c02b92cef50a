package token

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"math/big"
	"testing"

	"github.com/c2sp/wycheproof"
)

// TestWycheproof runs the JWS vectors of Project Wycheproof that have an RSA key.
// Their payloads are no claims and their headers have no typ, so they are judged
// where the signature is: a token without typ is let through on purpose here.
func TestWycheproof(t *testing.T) {
	var vectors struct {
		TestGroups []struct {
			Comment string
			Public  struct{ Kty, Alg, Use, N, E, Kid string }
			Tests   []struct {
				TCID    int
				Comment string
				JWS     string
				Result  string
			}
		}
	}
	text, err := fs.ReadFile(wycheproof.TestVectors, "json_web_signature_test.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	valid, invalid := 0, 0
	for _, group := range vectors.TestGroups {
		if group.Public.Kty != "RSA" || group.Public.Use == "enc" || group.Comment == "rsa_encryption" {
			continue // which keys may verify is for the key source to say
		}
		pub := &rsa.PublicKey{N: number(t, group.Public.N), E: int(number(t, group.Public.E).Int64())}
		for _, test := range group.Tests {
			_, err := verifySignature(t.Context(), test.JWS, func(_ context.Context, keyID string) (*rsa.PublicKey, error) {
				if keyID != group.Public.Kid || group.Public.Alg != "RS256" { // as a key source would have it
					return nil, ErrKeyUnknown
				}
				return pub, nil
			}, "")
			// RS256 is all we verify: what is signed otherwise, however well, is not.
			want := test.Result == "valid" && group.Public.Alg == "RS256"
			if (err == nil) != want {
				t.Errorf("%s, %d %s: err = %v, want %s", group.Comment, test.TCID, test.Comment, err, test.Result)
			}
			if want {
				valid++
			} else {
				invalid++
			}
		}
	}
	if valid < 8 || invalid < 250 {
		t.Errorf("%d valid and %d invalid vectors were run", valid, invalid)
	}
}

func number(t *testing.T, text string) *big.Int {
	t.Helper()
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(bytes)
}

package authorizer_test

import (
	"context"
	"crypto/rsa"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// pairs is how many pairs of tokens TestIssuersAreNotConfused judges.
var pairs = flag.Int("pairs", 100, "how many pairs of tokens TestIssuersAreNotConfused judges; the full number is 100000")

// TestIssuersAreNotConfused draws pairs of tokens of two issuers, with the same key
// id, subject, audience and client. Each is the caller that its own issuer names, also
// where the authorizer remembers it, and none is one under the other's address.
func TestIssuersAreNotConfused(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	draw := drawing{rand.New(rand.NewPCG(seed, 0))}
	keys := [2]tokentest.Key{tokentest.Ours(), tokentest.Foreign()}
	clock := new(fake.Clock)
	for n := 0; n < *pairs; {
		base := "https://id.example.com/" + draw.one("a", "b", "t1")
		issuers := [2]string{base, base + draw.one("/", "/b", "x", "%2F", ".")}
		if draw.IntN(2) == 0 {
			issuers[1] = "https://" + draw.one("ID.example.com/", "id.example.org/", "id.example.com:443/") + base[len("https://id.example.com/"):]
		}
		kid := draw.one("k", "1", keys[0].ID())
		c := authorizer.Config{Issuer: issuer, Audience: audience, Now: clock.Now, Log: silent, Keys: keyOf(kid, keys[draw.IntN(2)])}
		for i, url := range issuers {
			c.Issuers = append(c.Issuers, authorizer.Issuer{URL: url, Profile: "rfc9068", Audiences: []string{"api"}, Keys: keyOf(kid, keys[i])})
		}
		a, err := authorizer.New(c)
		if err != nil {
			t.Fatal(issuers, err)
		}
		who := ""
		guarded := a.Guard("GET /", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			caller, _ := identity.FromContext(r.Context())
			who = caller.Subject
		}))
		ask := func(rawToken string) string {
			who = ""
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+rawToken)
			guarded.ServeHTTP(httptest.NewRecorder(), r)
			return who
		}
		for range 50 {
			n++
			sub := fmt.Sprintf("u-%d", draw.IntN(100))
			sign := func(key int, iss string) string {
				now := clock.Now().Unix()
				return tokentest.Sign(keys[key], fmt.Sprintf(`{"alg":"RS256","typ":"at+jwt","kid":%q}`, kid),
					fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":"api","client_id":"web","jti":"j","iat":%d,"exp":%d}`, iss, sub, now, now+600))
			}
			genuine := [2]string{sign(0, issuers[0]), sign(1, issuers[1])}
			for range 4 {
				i := draw.IntN(2)
				if got, want := ask(genuine[i]), issuers[i]+"#"+sub; got != want {
					t.Fatalf("%v, key id %s: a token of %s is %q, want %q", issuers, kid, issuers[i], got, want)
				}
			}
			i := draw.IntN(2)
			for _, iss := range []string{issuers[1-i], issuer} {
				if got := ask(sign(i, iss)); got != "" {
					t.Fatalf("%v, key id %s: signed by %s in the name of %s, and is %q", issuers, kid, issuers[i], iss, got)
				}
			}
		}
	}
}

// keyOf has one key, under an id that other issuers use as well.
func keyOf(kid string, k tokentest.Key) func(context.Context, string) (*rsa.PublicKey, error) {
	return func(_ context.Context, id string) (*rsa.PublicKey, error) {
		if id != kid {
			return nil, authorizer.ErrKeyUnknown
		}
		return k.Public(), nil
	}
}

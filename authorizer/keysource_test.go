package authorizer_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// issuer is the login service, as far as its keys go.
type issuerServer struct {
	*httptest.Server
	fetches atomic.Int64

	mu     sync.Mutex
	answer http.HandlerFunc
}

// serve starts an issuer that publishes the keys.
func serve(t testing.TB, published ...tokentest.Key) *issuerServer {
	s := &issuerServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fetches.Add(1)
		s.mu.Lock()
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	s.publish(published...)
	return s
}

func (s *issuerServer) answers(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *issuerServer) says(status int, body string) {
	s.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func (s *issuerServer) publish(published ...tokentest.Key) { s.says(200, set(published...)) }

// hangs lets every request wait until it is given up.
func (s *issuerServer) hangs() {
	s.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// set is a JWK Set.
func set(published ...tokentest.Key) string {
	var jwks []string
	for _, k := range published {
		jwks = append(jwks, jwk(k.Public(), `"kid":"`+k.ID()+`","use":"sig","alg":"RS256"`))
	}
	return `{"keys":[` + strings.Join(jwks, ",") + `]}`
}

func jwk(pub *rsa.PublicKey, members string) string {
	return fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB",%s}`, base64.RawURLEncoding.EncodeToString(pub.N.Bytes()), members)
}

var silent = slog.New(slog.DiscardHandler)

// source returns a key source in front of the issuer. It has embedded keys if
// embedded is not "".
func source(t testing.TB, s *issuerServer, c *fake.Clock, embedded string) *authorizer.KeySource {
	t.Helper()
	config := authorizer.KeySourceConfig{URL: s.URL, Now: c.Now, Log: silent, Timeout: 100 * time.Millisecond}
	if embedded != "" {
		config.Embedded = []byte(embedded)
	}
	k, err := authorizer.NewKeySource(config)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// known fails the test unless the source has the key; unknown, unless it says
// that nobody has it.
func known(t testing.TB, k *authorizer.KeySource, key tokentest.Key) {
	t.Helper()
	pub, err := k.Key(t.Context(), key.ID())
	if err != nil || !pub.Equal(key.Public()) {
		t.Errorf("key %s: %v, want it", key.ID(), err)
	}
}

func unknown(t testing.TB, k *authorizer.KeySource, keyID string) {
	t.Helper()
	if pub, err := k.Key(t.Context(), keyID); !errors.Is(err, token.ErrKeyUnknown) || pub != nil {
		t.Errorf("key %s: err = %v, want ErrKeyUnknown", keyID, err)
	}
}

func fetched(t testing.TB, s *issuerServer, want int64) {
	t.Helper()
	if got := s.fetches.Load(); got != want {
		t.Errorf("%d fetches, want %d", got, want)
	}
}

func TestKeySource(t *testing.T) {
	t.Run("keys are fetched on first use and kept", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours(), tokentest.Next()), new(fake.Clock)
		k := source(t, s, c, "")
		fetched(t, s, 0)
		for range 10 {
			known(t, k, tokentest.Ours())
			known(t, k, tokentest.Next())
			c.Pass(20 * time.Second)
		}
		fetched(t, s, 1)
	})
	t.Run("S126 embedded keys that are young are used without a fetch", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours()), new(fake.Clock)
		k := source(t, s, c, strings.Replace(set(tokentest.Ours()), "{", fmt.Sprintf(`{"fetched_at":%d,`, c.Now().Unix()), 1))
		known(t, k, tokentest.Ours())
		fetched(t, s, 0)
		c.Pass(5 * time.Minute)
		known(t, k, tokentest.Ours())
		fetched(t, s, 1)
	})
	t.Run("embedded keys from tomorrow are old ones", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours()), new(fake.Clock)
		k := source(t, s, c, strings.Replace(set(tokentest.Ours()), "{", fmt.Sprintf(`{"fetched_at":%d,`, c.Now().Unix()+86400), 1))
		known(t, k, tokentest.Ours())
		fetched(t, s, 1)
	})
	t.Run("without an address the embedded keys are all", func(t *testing.T) {
		k, err := authorizer.NewKeySource(authorizer.KeySourceConfig{Embedded: []byte(set(tokentest.Ours()))})
		if err != nil {
			t.Fatal(err)
		}
		known(t, k, tokentest.Ours())
		unknown(t, k, tokentest.Next().ID())
	})
	t.Run("I4 a key that the issuer takes back is refused within 5 minutes", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours(), tokentest.Next()), new(fake.Clock)
		k := source(t, s, c, "")
		known(t, k, tokentest.Next())
		s.publish(tokentest.Ours())
		c.Pass(4*time.Minute + 59*time.Second)
		known(t, k, tokentest.Next())
		c.Pass(time.Second)
		unknown(t, k, tokentest.Next().ID())
		known(t, k, tokentest.Ours())
	})
	t.Run("a clock that was set back makes no key eternal", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours(), tokentest.Next()), new(fake.Clock)
		k := source(t, s, c, "")
		known(t, k, tokentest.Next())
		s.publish(tokentest.Ours())
		c.Pass(-time.Hour)
		unknown(t, k, tokentest.Next().ID())
	})
}

// The sequences in which keyfunc's own defaults fail, and the faults of a JWK Set.
func TestKeySourceTroubles(t *testing.T) {
	t.Run("I5 a random kid does not lock a rotated key out", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours()), new(fake.Clock)
		k := source(t, s, c, "")
		known(t, k, tokentest.Ours())
		c.Pass(10 * time.Second)
		unknown(t, k, "random")
		fetched(t, s, 2)
		s.publish(tokentest.Ours(), tokentest.Next())
		unknown(t, k, tokentest.Next().ID()) // asked just now
		c.Pass(10 * time.Second)
		known(t, k, tokentest.Next())
		fetched(t, s, 3)
	})
	t.Run("I5 an outage at a cold start ends when the outage ends", func(t *testing.T) {
		s, c := serve(t), new(fake.Clock)
		s.says(503, "")
		k := source(t, s, c, "")
		if _, err := k.Key(t.Context(), tokentest.Ours().ID()); err == nil || errors.Is(err, token.ErrKeyUnknown) {
			t.Errorf("err = %v: without any key the trouble is ours", err)
		}
		s.publish(tokentest.Ours())
		c.Pass(10 * time.Second)
		known(t, k, tokentest.Ours())
	})
	t.Run("an issuer that is just starting delays the first decision, and fails none", func(t *testing.T) {
		s := serve(t, tokentest.Ours())
		var asked atomic.Int64
		s.Config.Handler = slowOnce(s.Config.Handler, &asked, 2100*time.Millisecond) // longer than one fetch may take
		var said strings.Builder
		w := newWorld(t, nil, func(c *authorizer.Config) {
			k, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: s.URL, Now: c.Now, Log: slog.New(slog.NewTextHandler(&said, nil))})
			if err != nil {
				t.Fatal(err)
			}
			c.Keys = k.Key
		})
		began := time.Now()
		w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), allowed, "")
		if took := time.Since(began); took > 2500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if strings.Contains(said.String(), "level=ERROR") || asked.Load() != 2 {
			t.Errorf("%d fetches, and in the log: %s", asked.Load(), &said)
		}
	})
	t.Run("without any key, an answer takes 2.5 seconds at most", func(t *testing.T) {
		s := serve(t)
		s.hangs()
		w := newWorld(t, nil, func(c *authorizer.Config) {
			k, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: s.URL, Now: c.Now, Log: silent})
			if err != nil {
				t.Fatal(err)
			}
			c.Keys = k.Key
		})
		began := time.Now()
		w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), failed, "")
		if took := time.Since(began); took > 2700*time.Millisecond || took < 2*time.Second {
			t.Errorf("took %v", took)
		}
		s.publish(tokentest.Ours())
		w.expect(t, "GET /", w.rawToken(t, "u_lin", ""), allowed, "") // without a pause
	})
	t.Run("I5 an empty set refuses nobody", func(t *testing.T) { keepsKeys(t, 200, `{"keys":[]}`) })
	t.Run("a set without any key", func(t *testing.T) { keepsKeys(t, 200, `{}`) })
	t.Run("a set of unusable keys", func(t *testing.T) {
		keepsKeys(t, 200, `{"keys":[{"kty":"oct","k":"AA","kid":"1"},{"kty":"RSA"},null,1,"x",[]]}`)
	})
	ours, next := set(tokentest.Ours()), set(tokentest.Next())
	for name, body := range map[string]string{
		"keys twice":                                 ours[:len(ours)-1] + "," + next[1:],
		"keys twice, once escaped":                   ours[:len(ours)-1] + `,"\u006beys"` + next[len(`{"keys"`):],
		"keys in capitals":                           strings.Replace(next, `"keys"`, `"KEYS"`, 1),
		"keys with the sign of kelvin":               strings.Replace(next, `"keys"`, `"\u212aeys"`, 1),
		"a kid twice":                                strings.Replace(next, `"kid"`, `"kid":"x","kid"`, 1),
		"a kid in other letters":                     strings.Replace(next, `"kid"`, `"Kid"`, 1),
		"an exponent twice":                          strings.Replace(next, `"e"`, `"e":"Aw","e"`, 1),
		"an unknown member twice":                    strings.Replace(next, `"keys"`, `"x":1,"x":1,"keys"`, 1),
		"a key of another kind, with a member twice": strings.Replace(next, `[`, `[{"kty":"oct","kty":"oct"},`, 1),
	} {
		t.Run("ambiguous: "+name, func(t *testing.T) { keepsKeys(t, 200, body) })
	}
	t.Run("a page of HTML", func(t *testing.T) { keepsKeys(t, 200, "<html>") })
	t.Run("JSON cut short", func(t *testing.T) { keepsKeys(t, 200, set(tokentest.Next())[:100]) })
	t.Run("null", func(t *testing.T) { keepsKeys(t, 200, "null") })
	t.Run("10 MB", func(t *testing.T) {
		keepsKeys(t, 200, `{"x":"`+strings.Repeat("x", 10<<20)+`",`+set(tokentest.Next())[1:])
	})
	t.Run("503 with keys", func(t *testing.T) { keepsKeys(t, 503, set(tokentest.Next())) })
	t.Run("404", func(t *testing.T) { keepsKeys(t, 404, "") })

	t.Run("a redirect is not followed", func(t *testing.T) {
		elsewhere, s, c := serve(t, tokentest.Next()), serve(t), new(fake.Clock)
		s.answers(http.RedirectHandler(elsewhere.URL, http.StatusFound).ServeHTTP)
		k := source(t, s, c, set(tokentest.Ours()))
		known(t, k, tokentest.Ours())
		unknown(t, k, tokentest.Next().ID())
		fetched(t, s, 1)
		fetched(t, elsewhere, 0)
	})
	t.Run("I5 a hanging set delays one request within 10 s, and no constructor", func(t *testing.T) {
		s, c := serve(t), new(fake.Clock)
		s.hangs()
		k := source(t, s, c, set(tokentest.Ours()))
		started := time.Now()
		for range 100 {
			known(t, k, tokentest.Ours())
			unknown(t, k, "random")
		}
		if took := time.Since(started); took > 900*time.Millisecond {
			t.Errorf("100 uses took %v", took)
		}
		fetched(t, s, 1)
	})
	t.Run("I5 after an hour in the freezer the first use asks", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours(), tokentest.Next()), new(fake.Clock)
		k := source(t, s, c, "")
		known(t, k, tokentest.Next())
		s.publish(tokentest.Ours())
		c.Pass(time.Hour)
		unknown(t, k, tokentest.Next().ID())
		fetched(t, s, 2)
	})
	t.Run("503 at a cold start: the embedded keys are used", func(t *testing.T) {
		s, c := serve(t), new(fake.Clock)
		s.says(503, "")
		k := source(t, s, c, set(tokentest.Ours()))
		for range 100 {
			known(t, k, tokentest.Ours())
			c.Pass(time.Second)
		}
		fetched(t, s, 10)
	})
	t.Run("a caller who leaves takes nobody's fetch away", func(t *testing.T) {
		s, c := serve(t, tokentest.Ours()), new(fake.Clock)
		k := source(t, s, c, "")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := k.Key(ctx, tokentest.Ours().ID()); err != nil {
			t.Error(err)
		}
	})
}

// keepsKeys publishes a bad set after a good one: the good one stays, and the
// next good one is taken.
func keepsKeys(t *testing.T, status int, body string) {
	t.Helper()
	s, c := serve(t, tokentest.Ours()), new(fake.Clock)
	k := source(t, s, c, "")
	known(t, k, tokentest.Ours())
	s.says(status, body)
	c.Pass(time.Hour)
	known(t, k, tokentest.Ours())
	unknown(t, k, tokentest.Next().ID())
	fetched(t, s, 2)
	s.publish(tokentest.Next())
	c.Pass(10 * time.Second)
	known(t, k, tokentest.Next())
	unknown(t, k, tokentest.Ours().ID())
}

func TestKeySourceFilter(t *testing.T) {
	ours, next := tokentest.Ours(), tokentest.Next()
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]string{
		"for encryption":         jwk(next.Public(), `"kid":"other","use":"enc"`),
		"for another algorithm":  jwk(next.Public(), `"kid":"other","alg":"RS512"`),
		"for encryption, by alg": jwk(next.Public(), `"kid":"other","alg":"RSA-OAEP"`),
		"for other operations":   jwk(next.Public(), `"kid":"other","key_ops":["encrypt"]`),
		"for no operation":       jwk(next.Public(), `"kid":"other","key_ops":[]`),
		"of 1024 bits":           jwk(&short.PublicKey, `"kid":"other"`),
		"without a kid":          jwk(next.Public(), `"use":"sig"`),
		"with an empty kid":      jwk(next.Public(), `"kid":""`),
		"with its private half":  jwk(next.Public(), `"kid":"other","d":"AQAB"`),
		"with a broken modulus":  `{"kty":"RSA","kid":"other","n":"!!!","e":"AQAB"}`,
		"without a modulus":      `{"kty":"RSA","kid":"other","e":"AQAB"}`,
		"with an even exponent":  strings.Replace(jwk(next.Public(), `"kid":"other"`), "AQAB", "AQAA", 1),
		"with an exponent of 1":  strings.Replace(jwk(next.Public(), `"kid":"other"`), "AQAB", "AQ", 1),
		"of an unknown type":     `{"kty":"PQC","kid":"other"}`,
		"symmetric":              `{"kty":"oct","kid":"other","k":"AAAA"}`,
		"elliptic":               `{"kty":"EC","kid":"other","crv":"P-256","x":"AA","y":"AA"}`,
		"a number":               `7`,
		"twice":                  jwk(next.Public(), `"kid":"other"`) + "," + jwk(tokentest.Foreign().Public(), `"kid":"other"`),
		"twice and once again":   jwk(next.Public(), `"kid":"other"`) + "," + jwk(tokentest.Foreign().Public(), `"kid":"other"`) + "," + jwk(next.Public(), `"kid":"other"`),
		"certificates elsewhere": jwk(next.Public(), `"kid":"other","x5u":"`+tokentest.Canary+`","use":"enc"`),
	} {
		t.Run("a key "+name, func(t *testing.T) {
			document := `{"keys":[` + jwk(ours.Public(), `"kid":"`+ours.ID()+`","use":"sig"`) + "," + other + "," + jwk(ours.Public(), `"kid":"`+ours.ID()+`"`) + `]}`
			k, err := authorizer.NewKeySource(authorizer.KeySourceConfig{Embedded: []byte(document)})
			if err != nil {
				t.Fatal(err)
			}
			unknown(t, k, "other")
			unknown(t, k, "")
			known(t, k, ours)
		})
	}
}

func TestNewKeySource(t *testing.T) {
	for name, config := range map[string]authorizer.KeySourceConfig{
		"nothing":            {},
		"http":               {URL: "http://auth.example.com/jwks.json"},
		"no address":         {URL: "auth.example.com"},
		"a file":             {URL: "file:///etc/passwd"},
		"a password":         {URL: "https://a:b@auth.example.com/jwks.json"},
		"embedded junk":      {Embedded: []byte("junk")},
		"an empty set":       {Embedded: []byte(`{"keys":[]}`)},
		"nothing in the set": {Embedded: []byte{}},
	} {
		if _, err := authorizer.NewKeySource(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Anyone may send random kids, as fast as they like: here 5,000 a second, for a
// minute of the clock.
func TestRandomKeyIDFlood(t *testing.T) {
	s, c := serve(t, tokentest.Ours()), new(fake.Clock)
	k := source(t, s, c, "")
	known(t, k, tokentest.Ours())
	for second := range 60 {
		if second == 30 {
			s.publish(tokentest.Ours(), tokentest.Next())
		}
		if second == 45 {
			known(t, k, tokentest.Next())
		}
		var flood sync.WaitGroup
		for range 4 {
			flood.Go(func() {
				for i := range 1250 {
					k.Key(context.Background(), fmt.Sprint("random", i))
				}
			})
		}
		flood.Wait()
		c.Pass(time.Second)
	}
	if n := s.fetches.Load(); n > 7 {
		t.Errorf("%d fetches within a minute, want one in 10 s", n)
	}
}

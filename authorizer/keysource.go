package authorizer

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// KeySourceConfig says where verification keys come from.
type KeySourceConfig struct {
	// URL is the address of the issuer's JWK Set: https, or http on this
	// machine. It comes from the configuration, never from a token. "" means
	// that Embedded is all there is.
	URL string
	// Embedded is a JWK Set that was deployed together with the authorizer, so
	// that a cold start needs no fetch and survives an issuer that is down. A
	// member "fetched_at" in Unix seconds tells its age; without it, the set is
	// taken to be old and serves until the first fetch. May be nil.
	Embedded []byte

	Client  *http.Client     // nil: one that does not keep connections; redirects are never followed
	Now     func() time.Time // nil: time.Now
	MaxAge  time.Duration    // how old keys may be before a use asks for them again; 0: 5 minutes
	Pause   time.Duration    // the least time between two fetches; 0: 10 seconds
	Timeout time.Duration    // for one fetch; 0: 900 ms, so that an answer takes less than a second
	Log     *slog.Logger     // nil: slog.Default()
}

// KeySource is the issuer's public keys, refreshed when they are used. It has no
// goroutine of its own: a function that is frozen between requests would stop it.
//
// Keys older than MaxAge are asked for again before they are used, also after
// hours in the freezer, so that a key which the issuer took back is refused soon
// after. A key id that nobody knows asks too. Whatever the reason, there is one
// fetch at a time and one in Pause: who comes in between is answered at once from
// what is there. When a fetch fails, or brings no usable key, the keys that are
// there stay in use.
type KeySource struct {
	keys    *keyStorage
	keyfunc keyfunc.Keyfunc
}

// NewKeySource returns a source that has the embedded keys. It fetches nothing.
func NewKeySource(c KeySourceConfig) (*KeySource, error) {
	if c.URL == "" && c.Embedded == nil {
		return nil, errors.New("key source: want the URL of a JWK Set, or an embedded one")
	}
	if err := checkURL(c.URL); err != nil {
		return nil, fmt.Errorf("key source: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	storage := &keyStorage{
		MemoryJWKSet: jwkset.NewMemoryStorage(),
		refresher: refresher{
			now: c.Now, log: c.Log, what: "key set",
			maxAge: orDefault(c.MaxAge, 5*time.Minute), pause: orDefault(c.Pause, 10*time.Second),
		},
	}
	if c.URL != "" {
		f := fetcher{url: c.URL, client: client(c.Client), timeout: orDefault(c.Timeout, 900*time.Millisecond)}
		storage.fetch = func(ctx context.Context) error {
			body, err := f.get(ctx)
			if err != nil {
				return err
			}
			return storage.replace(ctx, body)
		}
	}
	if c.Embedded != nil {
		if err := storage.replace(context.Background(), c.Embedded); err != nil {
			return nil, fmt.Errorf("embedded key set: %w", err)
		}
		storage.loadedAt = fetchedAt(c.Embedded, c.Now())
	}
	kf, err := keyfunc.New(keyfunc.Options{Storage: storage})
	if err != nil {
		return nil, fmt.Errorf("key source: %w", err)
	}
	return &KeySource{storage, kf}, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// checkURL returns an error unless u is an address that keys may be fetched
// from without someone in between exchanging them.
func checkURL(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return fmt.Errorf("URL %q: want an absolute https address", address)
	}
	local := u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost"
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return fmt.Errorf("URL %q: want https", address)
	}
	return nil
}

// errNoKeys says that the source has never had a key. It is trouble of ours, not
// of the token.
var errNoKeys = errors.New("no verification keys: the issuer's key set cannot be had")

// Key returns the key with the id. It is a [token.KeyFunc].
func (s *KeySource) Key(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
	// keyfunc compares the token's alg with the key's; the verifier has made
	// sure that it is RS256.
	key, err := s.keyfunc.KeyfuncCtx(ctx)(&jwt.Token{Header: map[string]any{"kid": keyID, "alg": "RS256"}})
	switch {
	case errors.Is(err, jwkset.ErrKeyNotFound):
		return nil, token.ErrKeyUnknown
	case err != nil:
		return nil, err
	}
	pub, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, token.ErrKeyUnknown
	}
	return pub, nil
}

package authorizer

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
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

	Client  *http.Client     // nil: one of its own; redirects are never followed
	Now     func() time.Time // nil: time.Now
	MaxAge  time.Duration    // how old keys may be before a use asks for them again; 0: 5 minutes
	Pause   time.Duration    // the least time between two fetches; 0: 10 seconds
	Timeout time.Duration    // for one fetch; 0: 900 ms, so that an answer takes less than a second; twice as long without any key
	Log     *slog.Logger     // nil: slog.Default()
}

// KeySource is the issuer's public keys, refreshed when they are used.
//
// Keys older than MaxAge are asked for again before they are used, also after
// Lambda has frozen the process for hours, so that a key which the issuer took back is refused soon
// after. An unknown key id asks too. Whatever the reason, there is one
// fetch at a time and one in Pause: who comes in between is answered at once from
// what is there. When a fetch fails, or brings no usable key, the keys that are
// there stay in use.
type KeySource struct {
	refresher
	keys atomic.Pointer[map[string]*rsa.PublicKey] // by id; never changed, only replaced
}

// NewKeySource returns a source that has the embedded keys. It fetches nothing.
func NewKeySource(c KeySourceConfig) (*KeySource, error) {
	if c.URL == "" && c.Embedded == nil {
		return nil, errors.New("key source: want the URL of a JWK Set, or an embedded one")
	}
	s := &KeySource{refresher: refresher{
		now: orNow(c.Now), log: orDefaultLog(c.Log), what: "key set", failed: metric.KeySetFailures,
		maxAge: cmp.Or(c.MaxAge, 5*time.Minute), pause: cmp.Or(c.Pause, 10*time.Second),
	}}
	s.keys.Store(&map[string]*rsa.PublicKey{})
	if c.Embedded != nil {
		if err := s.replace(c.Embedded); err != nil {
			return nil, fmt.Errorf("embedded key set: %w", err)
		}
		s.loadedAt = fetchedAt(c.Embedded, s.now())
	}
	if c.URL == "" {
		return s, nil
	}
	if err := checkURL(c.URL); err != nil {
		return nil, fmt.Errorf("key source: %w", err)
	}
	// Fetches are minutes apart: a kept connection would be a dead one.
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	f := fetcher{c.URL, onlyThere(c.Client, transport), cmp.Or(c.Timeout, 900*time.Millisecond), maxKeySet}
	s.slowFirst = true
	s.missing = func() bool { return len(*s.keys.Load()) == 0 }
	s.fetch = func(ctx context.Context) error {
		f := f
		if s.missing() {
			f = f.patient()
		}
		got, err := f.get(ctx, wanted{})
		if err != nil {
			return err
		}
		return s.replace(got.body)
	}
	return s, nil
}

// errNoKeys says that the source has never had a key. It is trouble of ours, not
// of the token.
var errNoKeys = errors.New("no verification keys: the issuer's key set cannot be had")

// Key returns the key with the id. It is a [token.KeyFunc].
func (s *KeySource) Key(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
	asked := false
	if !s.current() {
		asked = s.refresh(ctx)
	}
	pub := (*s.keys.Load())[keyID]
	if pub == nil && !asked && s.refresh(ctx) {
		pub = (*s.keys.Load())[keyID]
	}
	switch {
	case pub != nil:
		return pub, nil
	case len(*s.keys.Load()) == 0:
		return nil, errNoKeys
	}
	return nil, token.ErrKeyUnknown
}

// replace puts the usable keys of the JWK Set into the place of all there are,
// so that a key the issuer took back is gone. Without a usable key it changes
// nothing.
func (s *KeySource) replace(set []byte) error {
	usable, err := usableKeys(set)
	if err != nil {
		return err
	}
	for keyID, before := range *s.keys.Load() {
		if pub := usable[keyID]; pub != nil && pub.Equal(before) {
			usable[keyID] = before // so that who has it sees at once that it is the same
		}
	}
	s.keys.Store(&usable)
	return nil
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

func orDefaultLog(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.Default()
	}
	return log
}

// Package demoidp is an OpenID provider for one machine: people sign in at it by
// clicking on a card. It speaks the protocol as a real one does, so that what
// works against it works elsewhere, and it is deliberately unkind, so that a
// client which cuts a corner finds out at home: its key is new at each start and
// changes again while it runs, the audience of its ID tokens is now a string and
// now a list, and codes work once and for a minute.
//
// It asks for no password. Therefore it serves and listens on loopback
// addresses alone, and nothing that is deployed may import it.
package demoidp

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// Config says who the provider is and who its only client is.
type Config struct {
	Issuer       string // http://127.0.0.1:8788; its host must be a loopback address
	ClientID     string
	ClientSecret string
	RedirectURIs []string // compared by the byte

	// SignaturesPerKey is how many ID tokens a key signs before the next one
	// takes its place; 0: 5; less than 0: keys change only by [Provider.Rotate].
	SignaturesPerKey int
	// FirstKey signs until the first change of keys; nil: a new key. A test
	// that starts many providers saves time with it.
	FirstKey *rsa.PrivateKey
	// SlowFor is how long "slow" takes; 0: 8 s, longer than any client waits.
	SlowFor time.Duration
	Now     func() time.Time // nil: time.Now
}

// Provider is a demo provider. It is an http.Handler and safe for concurrent use.
type Provider struct {
	config  Config
	handler http.Handler
	page    page

	mu         sync.Mutex
	behaviour  Behaviour
	grants     map[string]grant // by code
	tokens     map[string]grant // by access token
	ring       keyRing
	issued     int  // ID tokens, ever
	nextAsList bool // the audience of the next ID token is a list
}

// New returns a provider with no state but a new key.
func New(c Config) (*Provider, error) {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Scheme != "http" || u.Path != "" || !loopback.URL(u) {
		return nil, fmt.Errorf("demo provider: issuer %q: want http, a port, and %s: it asks for no password, so it stays on this machine", c.Issuer, loopback.Rule)
	}
	if c.ClientID == "" || c.ClientSecret == "" || len(c.RedirectURIs) == 0 {
		return nil, errors.New("demo provider: client id, client secret and a redirect URI must be set")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.SignaturesPerKey == 0 {
		c.SignaturesPerKey = 5
	}
	if c.SlowFor == 0 {
		c.SlowFor = 8 * time.Second
	}
	p := &Provider{config: c, grants: map[string]grant{}, tokens: map[string]grant{}}
	if p.page, err = newPage(); err != nil {
		return nil, err
	}
	p.ring.current = c.FirstKey
	if c.FirstKey == nil {
		if err := p.Rotate(); err != nil {
			return nil, err
		}
	}
	p.handler = http.NewCrossOriginProtection().Handler(p.routes())
	return p, nil
}

func (p *Provider) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.handleDiscovery)
	mux.HandleFunc("GET /keys", p.handleKeys)
	mux.HandleFunc("GET /authorize", p.handleAuthorize)
	mux.HandleFunc("POST /authorize", p.handleChoice)
	mux.HandleFunc("POST /token", p.handleToken)
	mux.HandleFunc("/userinfo", p.handleUserInfo)
	mux.HandleFunc("GET /{$}", p.handleHome)
	return mux
}

// ServeHTTP answers as an OpenID provider, or as [Behaviour] says.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if instead := p.behave().Instead[r.URL.Path]; instead != nil {
		instead(w, r)
		return
	}
	p.handler.ServeHTTP(w, r)
}

// Listen listens on addr, which must be a loopback address with a port.
func Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("demo provider: address %q: want one such as 127.0.0.1:8788", addr)
	}
	if !loopback.Host(host) {
		return nil, fmt.Errorf("demo provider: address %q: it asks for no password, so it listens only on %s", addr, loopback.Rule)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("demo provider: %w", err)
	}
	// A name may resolve to anything: what counts is where we ended up.
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("demo provider: address %q leads to %s, which is not a loopback address", addr, l.Addr())
	}
	return l, nil
}

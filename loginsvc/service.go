// Package loginsvc signs people in. Towards the team's apps it is an OAuth 2.1
// authorization server and OpenID provider; towards Google and the like it is a
// client. Its design, as far as safety goes:
//
//   - Where we are is configuration. Issuer, callback addresses and the scope of
//     cookies come from [Config.Issuer]; no header of a request changes them.
//   - Where a browser may be sent is configuration too: redirect URIs are
//     compared byte for byte, and until client and redirect URI are proved, an
//     error is a page and never a redirect. return_to is a path of our own.
//   - The server has no symmetric secret. Codes and sessions are 256 random bits;
//     the table has their SHA-256, so that its reader can use nothing.
//   - A code is bound to its client, its redirect URI and a PKCE challenge
//     (S256, for every client that has no exception), lives at most a minute, is redeemed by one
//     conditional write, and is burnt by five wrong verifiers.
//   - A refresh token is used once. Repeated within the grace, a minute by default,
//     it gives the same successor, because responses get lost; if its successor was
//     used already, it gives nothing. After the grace, and with any older token, its
//     family ends, because somebody else has it. Each renewal checks in its write
//     that session and user are still what they were.
//   - A sign-in at a provider is stored nowhere. It travels sealed in state, under
//     a key that derives from a secret in a cookie of the browser (HttpOnly, over
//     https Secure, __Host- and SameSite=None), as do the nonce and the PKCE
//     verifier: neither the state nor a dump of the table nor another browser
//     finishes it, and it finishes once, within ten minutes.
//   - An anonymous request writes nothing, except a device code or a count of
//     failures, each bounded by source.
//   - The session cookie is made at sign-in and at no other time. Forms on our
//     pages are accepted from our pages alone (http.CrossOriginProtection); the
//     endpoints that programs post to read no cookie.
//   - A page for a signed-in person reads their session and rights again. A way to sign
//     in is added to an account by a form of that page alone, in the browser and
//     the session that asked for it; it signs nobody in.
//   - Nothing is issued that has not been verified after signing, and nothing
//     that is issued appears in a URL but the code. Every answer but the public
//     documents is no-store. No answer repeats what was sent to us, but the
//     state.
//   - Expiry is judged here, on each read. The table's own deletion of what is
//     old only saves room.
//
// Internal to Gatehouse: it may change with any release.
package loginsvc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/lifetime"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Config is what a [Service] is made of.
type Config struct {
	// Issuer is who issues our tokens and where the service is: an https URL
	// without a slash at its end, or http on localhost or a loopback address. It
	// may have a path; requests are answered with and without it, because a
	// gateway strips the name of its stage.
	Issuer string
	// Audience is the API that access tokens are for.
	Audience string

	Providers []*upstream.Provider // where people sign in, in the order to show
	// Clients returns the client with an id, or [client.ErrUnknown].
	Clients func(ctx context.Context, id string) (client.Client, error)
	// Self is the most that clients may have that register themselves (RFC 7591); nil:
	// none may.
	Self *client.Client
	// Documents tells that Clients also finds clients by their metadata documents.
	Documents bool
	// Resources are the APIs that describe themselves to clients (RFC 9728).
	Resources []Resource
	// Origins tells whether scripts of an origin may read answers of /token and
	// /userinfo, because a public client registered it. Nil: no origin may.
	Origins func(ctx context.Context, origin string) (bool, error)
	Users   *usersvc.Users
	Table   table.Table
	// Keys returns the keys in use now.
	Keys func(context.Context) (keys.Set, error)
	// Published returns the keys to publish, where that is worth asking again.
	// Nil: Keys.
	Published func(context.Context) (keys.Set, error)
	// Ring returns the keys for the eyes of admins. Nil: they are not shown.
	Ring  func(context.Context) (keyring.View, error)
	Pages *pages.Pages

	// LegacyLogin serves /users/login, whose response is an access token for the
	// API, without the role admin.
	LegacyLogin bool
	// Proxy names the reverse proxy in front of the service; the zero value: none.
	Proxy httpx.Proxy

	// RoleScopes are the scopes that each role may use: a token gets a scope
	// that stands here only if its user has such a role. Scopes that do not
	// stand here need no role.
	RoleScopes map[string][]string

	AccessTTL time.Duration // life of access and ID tokens; 0: lifetime.AccessToken
	CodeTTL   time.Duration // 0: lifetime.Code, which is also the maximum
	FlowTTL   time.Duration // time to sign in at a provider; 0: 10 minutes

	// A refresh token lives no longer than its session; RefreshTTL after the
	// sign-in at the app, however often it is renewed (0: lifetime.RefreshToken); and
	// RefreshIdleTTL after it was renewed last (0: lifetime.RefreshIdle).
	RefreshTTL, RefreshIdleTTL time.Duration
	// RefreshGrace is how long a renewal can be repeated, with the same successor:
	// for clients that lost the response. 0: lifetime.RefreshGrace; less than 0: not
	// at all. A client can have an exception; see [client.Client.Grace].
	RefreshGrace time.Duration

	Log *slog.Logger     // one line a request; nil: slog.Default()
	Now func() time.Time // nil: time.Now
	// Sleep waits for a moment of at most two seconds, or until ctx ends. Nil:
	// it waits by the system's clock.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Service is the login service, an http.Handler.
type Service struct {
	Config
	handler http.Handler

	origin   string // scheme and host of the issuer
	basePath string // path of the issuer, "" if it has none
	secure   bool   // the issuer is https

	accessTTL, codeTTL, flowTTL time.Duration

	refreshTTL, refreshIdleTTL, refreshGrace time.Duration

	crossOrigin *http.CrossOriginProtection
	discovery   *document
	keySet      atomic.Pointer[keySet]
	feed        feed
	grants      grant.Store
}

// New returns the service of a configuration. It does no I/O.
func New(c Config) (*Service, error) {
	issuer, err := parseIssuer(c.Issuer)
	if err != nil {
		return nil, err
	}
	s := &Service{
		Config: c, origin: issuer.Scheme + "://" + issuer.Host, basePath: issuer.Path, secure: issuer.Scheme == "https",
		accessTTL: cmp.Or(c.AccessTTL, lifetime.AccessToken), codeTTL: cmp.Or(c.CodeTTL, lifetime.Code), flowTTL: cmp.Or(c.FlowTTL, 10*time.Minute),
		refreshTTL: cmp.Or(c.RefreshTTL, lifetime.RefreshToken), refreshIdleTTL: cmp.Or(c.RefreshIdleTTL, lifetime.RefreshIdle),
		refreshGrace: cmp.Or(c.RefreshGrace, lifetime.RefreshGrace),
		crossOrigin:  http.NewCrossOriginProtection(),
		grants:       grant.Store{Table: c.Table, Users: c.Users},
	}
	switch {
	case c.Audience == "":
		return nil, errors.New("audience is missing: name the API that access tokens are for")
	case c.Audience == c.Issuer:
		return nil, errors.New("audience is the issuer: a token for the API would be one for the login service")
	case s.codeTTL > lifetime.Code:
		return nil, fmt.Errorf("codes would live %v: the greatest is 60 s", s.codeTTL)
	case c.Clients == nil || c.Users == nil || c.Table == nil || c.Keys == nil || c.Pages == nil:
		return nil, errors.New("clients, users, table, keys and pages are required")
	}
	if err := s.crossOrigin.AddTrustedOrigin(s.origin); err != nil {
		return nil, fmt.Errorf("trusting our own origin: %w", err)
	}
	described, err := json.Marshal(s.metadata())
	if err != nil {
		return nil, fmt.Errorf("describing the service: %w", err)
	}
	s.discovery = newDocument("application/json", publicCaching, described)
	s.feed.Users = c.Users
	s.handler = c.Proxy.Handler(httpx.Log(s.logger(), s.underIssuer(s.secured(s.routes()))))
	return s, nil
}

// ServeHTTP answers a request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	pages := map[string]httpx.Methods{} // by path
	page := func(pattern string, h httpx.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		if pages[path] == nil {
			pages[path] = httpx.Methods{}
		}
		pages[path][method] = s.handle(h, s.writeFailure)
	}
	page("GET /authorize", s.handleAuthorize)
	page("POST /authorize", s.handleAuthorize)
	page("GET /login", s.handleLogin)
	page("POST /consent", s.handleConsent)
	page("GET /device", s.handleDevice)
	page("POST /device", s.handleDeviceAnswer)
	page("GET /callback/{provider}", s.handleCallback)
	page("HEAD /callback/{provider}", doNothing)
	page("POST /callback/{provider}", s.handleCallback)
	page("GET /logout", s.handleLogout)
	page("HEAD /logout", doNothing)
	page("POST /logout", s.handleLogout)
	page("GET /users/login", s.handleSeedLogin)
	s.accountRoutes(page)
	s.adminRoutes(page)
	for path, methods := range pages {
		mux.Handle(path, methods.Handler(s.writeFailure))
	}

	cors := httpx.CORS{Allowed: s.Origins}
	program := func(path string, h httpx.HandlerFunc, names ...string) {
		methods := httpx.Methods{}
		for _, name := range names {
			methods[name] = s.handle(h, httpx.OAuth)
		}
		mux.Handle(path, cors.Methods(methods, httpx.OAuth))
	}
	program("/token", s.handleToken, http.MethodPost)
	program("/register", s.handleRegister, http.MethodPost)
	program("/device_authorization", s.handleDeviceAuthorization, http.MethodPost)
	program("/revoke", s.handleRevoke, http.MethodPost)
	program("/userinfo", s.handleUserInfo, http.MethodGet, http.MethodPost)
	introspect := httpx.Methods{http.MethodPost: s.handle(s.handleIntrospect, httpx.OAuth)} // no script has a client's secret
	mux.Handle("/introspect", introspect.Handler(httpx.OAuth))

	public := func(path string, h httpx.HandlerFunc) {
		methods := httpx.Methods{http.MethodGet: s.handle(h, httpx.Problem), http.MethodOptions: http.HandlerFunc(httpx.PublicPreflight)}
		mux.Handle(path, methods.Handler(httpx.Problem))
	}
	public("/.well-known/jwks.json", s.handleJWKS)
	public("/.well-known/openid-configuration", s.handleDiscovery)
	public("/.well-known/oauth-authorization-server", s.handleDiscovery)
	public("/revocations", s.handleRevocations)
	public("/.well-known/oauth-protected-resource/{path...}", s.handleResource)
	public("/.well-known/oauth-protected-resource", s.handleResource)
	if s.basePath != "" { // RFC 8414, Section 3.1
		public("/.well-known/oauth-authorization-server"+s.basePath, s.handleDiscovery)
	}
	return httpx.CanonicalPath(mux, s.writeFailure)
}

// doNothing serves HEAD where GET ends something: programs send it to look at a
// link.
func doNothing(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return nil
}

// underIssuer takes the issuer's path off a request, if it is still there.
func (s *Service) underIssuer(next http.Handler) http.Handler {
	if s.basePath == "" {
		return next
	}
	stripped := http.StripPrefix(s.basePath, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, s.basePath+"/") {
			stripped.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// secured writes what every answer carries unless its handler knows better. The
// values are shared by all answers, and changed by none.
func (s *Service) secured(next http.Handler) http.Handler {
	always := http.Header{
		"Cache-Control":           {"no-store"},
		"Referrer-Policy":         {"no-referrer"},
		"X-Content-Type-Options":  {"nosniff"},
		"X-Frame-Options":         {"DENY"},
		"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
	}
	if s.secure {
		always.Set("Strict-Transport-Security", "max-age=31536000")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), always)
		next.ServeHTTP(w, r)
	})
}

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Service) sleep(ctx context.Context, d time.Duration) error {
	if s.Sleep != nil {
		return s.Sleep(ctx, d)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) logger() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.Default()
}

// provider returns the provider with the id.
func (s *Service) provider(id string) (*upstream.Provider, bool) {
	for _, p := range s.Providers {
		if p.ID() == id {
			return p, true
		}
	}
	return nil, false
}

func (s *Service) providerName(id string) string {
	if p, ok := s.provider(id); ok {
		return p.Name()
	}
	return ""
}

// session returns the live session of the browser, or [usersvc.ErrNoSession].
func (s *Service) session(ctx context.Context, r *http.Request) (usersvc.Session, usersvc.User, error) {
	cookie := s.cookie(r, sessionCookie)
	if cookie == "" {
		return usersvc.Session{}, usersvc.User{}, usersvc.ErrNoSession
	}
	return s.Users.Session(ctx, cookie)
}

// Package signin signs a person of the demo provider in at a running `gatehouse
// dev`, as a browser and an app would together: authorization code, PKCE, and
// every check that an app owes its users. It serves scripts and tests.
package signin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// redirectURI is registered for the demo clients. Nothing listens there: the
// last redirect is read, not followed.
const redirectURI = "http://127.0.0.1/callback"

// Request says who signs in, where, and to which client.
type Request struct {
	URL          string // of Gatehouse: http://localhost:8787
	User         string // at the demo provider: ada, lin or sam, or what it has else
	ClientID     string
	ClientSecret string // "" for a public client
	RedirectURI  string // one of the client's; "" is http://127.0.0.1/callback, which demo clients have
	Scope        string // space-separated; "" is "openid profile email admin"

	Transport http.RoundTripper // nil: http.DefaultTransport
}

// Tokens is a successful answer of the token endpoint (RFC 6749, Section 5.1).
type Tokens struct {
	AccessToken  string          `json:"access_token"`
	IDToken      string          `json:"id_token"`
	RefreshToken string          `json:"refresh_token"`
	ExpiresIn    int             `json:"expires_in"` // seconds
	Raw          json.RawMessage `json:"-"`          // the whole answer as it came
}

var (
	// ErrNotRunning says that nothing answers at the address.
	ErrNotRunning = errors.New("nothing answers")
	// ErrRefused says that the sign-in was refused, in words for people.
	ErrRefused = errors.New("sign-in refused")
)

// Grant is a sign-in that has come back to the app with a code.
type Grant struct {
	Code        string
	Verifier    string // PKCE
	RedirectURI string

	browser *browser
	server  metadata
	request Request
}

// Do signs in and redeems the code.
func Do(ctx context.Context, r Request) (*Tokens, error) {
	g, err := Code(ctx, r)
	if err != nil {
		return nil, err
	}
	return g.redeem(ctx)
}

// Code signs in and leaves the code to the caller.
func Code(ctx context.Context, r Request) (*Grant, error) {
	if r.Scope == "" {
		r.Scope = "openid profile email admin"
	}
	r.RedirectURI = cmp.Or(r.RedirectURI, redirectURI)
	b, err := newBrowser(r.Transport)
	if err != nil {
		return nil, err
	}
	server, err := b.discover(ctx, r.URL)
	if err != nil {
		return nil, err
	}
	state, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	query := url.Values{
		"response_type": {"code"}, "client_id": {r.ClientID}, "redirect_uri": {r.RedirectURI}, "scope": {r.Scope}, "state": {state},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}
	answer, err := b.authorize(ctx, server, query, r.User)
	if err != nil {
		return nil, err
	}
	switch {
	case answer.Get("state") != state:
		return nil, errors.New("the answer has another state: it belongs to another sign-in")
	case answer.Get("iss") != server.Issuer: // RFC 9207, Section 2.4
		return nil, errors.New("the answer comes from another issuer")
	case answer.Get("error") != "":
		return nil, fmt.Errorf("%w: %s: %s", ErrRefused, answer.Get("error"), answer.Get("error_description"))
	}
	return &Grant{answer.Get("code"), verifier, r.RedirectURI, b, server, r}, nil
}

// metadata is what of RFC 8414, Section 2 is needed here.
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
}

// browser keeps cookies and leaves redirects to us.
type browser struct{ client *http.Client }

func newBrowser(transport http.RoundTripper) (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{&http.Client{
		Jar:           jar,
		Transport:     transport,
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, err
}

// Issuer returns the issuer that is at the address, or [ErrNotRunning].
func Issuer(ctx context.Context, address string) (string, error) {
	b, err := newBrowser(nil)
	if err != nil {
		return "", err
	}
	m, err := b.discover(ctx, address)
	return m.Issuer, err
}

func (b *browser) discover(ctx context.Context, address string) (metadata, error) {
	var m metadata
	base := strings.TrimSuffix(address, "/")
	p, err := b.get(ctx, base+"/.well-known/oauth-authorization-server")
	if err != nil {
		return m, fmt.Errorf("%w at %s", ErrNotRunning, base)
	}
	if p.status != http.StatusOK || json.Unmarshal(p.body, &m) != nil {
		return m, fmt.Errorf("what answers at %s is not Gatehouse", base)
	}
	if m.Issuer != base { // RFC 8414, Section 3.3
		return m, fmt.Errorf("the issuer is %s: use --url %s", m.Issuer, m.Issuer)
	}
	return m, nil
}

// redeem exchanges the code for tokens (RFC 6749, Section 4.1.3).
func (g *Grant) redeem(ctx context.Context) (*Tokens, error) {
	r := g.request
	form := url.Values{"grant_type": {"authorization_code"}, "code": {g.Code}, "redirect_uri": {g.RedirectURI}, "code_verifier": {g.Verifier}}
	if r.ClientSecret == "" {
		form.Set("client_id", r.ClientID)
	}
	p, err := g.browser.post(ctx, g.server.Token, form, func(req *http.Request) {
		if r.ClientSecret != "" { // RFC 6749, Section 2.3.1: both are encoded first
			req.SetBasicAuth(url.QueryEscape(r.ClientID), url.QueryEscape(r.ClientSecret))
		}
	})
	if err != nil {
		return nil, err
	}
	if p.status != http.StatusOK {
		return nil, fmt.Errorf("%w: the token endpoint answers %d %s", ErrRefused, p.status, strings.TrimSpace(string(p.body)))
	}
	t := &Tokens{Raw: p.body}
	if err := json.Unmarshal(p.body, t); err != nil {
		return nil, fmt.Errorf("reading the token endpoint's answer: %w", err)
	}
	return t, nil
}

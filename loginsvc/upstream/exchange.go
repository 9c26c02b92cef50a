package upstream

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Response is what the provider sent back through the browser.
type Response struct {
	Code   string
	Issuer string // the parameter iss (RFC 9207); "": there was none
}

// Identity is a person as the provider vouches for them.
type Identity struct {
	Issuer, Subject string // together they name the person, for ever
	Provider        string // the provider's ID

	Email         string // in canonical form; "": none, or none that can be compared
	EmailVerified bool   // the provider said exactly true
	Name, Picture string // for people
	HostedDomain  string // the hd claim
	AuthTime      time.Time
}

// Exchange redeems the code of a sign-in that was started with nonce and
// verifier, and returns whom the provider vouches for. Its errors are
// [ErrRefused], [ErrNotAllowed] or [ErrUnavailable].
func (p *Provider) Exchange(ctx context.Context, r Response, nonce, verifier string) (Identity, error) {
	if r.Code == "" || nonce == "" || verifier == "" {
		return Identity{}, refused("code, nonce or verifier is missing")
	}
	if err := p.CheckIssuer(r.Issuer); err != nil {
		return Identity{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	d, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	if d.sendsIssuer && r.Issuer == "" { // RFC 9207, Section 2.4
		return Identity{}, refused("parameter iss is missing")
	}
	ctx = oidc.ClientContext(ctx, p.http)
	tokens, err := p.oauth(d).Exchange(ctx, r.Code, oauth2.VerifierOption(verifier))
	if err != nil {
		return Identity{}, exchangeError(err)
	}
	c, err := p.verify(ctx, d, tokens, nonce)
	if err != nil {
		return Identity{}, err
	}
	if !c.has("email") && d.provider.UserInfoEndpoint() != "" && slices.Contains(p.config.Scopes, oidc.ScopeEmail) {
		if err := p.addUserInfo(ctx, d, tokens, c); err != nil {
			return Identity{}, err
		}
	}
	return p.identity(c)
}

// CheckIssuer refuses an answer whose parameter iss names another provider than
// this one (RFC 9207, Section 2.4). Answers that are errors need it as well.
func (p *Provider) CheckIssuer(issuer string) error {
	if issuer != "" && issuer != p.config.Issuer {
		return refused("parameter iss names another provider")
	}
	return nil
}

// profileClaims are taken from userinfo where the ID token lacks them.
var profileClaims = [...]string{"email", "email_verified", "name", "picture"}

// addUserInfo adds to c what the provider tells at its userinfo endpoint.
func (p *Provider) addUserInfo(ctx context.Context, d *discovery, tokens *oauth2.Token, c claims) error {
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return unavailable("reading userinfo", err)
	}
	var raw rawJSON
	if err := info.Claims(&raw); err != nil {
		return unavailable("reading userinfo", err)
	}
	more, err := parseClaims(raw)
	if err != nil {
		return refused("userinfo: %v", err)
	}
	// "The sub Claim in the UserInfo Response MUST be verified to exactly match
	// the sub Claim in the ID Token; if they do not match, the UserInfo Response
	// values MUST NOT be used." OpenID Connect Core, Section 5.3.2
	if more.text("sub") != c.text("sub") {
		return refused("userinfo is of another subject")
	}
	for _, name := range profileClaims {
		if !c.has(name) && more.has(name) {
			c[name] = more[name]
		}
	}
	return nil
}

// identity reads what the verified claims say of the person.
func (p *Provider) identity(c claims) (Identity, error) {
	id := Identity{
		Issuer:       p.config.Issuer,
		Subject:      c.text("sub"),
		Provider:     p.config.ID,
		Name:         c.text("name"),
		Picture:      c.text("picture"),
		HostedDomain: c.text("hd"),
		AuthTime:     p.authTime(c),
	}
	address, comparable := c.address()
	if want := p.config.HostedDomain; want != "" {
		if id.HostedDomain != want {
			return Identity{}, fmt.Errorf("%w: claim hd is another or missing", ErrNotAllowed)
		}
		if c.has("email") && !comparable {
			return Identity{}, fmt.Errorf("%w: claim email is not an address that can be compared", ErrNotAllowed)
		}
	}
	if comparable {
		id.Email, id.EmailVerified = address, c.isTrue("email_verified")
	}
	return id, nil
}

// authTime is when the provider last authenticated the person: its auth_time, or
// now, the moment it sent them back. It is never later than now.
func (p *Provider) authTime(c claims) time.Time {
	now := p.config.Now()
	if at, ok := c.instant("auth_time"); ok && at.Before(now) {
		return at
	}
	return now
}

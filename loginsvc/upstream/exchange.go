package upstream

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
	"github.com/gatehouse-auth/gatehouse/usersvc/email"
)

// Response is what the provider sent back through the browser.
type Response struct {
	Code   string
	Issuer string // the parameter iss (RFC 9207); "": there was none
	User   string // Apple's form field user; "": there was none
}

// Identity is a person as the provider vouches for them.
type Identity struct {
	Issuer, Subject string // together they name the person, for ever
	Provider        string // the provider's ID

	Email         string // in canonical form; "": none, or none that can be compared
	EmailVerified bool   // see Config.EmailVerified
	// Ignored names a claim that the provider wrote in a form that does not count;
	// "": none.
	Ignored       string
	Name, Picture string // for people
	HostedDomain  string // the hd claim
	AuthTime      time.Time
	ACR           string   // the claim acr; "": none
	AMR           []string // the claim amr (RFC 8176); empty: none
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
	oauth := p.oauth(d)
	if p.config.Preset == "apple" {
		if oauth.ClientSecret, err = p.config.Apple.secret(p.config.ClientID, p.config.Issuer, p.config.Now()); err != nil {
			return Identity{}, refused("%v", err)
		}
	}
	tokens, err := oauth.Exchange(ctx, r.Code, oauth2.VerifierOption(verifier))
	if err != nil {
		return Identity{}, exchangeError(err)
	}
	if p.config.preset.OAuth2 {
		c, err := p.readPerson(ctx, tokens)
		if err != nil {
			return Identity{}, err
		}
		return p.identity(c, r)
	}
	c, err := p.verify(ctx, d, tokens, nonce)
	if err != nil {
		return Identity{}, err
	}
	if p.lacks(c) && d.provider.UserInfoEndpoint() != "" {
		// A name or a picture is worth asking for, and not worth a failed sign-in.
		if err := p.addUserInfo(ctx, d, tokens, c); err != nil && p.lacksEmail(c) {
			return Identity{}, err
		}
	}
	return p.identity(c, r)
}

// lacks tells whether something is missing that a client can see and that was
// asked for. An empty claim is a missing one.
func (p *Provider) lacks(c claims) bool {
	missing := func(ours string) bool { return c.text(p.config.claim(ours)) == "" }
	return p.lacksEmail(c) || slices.Contains(p.config.Scopes, oidc.ScopeProfile) && (missing(preset.ClaimName) && c.composedName() == "" || missing(preset.ClaimPicture))
}

func (p *Provider) lacksEmail(c claims) bool {
	return slices.Contains(p.config.Scopes, oidc.ScopeEmail) && c.text(p.config.claim(preset.ClaimEmail)) == ""
}

// CheckIssuer refuses an answer whose parameter iss names another provider than
// this one (RFC 9207, Section 2.4). Answers that are errors need it as well.
func (p *Provider) CheckIssuer(issuer string) error {
	if issuer != "" && issuer != p.config.Issuer && !p.config.several() { // for several tenants the ID token decides
		return refused("parameter iss names another provider")
	}
	return nil
}

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
	// An address goes with its own email_verified, unless the ID token denies it.
	address, verified := p.config.claim(preset.ClaimEmail), p.config.claim(preset.ClaimEmailVerified)
	if c.text(address) == "" {
		c.take(more, address)
		if !c.has(verified) || c.isTrue(verified) {
			c.take(more, verified)
		}
	}
	for _, ours := range []string{preset.ClaimName, preset.ClaimPicture, "given_name", "family_name", "preferred_username"} {
		if name := p.config.claim(ours); c.text(name) == "" {
			c.take(more, name)
		}
	}
	return nil
}

// identity reads what the verified claims say of the person.
func (p *Provider) identity(c claims, r Response) (Identity, error) {
	issuer := p.config.Issuer
	if !p.config.preset.OAuth2 {
		var err error
		if issuer, err = p.issuerOf(c); err != nil {
			return Identity{}, err
		}
	}
	if err := p.allows(c); err != nil {
		return Identity{}, err
	}
	subject, _ := c.plain(p.config.claim(preset.ClaimSubject))
	id := Identity{
		Issuer:       issuer,
		Subject:      subject,
		Provider:     p.config.ID,
		Name:         cmp.Or(c.text(p.config.claim(preset.ClaimName)), c.composedName(), c.text(p.config.claim("preferred_username"))),
		Picture:      c.text(p.config.claim(preset.ClaimPicture)),
		HostedDomain: c.text("hd"),
		AuthTime:     p.authTime(c),
	}
	if p.config.Preset == "apple" && id.Name == "" {
		id.Name = nameOf(r.User)
	}
	address, comparable := email.Canonical(c.text(p.config.claim(preset.ClaimEmail)))
	if want := p.config.HostedDomain; want != "" {
		if id.HostedDomain != want {
			return Identity{}, fmt.Errorf("%w: claim hd is another or missing", ErrNotAllowed)
		}
		if c.has(p.config.claim(preset.ClaimEmail)) && !comparable {
			return Identity{}, fmt.Errorf("%w: claim email is not an address that can be compared", ErrNotAllowed)
		}
	}
	if comparable {
		id.Email = address
		id.EmailVerified, id.Ignored = p.verified(c)
	}
	var ok bool
	if id.ACR, id.AMR, ok = c.authContext(); !ok {
		id.Ignored = cmp.Or(id.Ignored, "acr or amr")
	}
	return id, nil
}

// verified tells whether the provider has verified the address, and which claim
// was ignored because of its form.
func (p *Provider) verified(c claims) (verified bool, ignored string) {
	name := p.config.claim(preset.ClaimEmailVerified)
	switch p.config.EmailVerified {
	case preset.VerifiedAlways:
		return true, ""
	case preset.VerifiedNever:
		return false, ""
	}
	text, isPlain := c.plain(name)
	switch {
	case c.isTrue(name):
		return true, ""
	case !c.has(name), string(c[name]) == "false", text == "false" && p.config.preset.VerifiedText:
		return false, ""
	case p.config.preset.VerifiedText && isPlain && (text == "true" || text == "1"):
		return true, ""
	}
	return false, name
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

// Package upstream signs people in at another OpenID provider: Google, a
// company's own, or the demo provider. Gatehouse is that provider's client.
//
// What protects a sign-in here: the provider's answers are read only from the
// addresses its own discovery document names, over https; the code is bound to
// this sign-in by PKCE and sent only to the provider that the sign-in was
// started with (RFC 9700, Section 4.4); the ID token is verified with the
// provider's keys, and its nonce must be the one that was sent. No answer may
// be longer than 1 MiB, none is followed elsewhere, and a whole exchange ends
// within five seconds. What a provider says in its errors reaches no client.
//
// Internal to Gatehouse: it may change with any release.
package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
)

// Config says who a provider is and who Gatehouse is to it.
type Config struct {
	ID     string // in addresses: /callback/{id}
	Name   string // for people; "": the preset's, or the ID
	Preset string // a name in [Presets]; "": oidc
	// Issuer is compared by the byte; https, or http on this machine. "": the
	// preset's. Of a provider without ID tokens it names the identities.
	Issuer string
	Tenant string // of the preset microsoft: a preset.GUID, organizations, common or consumers

	ClientID     string
	ClientSecret client.Secret // "": a public client, with PKCE alone
	Scopes       []string      // empty: openid profile email; openid is always asked for
	CallbackURL  string        // where the provider sends people back

	// HostedDomain lets in only accounts whose hd claim is this domain, by the
	// byte; "": no such rule.
	HostedDomain string
	// TrustEmail says that an e-mail which this provider calls verified may be
	// linked to a user who signed in elsewhere.
	TrustEmail bool

	// MaxState is the longest state that the provider gives back, in bytes; 0: no
	// limit of its own.
	MaxState int

	// Claims are the provider's names of [preset.Renamable] claims that differ from ours.
	Claims map[string]string
	// EmailVerified is [preset.VerifiedByClaim], [preset.VerifiedAlways] or [preset.VerifiedNever]; "": the
	// first.
	EmailVerified string
	// Require lets in only people whose claims equal these texts.
	Require map[string]string

	Prompt       string            // sent unless a request has one; "": none
	Parameters   map[string]string // sent with each authorization request
	ResponseMode string            // "": the provider's own, query
	// NonceOff accepts an ID token without a nonce. PKCE binds the code to the
	// sign-in then, if the provider supports it.
	NonceOff   bool
	ClientAuth string // [ClientAuthBasic] or [ClientAuthPost]; "": as the provider says
	Apple      AppleKey

	// The endpoints of a provider without a discovery document.
	AuthURL, TokenURL, UserInfoURL string

	preset    preset.Preset
	emailsURL string

	HTTPClient *http.Client     // only its Transport is used; nil: http.DefaultTransport
	Timeout    time.Duration    // of a whole exchange; 0: 5 s
	Now        func() time.Time // nil: time.Now
}

// Provider is an OpenID provider. It is safe for concurrent use.
type Provider struct {
	config Config
	http   *http.Client
	found  atomic.Pointer[discovery] // nil until the provider was reached
	turn   chan struct{}             // held by the one who asks for the discovery document
}

// New checks c. It does no I/O: the provider is asked for its discovery document
// when it is first used, and again after a failure.
func New(c Config) (*Provider, error) {
	var errs []error
	if err := c.apply(); err != nil {
		errs = append(errs, err)
	}
	if c.Preset == "apple" {
		if _, err := c.Apple.parse(); err != nil {
			errs = append(errs, err)
		}
	}
	for _, f := range []struct{ name, value string }{{"id", c.ID}, {"client_id", c.ClientID}, {"callback URL", c.CallbackURL}} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s: not set", f.name))
		}
	}
	if err := checkIssuer(c.Issuer); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("provider %q: %w", c.ID, errors.Join(errs...))
	}
	if len(c.Scopes) == 0 && !c.preset.OAuth2 {
		c.Scopes = []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}
	}
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) && !c.preset.OAuth2 {
		c.Scopes = append([]string{oidc.ScopeOpenID}, c.Scopes...)
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Provider{config: c, http: boundedClient(c.HTTPClient), turn: make(chan struct{}, 1)}, nil
}

// ID is what the provider is called in addresses.
func (p *Provider) ID() string { return p.config.ID }

// Name is what people call the provider.
func (p *Provider) Name() string { return p.config.Name }

// Issuer is the first half of every identity of the provider.
func (p *Provider) Issuer() string { return p.config.Issuer }

// TrustEmail tells whether the provider's word on an e-mail may link users.
func (p *Provider) TrustEmail() bool { return p.config.TrustEmail }

// MaxState is the longest state that the provider gives back, in bytes.
func (p *Provider) MaxState() int {
	if p.config.MaxState == 0 {
		return math.MaxInt
	}
	return p.config.MaxState
}

// String and GoString keep the client's secret from printing.
func (p *Provider) String() string { return "provider " + strconv.Quote(p.config.ID) }

// GoString returns what String returns.
func (p *Provider) GoString() string { return p.String() }

// Request is what a sign-in asks of the provider. State, Nonce and Verifier are
// fresh for every sign-in, and never empty.
type Request struct {
	State    string
	Nonce    string
	Verifier string // PKCE; its S256 challenge is sent (RFC 7636, Section 4.2)

	Prompt    string // as in OpenID Connect Core, Section 3.1.2.1; "": not sent
	MaxAge    *int   // seconds; nil: not sent
	LoginHint string // "": not sent
	ACRValues string // "": those of Config.Parameters
	UILocales string // "": those of Config.Parameters
}

// AuthURL returns where to send a person's browser. The error is
// [ErrUnavailable] if the provider cannot be reached.
func (p *Provider) AuthURL(ctx context.Context, r Request) (string, error) {
	if r.State == "" || r.Nonce == "" || r.Verifier == "" {
		return "", errors.New("starting sign-in: state, nonce and verifier must be set")
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(r.Verifier)}
	set := func(name, value string) {
		if value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	if !p.config.preset.OAuth2 {
		set("nonce", r.Nonce)
	}
	for name, value := range p.config.Parameters {
		set(name, value)
	}
	set("response_mode", p.config.ResponseMode)
	set("prompt", cmp.Or(r.Prompt, p.config.Prompt))
	set("login_hint", r.LoginHint)
	set("acr_values", r.ACRValues)
	set("ui_locales", r.UILocales)
	set("hd", p.config.HostedDomain) // only a hint: the claim decides
	if r.MaxAge != nil {
		set("max_age", strconv.Itoa(*r.MaxAge))
	}
	return p.oauth(d).AuthCodeURL(r.State, options...), nil
}

func (p *Provider) oauth(d *discovery) *oauth2.Config {
	endpoint := d.endpoint
	switch p.config.ClientAuth {
	case preset.ClientAuthBasic:
		endpoint.AuthStyle = oauth2.AuthStyleInHeader
	case preset.ClientAuthPost:
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	default:
		endpoint.AuthStyle = d.style(p.config.ClientSecret)
	}
	return &oauth2.Config{
		ClientID:     p.config.ClientID,
		ClientSecret: string(p.config.ClientSecret),
		Endpoint:     endpoint,
		RedirectURL:  p.config.CallbackURL,
		Scopes:       p.config.Scopes,
	}
}

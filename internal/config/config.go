// Package config is gatehouse.yml, the one file a team edits: who may sign in,
// which apps, which roles and scopes there are, and who may call which route.
// All mistakes are reported together, each with its line and the fix.
package config

import (
	"fmt"
	"os"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/issuers"
	"github.com/gatehouse-auth/gatehouse/internal/lifetime"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
)

// Config is a gatehouse.yml that was found to be right.
type Config struct {
	// Issuer is the address of the login service, without a slash at its end.
	// GATEHOUSE_ISSUER takes precedence over the file.
	Issuer string
	// Audience is the name of the team's API in access tokens. Where neither
	// the file nor GATEHOUSE_AUDIENCE says it, it is the issuer's /api.
	Audience string
	Brand    Brand

	Providers    []Provider
	Roles        []Role
	DefaultRoles []string // of a user who signs in for the first time
	Scopes       []string // of the team's own API, beside those of OpenID Connect
	// Admins are the verified e-mails of those who get the role admin when
	// they sign in.
	Admins  []string
	Routes  []policy.Rule // of the team's own routes; see Rules
	Clients []client.Client
	// Issuers are others whose access tokens the team's API accepts.
	Issuers []issuers.Issuer

	// Resources are APIs that describe themselves to clients (RFC 9728).
	Resources []Resource
	// SelfRegistration lets clients in that nobody registered.
	SelfRegistration SelfRegistration

	Lifetimes Lifetimes
	// RefreshGrace is how long a client can repeat a renewal whose response it lost.
	RefreshGrace time.Duration
	Doctor       Doctor

	// LegacyLogin serves GET /users/login, whose response is an access token.
	LegacyLogin bool
	Proxy       Proxy

	// OwnRoutes are the rules for Gatehouse's own routes, as mistakes; see CheckOwn.
	OwnRoutes Mistakes
}

// Proxy is the reverse proxy in front of the service. The zero value is none.
type Proxy struct {
	AddressHeader string // holds the address of its client
	SecretHeader  string // holds the secret that proves the proxy
	Secret        client.Secret
	SecretEnv     string // the variable with the secret
}

// Doctor says what `gatehouse doctor` does for this team.
type Doctor struct {
	// Ignore are the codes of findings that the team accepts, each with the reason.
	Ignore map[string]string
}

// Callback is where a provider sends browsers back to: what is registered there
// as our redirect URI.
func (c *Config) Callback(provider string) string { return c.Issuer + "/callback/" + provider }

// Brand is how the pages look.
type Brand struct {
	Name                     string // of the team or its product
	Accent, Background, Text string // colours as #rgb or #rrggbb; "" keeps ours
}

// Provider is an OpenID provider at which people sign in.
type Provider struct {
	ID     string // in addresses: /callback/{id}
	Name   string // on the sign-in page
	Preset string // as the file says; see Kind
	Issuer string
	Tenant string // of the preset microsoft

	// The client id stands in the file or in the variable that ClientIDEnv
	// names; ClientID is "" if that variable is not set. The secret never
	// stands in the file.
	ClientID, ClientIDEnv string
	ClientSecret          client.Secret
	ClientSecretEnv       string

	Scopes []string // asked of the provider; empty: openid profile email
	// TrustEmail says that an e-mail this provider calls verified may be
	// linked to a user who signed in elsewhere.
	TrustEmail bool
	// HostedDomain lets in only the accounts of one Google Workspace domain.
	HostedDomain string

	// What differs at this provider; see upstream.Config.
	Claims        map[string]string
	EmailVerified string // claim, always or never; "": claim
	Require       map[string]string
	Prompt        string
	Parameters    map[string]string
	ResponseMode  string
	Nonce         string // "off" accepts an ID token without a nonce
	ClientAuth    string // basic or post; "": as the provider says
	Timeout       time.Duration

	// Of the preset oauth2, which has no discovery document.
	AuthorizationURL, TokenURL, UserinfoURL string
	// Of the preset apple, whose client secret is signed with a key.
	TeamID, KeyID, PrivateKeyEnv string
	PrivateKey                   client.Secret
}

// Kind is the name of the provider's preset: the one that the file says, or the id
// if that is one, or oidc.
func (p Provider) Kind() string {
	if p.Preset != "" {
		return p.Preset
	}
	if _, known := preset.All[p.ID]; known {
		return p.ID
	}
	return "oidc"
}

// Missing names the variables that must be set before the provider can be used.
func (p Provider) Missing() []string {
	var names []string
	if p.ClientID == "" {
		names = append(names, p.ClientIDEnv)
	}
	if p.ClientSecret == "" && p.ClientSecretEnv != "" {
		names = append(names, p.ClientSecretEnv)
	}
	if p.PrivateKey == "" && p.PrivateKeyEnv != "" {
		names = append(names, p.PrivateKeyEnv)
	}
	return names
}

// Role is a right that admins give to users. Scopes are those it lets a user
// grant to an app.
type Role struct {
	Name   string
	Scopes []string
}

// Lifetimes says how long each thing is valid. Package lifetime has the defaults.
type Lifetimes struct {
	AccessToken time.Duration // also of ID tokens
	Code        time.Duration // authorization codes
	Session     time.Duration // from the sign-in
	SessionIdle time.Duration // since the session was last used

	RefreshToken time.Duration // from the sign-in at a client
	RefreshIdle  time.Duration // since the last renewal
}

// Load reads the file at path, and from getenv the variables that it names. Its
// error lists every mistake as "file:line: what: the fix", one a line; it is a
// [Mistakes] unless the file could not be read.
func Load(path string, getenv func(string) string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, text, getenv)
}

// Parse is [Load] for a text at hand; name stands for the file in mistakes.
func Parse(name string, text []byte, getenv func(string) string) (*Config, error) {
	d := &document{file: name, lines: map[string]int{}}
	c := defaults()
	if root := d.parse(text); root != nil {
		c.read(root, getenv)
		c.check(d)
	}
	if len(d.mistakes) > 0 {
		return nil, d.all()
	}
	return c, nil
}

func defaults() *Config {
	return &Config{
		Brand:        Brand{Name: "Gatehouse"},
		Roles:        []Role{{Name: "user"}, {Name: AdminRole}},
		DefaultRoles: []string{"user"},
		Lifetimes: Lifetimes{
			AccessToken: lifetime.AccessToken, Code: lifetime.Code,
			Session: lifetime.Session, SessionIdle: lifetime.SessionIdle,
			RefreshToken: lifetime.RefreshToken, RefreshIdle: lifetime.RefreshIdle,
		},
		RefreshGrace: lifetime.RefreshGrace,
	}
}

// AdminRole is the role of those under admins.
const AdminRole = "admin"

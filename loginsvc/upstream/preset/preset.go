// Package preset is what is known about kinds of providers, as data: a table for
// the configuration and for package upstream, which does the work.
//
// Internal to Gatehouse: it may change with any release.
package preset

import (
	"regexp"
	"slices"
)

// Preset is what is known about a kind of provider. A configuration needs to say
// only what differs.
type Preset struct {
	Name   string // for people
	Issuer string // "": the configuration says it

	Scopes       []string
	ResponseMode string
	ClientAuth   string
	NonceOff     bool              // the ID token has no nonce; PKCE binds the code
	VerifiedText bool              // a verified e-mail can be written as "true" or "1"
	Claims       map[string]string // claims with other names: ours to theirs

	// OAuth2 says that there is no ID token: the person is read from an API.
	OAuth2 bool
}

// All are the kinds of providers by name. OIDC is every provider with a
// discovery document, and OAuth2 every one without an ID token.
var All = map[string]Preset{
	"oidc":   {},
	"oauth2": {OAuth2: true},

	"google": {Name: "Google", Issuer: "https://accounts.google.com"},
	"gitlab": {Name: "GitLab", Issuer: "https://gitlab.com"},
	// Entra has no email_verified. The optional claim xms_edov says that the owner
	// of the domain was verified, as true or "1".
	"microsoft": {Name: "Microsoft", Claims: map[string]string{ClaimEmailVerified: "xms_edov"}, VerifiedText: true},
	// With a scope for a name or an address, Apple wants form_post.
	"apple": {
		Name: "Apple", Issuer: "https://appleid.apple.com", Scopes: []string{"openid", "name", "email"},
		ResponseMode: "form_post", ClientAuth: ClientAuthPost, VerifiedText: true,
	},
	"github": {
		Name: "GitHub", Issuer: "https://github.com", Scopes: []string{"read:user", "user:email"}, ClientAuth: ClientAuthPost, OAuth2: true,
		Claims: map[string]string{ClaimSubject: "id", ClaimPicture: "avatar_url", "preferred_username": "login"},
	},
	"linkedin": {
		Name: "LinkedIn", Issuer: "https://www.linkedin.com/oauth", ClientAuth: ClientAuthPost, NonceOff: true, VerifiedText: true,
	},
	// Cognito's UserInfo writes email_verified as text.
	"cognito": {Name: "Cognito", VerifiedText: true},
}

// The claims that can have another name at a provider.
const (
	ClaimSubject       = "sub"
	ClaimName          = "name"
	ClaimEmail         = "email"
	ClaimEmailVerified = "email_verified"
	ClaimPicture       = "picture"
)

// Renamable lists the claims that a configuration can rename.
var Renamable = []string{ClaimSubject, ClaimName, ClaimEmail, ClaimEmailVerified, ClaimPicture}

// How a client authenticates at the token endpoint (OpenID Connect Core, Section 9).
const (
	ClientAuthBasic = "basic"
	ClientAuthPost  = "post"
)

// What makes an address verified.
const (
	VerifiedByClaim = "claim"  // the claim email_verified is true
	VerifiedAlways  = "always" // the provider verifies each one, and says so nowhere
	VerifiedNever   = "never"
)

// Microsoft is where all tenants are.
const Microsoft = "https://login.microsoftonline.com/"

// MicrosoftIssuer is the issuer of a tenant: its GUID, or organizations, common or
// consumers.
func MicrosoftIssuer(tenant string) string { return Microsoft + tenant + "/v2.0" }

// severalTenants are the issuers that stand for more than one tenant.
var severalTenants = []string{MicrosoftIssuer("organizations"), MicrosoftIssuer("common"), MicrosoftIssuer("consumers")}

// SeveralTenants tells whether an issuer stands for people of several tenants.
func SeveralTenants(issuer string) bool { return slices.Contains(severalTenants, issuer) }

// GUID is the form of a tenant's id.
var GUID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

package token

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// Profile is a table of exact checks that only access tokens of one kind of issuer
// pass. There is no profile for ID tokens, and no configuration adds a check to one
// or takes one away.
type Profile struct {
	Name string

	keys     string // the path of the JWK Set behind the issuer, from which cut is taken first
	cut      string
	issuer   func() *regexp.Regexp // matches the whole claim iss
	tenant   string                // the claim that must equal the first group of issuer; "": none
	types    []string              // values of typ; "" is a header without it
	equal    map[string]string     // claims with one value
	prefix   map[string]string     // claims that begin so
	present  []string              // claims that must be there
	absent   []string              // claims that only other kinds of token have
	grants   []string              // claims of which at least one must be there and not be empty
	audience string                // the claim that names the API
	client   []string              // the claims that can name the client; the first that is there does
	scopes   []string              // the claims that hold scopes: a list, or words in a string
	roles    string                // the claim that holds roles, unless the configuration names another
	fraction bool                  // dates can have a fraction of a second
	machine  func(claims) bool     // tells the token of a client that acts for itself
}

// idTokenClaims are in ID tokens alone (OpenID Connect Core 1.0, Sections 2, 3.1.3.6
// and 3.3.2.11).
var idTokenClaims = []string{"nonce", "at_hash", "c_hash", "s_hash"}

const guid = `([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`

// form compiles a pattern when it is first used: an authorizer that accepts no other
// issuer starts without it.
func form(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// profiles are all there are. What each issuer documents about its tokens is the
// source of each line.
var profiles = []Profile{
	{
		Name: "rfc9068", keys: "/.well-known/jwks.json",
		issuer: form(`^https://[^\s?#]+$`), types: []string{TypeAccess, "application/" + TypeAccess},
		present: []string{"jti", "client_id"}, audience: "aud", client: []string{"client_id"},
		scopes: []string{"scope"}, roles: "roles", fraction: true,
		machine: func(c claims) bool { return c.text("sub") == c.text("client_id") },
	},
	{
		// No aud by default: client_id says for which app client of the pool the
		// token is. It is signed with another key than the ID token.
		Name: "cognito", keys: "/.well-known/jwks.json",
		issuer: form(`^https://(?:issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.[a-z.]+/[a-z0-9-]+_[0-9A-Za-z]+$`), types: []string{""},
		equal: map[string]string{"token_use": "access"}, present: []string{"client_id", "jti"},
		absent: append([]string{"cognito:username"}, idTokenClaims...), audience: "client_id", client: []string{"client_id"},
		scopes: []string{"scope"}, roles: "cognito:groups",
		machine: func(c claims) bool { return !c.has("username") },
	},
	{
		// Its ID tokens have the same typ, a client id as aud, and no azp.
		Name: "auth0", keys: ".well-known/jwks.json",
		issuer: form(`^https://[a-z0-9.-]+/$`), types: []string{"JWT", TypeAccess},
		absent: idTokenClaims, audience: "aud", client: []string{"client_id", "azp"},
		scopes: []string{"scope", "permissions"}, fraction: true,
		machine: func(c claims) bool { return strings.HasSuffix(c.text("sub"), "@clients") },
	},
	{
		// An app-only token without a role is granted to every app of the tenant.
		Name: "entra-v1", keys: "discovery/keys",
		issuer: form(`^https://sts\.windows\.net/` + guid + `/$`), tenant: "tid", types: []string{"JWT"},
		equal: map[string]string{"ver": "1.0"}, absent: idTokenClaims, grants: []string{"scp", "roles"},
		audience: "aud", client: []string{"appid"}, scopes: []string{"scp"}, roles: "roles",
		machine: func(c claims) bool { return !c.has("scp") },
	},
	{
		Name: "entra-v2", cut: "v2.0", keys: "discovery/v2.0/keys",
		issuer: form(`^https://login\.microsoftonline\.com/` + guid + `/v2\.0$`), tenant: "tid", types: []string{"JWT"},
		equal: map[string]string{"ver": "2.0"}, absent: idTokenClaims, grants: []string{"scp", "roles"},
		audience: "aud", client: []string{"azp"}, scopes: []string{"scp"}, roles: "roles",
		machine: func(c claims) bool { return !c.has("scp") },
	},
	{
		// Custom authorization servers alone: tokens of the org server are Okta's own.
		Name: "okta", keys: "/v1/keys",
		issuer: form(`^https://[a-z0-9.-]+/oauth2/[0-9A-Za-z]+$`), types: []string{"", "JWT"},
		prefix: map[string]string{"jti": "AT."}, present: []string{"cid"}, absent: idTokenClaims,
		audience: "aud", client: []string{"cid"}, scopes: []string{"scp"}, roles: "groups", fraction: true,
		machine: func(c claims) bool { return !c.has("uid") },
	},
	{
		// The claim typ tells access tokens from ID, refresh and logout tokens. An ID
		// token has the client as aud.
		Name: "keycloak", keys: "/protocol/openid-connect/certs",
		issuer: form(`^https://[^\s?#]+/realms/[^/\s?#]+$`), types: []string{"JWT", TypeAccess},
		equal: map[string]string{"typ": "Bearer"}, present: []string{"azp"}, absent: []string{"at_hash", "c_hash", "s_hash"},
		audience: "aud", client: []string{"azp"}, scopes: []string{"scope"}, roles: "realm_access.roles", fraction: true,
		machine: func(c claims) bool { return strings.HasPrefix(c.text("preferred_username"), "service-account-") },
	},
}

// FindProfile returns the profile with the name, or nil.
func FindProfile(name string) *Profile {
	if i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name }); i >= 0 {
		return &profiles[i]
	}
	return nil
}

// ProfileNames returns the names of all profiles.
func ProfileNames() []string {
	names := make([]string, len(profiles))
	for i := range profiles {
		names[i] = profiles[i].Name
	}
	return names
}

// CheckIssuer returns an error if no issuer of the profile has the address.
func (p *Profile) CheckIssuer(issuer string) error {
	if !p.issuer().MatchString(issuer) {
		return errors.New("is not the form of an issuer of the profile " + p.Name + ": copy issuer from its discovery document, letter for letter")
	}
	return nil
}

// KeysURL returns where an issuer of the profile publishes its keys.
func (p *Profile) KeysURL(issuer string) string { return strings.TrimSuffix(issuer, p.cut) + p.keys }

// claims is the payload of a foreign token, by name, each value as written.
type claims map[string]string

func (c claims) has(name string) bool { _, has := c[name]; return has }

// text returns the claim as a string; "" if it is missing or of another type.
func (c claims) text(name string) string {
	s, _ := text(c[name])
	return s
}

// words returns a claim that is a list of strings, or a string of words. A name
// with a dot also finds a member of an object: realm_access.roles.
func (c claims) words(name string) (found []string, ok bool) {
	value, has := c[name]
	if !has {
		outer, inner, nested := strings.Cut(name, ".")
		object, has := c[outer]
		if !nested || !has || !strings.HasPrefix(object, "{") {
			return nil, true
		}
		within := claims{}
		if members([]byte(object), func(name, value string) error { within[name] = value; return nil }) != nil {
			return nil, false
		}
		return within.words(inner)
	}
	if strings.HasPrefix(value, "[") {
		return list(value)
	}
	s, ok := text(value)
	return words(s), ok
}

// UnverifiedIssuer returns the claim iss of a token, of which nothing is verified:
// it only says whose keys and whose profile to verify it with. It returns "" for
// what is not a token.
func UnverifiedIssuer(rawToken string) string {
	t, err := split(rawToken)
	if err != nil {
		return ""
	}
	issuer := ""
	_ = strictjson.Members(string(t.payload), func(name, value string) error {
		if name == "iss" {
			issuer, _ = text(value)
		}
		return nil
	})
	return issuer
}

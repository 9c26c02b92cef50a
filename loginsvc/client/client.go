// Package client is what Gatehouse knows about the apps that sign their users
// in with it (OAuth clients): who they are, where they may be sent, and what
// they may ask for.
//
// Internal to Gatehouse: it may change with any release.
package client

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
)

// ErrUnknown says that no client has the id.
var ErrUnknown = errors.New("unknown client")

// The grants a client can be registered for.
const (
	GrantCode              = "authorization_code"
	GrantRefresh           = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantDevice            = "urn:ietf:params:oauth:grant-type:device_code"
)

// Client is a registered client (RFC 6749, Section 2).
type Client struct {
	ID   string
	Name string // for people; "" means ID

	// Secret authenticates a confidential client; "" makes it a public one,
	// which has PKCE alone (RFC 6749, Section 2.1).
	Secret Secret
	// SecretEnv names the variable (in AWS: the SSM parameter) that holds the
	// secret. At most one of Secret and SecretEnv is set.
	SecretEnv string
	// SecretHashes are the [HashSecret] of secrets that Gatehouse made and no
	// longer knows: two while one takes the other's place, and each is good.
	SecretHashes []string

	// RedirectURIs are where codes may be sent: exact strings; http only on this
	// machine, and for 127.0.0.1 and [::1] on any port (RFC 8252, Section 7.3).
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	Origins                []string // CORS for /token, /userinfo, /revoke
	Grants                 []string // empty: authorization_code alone, or none if it Serves
	Scopes                 []string // what it may ask for; empty: openid profile email
	// Serves are the APIs that the client is: it may ask whether an access token
	// for one of them is good, whichever client has it (RFC 7662). One that has no
	// Grants beside them uses none.
	Serves []string
	// Audiences are the APIs it may get tokens for, one at a time; the first is
	// what it gets unless it asks for another (RFC 8707). Empty: that of gatehouse.yml.
	Audiences []string
	Lifetimes Lifetimes
	Exceptions

	// ThirdParty says that the app is not the team's own: each user is asked
	// before it gets anything, and can take that back.
	ThirdParty bool

	// DocumentHost is the host of the metadata document that describes the client; ""
	// if somebody registered it.
	DocumentHost string

	// Self says that the client registered itself (RFC 7591).
	Self bool

	// Registration tells a client of the table from those that had its id before
	// and were removed. It is "" in gatehouse.yml.
	Registration string
	// RegisteredAt is when the client was put into the table: tokens from before
	// belong to another client of the id. It is zero in gatehouse.yml.
	RegisteredAt time.Time
	// KnownAt is when the table was asked for the client, just before it answered;
	// zero for a client that is not in the table.
	KnownAt time.Time
}

// Ref names the client as what it was granted remembers it: unlike its id, which
// can be given to another when the client has been removed.
func (c Client) Ref() string {
	if c.Registration == "" {
		return c.ID
	}
	return c.ID + "#" + c.Registration // no id has the sign in it
}

// IDOf is the id of the client that ref names.
func IDOf(ref string) string {
	id, _, _ := strings.Cut(ref, "#")
	return id
}

// Public tells whether the client has no secret.
func (c Client) Public() bool {
	return c.Secret == "" && c.SecretEnv == "" && len(c.SecretHashes) == 0
}

// DisplayName is the name of the client on pages for people.
func (c Client) DisplayName() string {
	if name := plaintext.Strip(c.Name); name != "" { // an older registration can have hidden characters
		switch { // anybody can write a name
		case c.DocumentHost != "":
			return name + " (" + c.DocumentHost + ")"
		case c.Self:
			return name + " (" + c.ID + ")"
		}
		return name
	}
	return c.ID
}

// MayUse tells whether the client is registered for the grant.
func (c Client) MayUse(grant string) bool {
	if len(c.Grants) == 0 {
		return grant == GrantCode && len(c.Serves) == 0
	}
	return slices.Contains(c.Grants, grant)
}

// The scopes of Gatehouse's own API. They are granted only to first-party clients
// that ask for them by name.
const (
	ScopeAccount = "account" // to change or export the account of the token's user
	ScopeAdmin   = "admin"   // for the admin API, which also needs the role admin
)

// IsOwnScope tells whether the scope is one of Gatehouse's own API.
func IsOwnScope(scope string) bool { return scope == ScopeAccount || scope == ScopeAdmin }

// AllowedScopes returns every scope that the client can ask for.
func (c Client) AllowedScopes() []string {
	if len(c.Scopes) == 0 {
		return []string{"openid", "profile", "email"}
	}
	if c.ThirdParty { // also where its registration says otherwise
		return slices.DeleteFunc(slices.Clone(c.Scopes), IsOwnScope)
	}
	return c.Scopes
}

// HasSecret tells in constant time whether presented is a live secret of the
// client. It is false for every string if the client is public, or if its
// secret has not been resolved.
func (c Client) HasSecret(presented string) bool {
	got := HashSecret(presented)
	ok := 0
	if c.Secret != "" {
		ok |= subtle.ConstantTimeCompare([]byte(got), []byte(HashSecret(string(c.Secret))))
	}
	for _, h := range c.SecretHashes {
		ok |= subtle.ConstantTimeCompare([]byte(got), []byte(h))
	}
	return ok == 1
}

// HashSecret is the form in which a made secret is kept: its SHA-256 in hex. A
// fast hash will do, because such a secret is 256 random bits.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Package token is the wire format of Gatehouse's tokens, once: how an access
// token (RFC 9068) and an ID token (OpenID Connect Core 1.0) are written and
// signed, and the only way they are read back.
//
// Reading is stricter than any JWT library. The raw text is judged before
// anything is decoded: its size, its alphabet, its one canonical spelling. Then
// the header must say what we say and nothing that changes what a signature
// means. Then the key its kid names must have signed it. Only after that is a
// claim looked at: each has one type, names are exact, and none may appear
// twice. Every refusal carries one [Reason] of a closed set, for the log. The
// client gets no reason.
//
// The package does no I/O and knows no clock: keys and the time are given to it.
package token

import "time"

// The typ of each kind of token. It is what keeps one kind from being taken for
// the other (RFC 8725, Section 3.11).
const (
	TypeAccess = "at+jwt" // RFC 9068, Section 2.1
	TypeID     = "JWT"
)

// MaxSize is how many bytes a token may have, signature included. Longer ones
// are neither issued nor read.
const MaxSize = 8 << 10

// Access is the content of an access token. Instants have whole seconds on the
// wire.
type Access struct {
	Issuer    string
	Subject   string
	Audience  string // the API that the token is for
	ClientID  string // the app that asked for the token
	ID        string // jti, unique; when signing, "" makes a random one
	SessionID string // sid, the sign-in the token comes from; "" for a machine
	Scopes    []string
	Roles     []string // nil, unlike an empty list, leaves the claim out: a machine, or a third-party client
	IssuedAt  time.Time
	ExpiresAt time.Time
	NotBefore time.Time // zero if the token does not say; when signing, not written
	AuthTime  time.Time // when the user last proved who they are; zero leaves the claim out
	Name      string    // "" leaves the claim out
	Email     string    // "" leaves the claim out
}

// ID is the content of an ID token.
type ID struct {
	Issuer          string
	Subject         string
	Audience        string // the client that the token is for
	Nonce           string // as in the authorization request; "" leaves the claim out
	SessionID       string // sid; "" leaves the claim out
	IssuedAt        time.Time
	ExpiresAt       time.Time
	AuthTime        time.Time // zero leaves the claim out
	ACR             string    // how strongly the provider says it authenticated; "" leaves the claim out
	AMR             []string  // the methods that the provider names (RFC 8176); empty leaves the claim out
	AccessTokenHash string    // at_hash; "" leaves the claim out
	// Claims are about the user: name, email, picture and the like. A claim of
	// a name that this package, or one of its standards, gives a meaning to is
	// left out when signing and absent when read.
	Claims map[string]any
}

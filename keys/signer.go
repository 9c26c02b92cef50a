// Package keys is what Gatehouse knows about signing keys without touching the
// world: what a key can do, how it is named, which keys are in use at a moment,
// and the rules of their rotation. Keys themselves live in packages kmskey (AWS
// KMS) and localkey (memory or a PEM file).
//
// Part of Gatehouse's promised API: the interface [Signer]. The rest is internal to
// Gatehouse.
package keys

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"time"
)

// Signer is an RSA key of 2048 bits or more, seen only by what it can do.
// Package keystest proves these laws on every implementation. Its methods are
// safe for concurrent use.
type Signer interface {
	// Public returns the public key. It does no I/O, never returns nil, and
	// always returns the same key.
	Public() *rsa.PublicKey
	// SignDigest returns the RSASSA-PKCS1-v1_5 signature over a SHA-256 digest
	// (RS256; RFC 7518, Section 3.3). It gives up when ctx ends. An error wraps
	// [ErrUnavailable] if the same call may succeed later.
	SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error)
}

// Set is the keys in use at one moment.
type Set struct {
	// Current signs. It is nil if no key may sign now.
	Current Signer
	// Published are the public keys of the JWK Set, Current's first if there is
	// one: every key whose tokens are still to be accepted, and every key that
	// will sign next. At most 10.
	Published []*rsa.PublicKey
	// Retired are keys that have left the JWK Set since the last token that they
	// signed has expired. An expired ID token of theirs still says who signed in
	// (id_token_hint): that is all that they verify. No compromised key is among them.
	Retired []RetiredKey
}

// RetiredKey is the public half of a key that signs no more.
type RetiredKey struct {
	Public    *rsa.PublicKey
	RetiredAt time.Time // when it ceased to sign
}

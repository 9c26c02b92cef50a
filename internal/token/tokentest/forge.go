// Package tokentest forges tokens: everything that someone might send instead
// of a token of ours, and every unusual spelling of a genuine one, each with
// the answer it must have. Whatever reads tokens proves itself on it.
package tokentest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Key is a [keys.Signer] whose private half a forger may use as he likes.
type Key struct{ Private *rsa.PrivateKey }

var _ keys.Signer = Key{}

// Public returns the public key.
func (k Key) Public() *rsa.PublicKey { return &k.Private.PublicKey }

// SignDigest signs digest.
func (k Key) SignDigest(_ context.Context, digest [sha256.Size]byte) ([]byte, error) {
	return rsa.SignPKCS1v15(nil, k.Private, crypto.SHA256, digest[:])
}

// ID returns the kid of the key.
func (k Key) ID() string { return keys.Thumbprint(k.Public()) }

// The keys of a test process, made on first use.
var (
	Ours    = sync.OnceValue(newKey) // published, and signing
	Next    = sync.OnceValue(newKey) // published too
	Foreign = sync.OnceValue(newKey) // never published
)

func newKey() Key {
	private, err := rsa.GenerateKey(rand.Reader, keys.MinBits)
	if err != nil {
		panic(err)
	}
	return Key{private}
}

// World is where the tokens are sent.
type World struct {
	Issuer   string
	Audience string
	Now      time.Time     // whole seconds
	Leeway   time.Duration // whole seconds, at least 2
}

// Object is a JSON object as it will be spelt: an order, and duplicates if
// wanted.
type Object []Member

// Member is a name and a value, the value in JSON.
type Member struct{ Name, Value string }

// Set replaces the value of a member, or adds one.
func (o Object) Set(name, value string) Object {
	changed := append(Object{}, o...)
	for i := range changed {
		if changed[i].Name == name {
			changed[i].Value = value
			return changed
		}
	}
	return append(changed, Member{name, value})
}

// Add adds a member, also where the name is there already.
func (o Object) Add(name, value string) Object {
	return append(append(Object{}, o...), Member{name, value})
}

// Drop leaves out a member.
func (o Object) Drop(name string) Object {
	var kept Object
	for _, m := range o {
		if m.Name != name {
			kept = append(kept, m)
		}
	}
	return kept
}

// String spells the object.
func (o Object) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + m.Name + `":` + m.Value)
	}
	b.WriteByte('}')
	return b.String()
}

// Header is the header of a genuine access token.
func Header(k Key) Object {
	return Object{{"alg", `"RS256"`}, {"kid", quote(k.ID())}, {"typ", `"at+jwt"`}}
}

// Claims is the payload of a genuine access token.
func (w World) Claims() Object {
	return Object{
		{"iss", quote(w.Issuer)}, {"sub", `"u_lin"`}, {"aud", quote(w.Audience)},
		{"exp", w.at(10 * time.Minute)}, {"iat", w.at(0)}, {"jti", `"jti-1"`}, {"client_id", `"demo-spa"`},
		{"sid", `"s_1"`}, {"scope", `"openid notes:read"`}, {"roles", `["user"]`}, {"auth_time", w.at(-time.Minute)},
	}
}

// at is a NumericDate.
func (w World) at(after time.Duration) string {
	return strconv.FormatInt(w.Now.Add(after).Unix(), 10)
}

// Sign returns the token of header and payload as they are written, signed with
// RS256 by k.
func Sign(k Key, header, payload string) string {
	signed := Encode(header) + "." + Encode(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, k.Private, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + Encode(string(signature))
}

// Encode is base64url without padding.
func Encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func quote(s string) string { return strconv.Quote(s) }

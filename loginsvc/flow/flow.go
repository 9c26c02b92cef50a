// Package flow seals a sign-in that is under way into the parameter state that
// the provider gives back, so that the server stores nothing until the provider
// has vouched for a person.
//
// A browser holds a random [Secret] in a cookie. Each flow of the browser has a
// random [ID]. From both derive, by HKDF (RFC 5869), the key that seals the flow,
// the nonce of OpenID Connect and the PKCE verifier. So no two flows share a key,
// and a state opens only in the browser that it was sealed for.
//
// The owner of the cookie can seal anything. What was opened proves only that
// this browser sealed it: the caller judges the content again.
//
// Internal to Gatehouse: it may change with any release.
package flow

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// ErrSealed says that a text was not sealed with these keys, or was changed.
var ErrSealed = errors.New("sealed by another browser, or changed")

// Secret is what a browser holds in a cookie: 128 random bits.
type Secret [16]byte

// ID names a flow: 128 random bits, which are public.
type ID [16]byte

// NewSecret returns a random secret.
func NewSecret() (s Secret) {
	rand.Read(s[:]) // never fails
	return s
}

// Text returns the ID as it can stand in the name of a cookie.
func (id ID) Text() string { return encode(id[:]) }

// NewID returns a random ID.
func NewID() (id ID) {
	rand.Read(id[:]) // never fails
	return id
}

// Cookie returns the secret as the value of a cookie.
func (s Secret) Cookie() string { return encode(s[:]) }

// ParseSecret reads the value of a cookie. Only what [Secret.Cookie] returns is
// accepted.
func ParseSecret(cookie string) (Secret, bool) {
	raw, err := decode(cookie)
	if err != nil || len(raw) != len(Secret{}) {
		return Secret{}, false
	}
	return Secret(raw), true
}

// String and GoString keep the secret out of logs.
func (Secret) String() string { return "[secret]" }

// GoString returns what String returns.
func (s Secret) GoString() string { return s.String() }

// Keys are the secrets of one flow.
type Keys struct {
	Nonce    string // OpenID Connect Core, Section 3.1.2.1
	Verifier string // PKCE (RFC 7636, Section 4.1)

	aead cipher.AEAD
	iv   []byte
}

// Keys derives the secrets of the flow with the ID. It always returns the same.
func (s Secret) Keys(id ID) Keys {
	derive := func(purpose string, size int) []byte {
		key, err := hkdf.Key(sha256.New, s[:], id[:], "gatehouse flow 1 "+purpose, size)
		if err != nil {
			panic(err) // only for sizes beyond 255 hashes
		}
		return key
	}
	block, err := aes.NewCipher(derive("key", 32))
	if err != nil {
		panic(err) // only for keys of a wrong size
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for blocks of a wrong size
	}
	return Keys{
		Nonce: encode(derive("nonce", 32)), Verifier: encode(derive("verifier", 32)),
		// The key seals this one flow, so a derived iv is never used for two texts.
		aead: aead, iv: derive("iv", aead.NonceSize()),
	}
}

// Seal encrypts and authenticates the content of the flow (AES-256-GCM). It MUST
// NOT be called with two contents for one flow.
func (k Keys) Seal(content []byte) []byte { return k.aead.Seal(nil, k.iv, content, nil) }

// Open returns the content that was sealed, or [ErrSealed].
func (k Keys) Open(sealed []byte) ([]byte, error) {
	content, err := k.aead.Open(nil, k.iv, sealed, nil)
	if err != nil {
		return nil, ErrSealed
	}
	return content, nil
}

// strict refuses a second spelling of the same bytes.
var strict = base64.RawURLEncoding.Strict()

func encode(raw []byte) string { return strict.EncodeToString(raw) }

// decode refuses line breaks, which the decoder would skip.
func decode(text string) ([]byte, error) {
	raw, err := strict.DecodeString(text)
	if err == nil && encode(raw) != text {
		err = errors.New("not the only spelling")
	}
	return raw, err
}

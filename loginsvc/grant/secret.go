package grant

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// NewSecret returns 256 random bits as 43 characters that are safe in URLs,
// headers and cookies.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Fingerprint is how the table holds a secret: as SHA-256, which recognizes the
// secret and does not reveal it.
func Fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Derive returns a secret that is derived from another one for a purpose. It is
// as long as one of [NewSecret].
func Derive(secret, purpose string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// EqualConstantTime compares two secrets in a time that does not depend on where
// they differ.
func EqualConstantTime(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// consistsOf tells whether every character of s is in set.
func consistsOf(s, set string) bool { return strings.Trim(s, set) == "" }

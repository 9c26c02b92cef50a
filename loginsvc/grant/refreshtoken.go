package grant

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// RefreshToken is what a client presents to renew its tokens. As text it is
//
//	ghr_<user>.<family>.<secret><check>
//
// where family is 128 random bits and secret 256, both base64url, and check is
// the beginning of a SHA-256 over what stands before it. The check tells a token
// that was damaged on its way from one that is too old: only the latter ends a
// family.
type RefreshToken struct{ UserID, Family, secret string }

const (
	refreshPrefix = "ghr_"
	familyLen     = 22 // of 16 bytes in base64url
	secretLen     = 43 // of 32 bytes in base64url
	checkLen      = 6
)

// newFamilyID returns an id that cannot be guessed: only a holder of one of its
// tokens can name a family.
func newFamilyID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Text is the token as the client gets it.
func (t RefreshToken) Text() string {
	body := refreshPrefix + t.UserID + "." + t.Family + "." + t.secret
	return body + checkOf(body)
}

func checkOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:checkLen]
}

// ParseRefreshToken reads the text of a token, and refuses one of which a byte
// was changed.
func ParseRefreshToken(rawToken string) (RefreshToken, bool) {
	if len(rawToken) < checkLen || len(rawToken) > 256 || !strings.HasPrefix(rawToken, refreshPrefix) {
		return RefreshToken{}, false
	}
	body, check := rawToken[:len(rawToken)-checkLen], rawToken[len(rawToken)-checkLen:]
	const inID = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	parts := strings.Split(strings.TrimPrefix(body, refreshPrefix), ".")
	if checkOf(body) != check || len(parts) != 3 || parts[0] == "" || len(parts[1]) != familyLen || len(parts[2]) != secretLen ||
		!consistsOf(strings.Join(parts, ""), inID) {
		return RefreshToken{}, false
	}
	return RefreshToken{parts[0], parts[1], parts[2]}, true
}

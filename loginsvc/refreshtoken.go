package loginsvc

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// refreshToken is what an app presents to renew its tokens. As text it is
//
//	ghr_<user>.<family>.<secret><check>
//
// where family is 128 random bits and secret 256, both base64url, and check is
// the beginning of a SHA-256 over what stands before it. The check lets a token
// that was damaged on its way be told from one that is too old: only the latter
// ends a family.
type refreshToken struct{ userID, family, secret string }

const (
	refreshPrefix = "ghr_"
	familyLen     = 22 // of 16 bytes in base64url
	secretLen     = 43 // of 32 bytes in base64url
	checkLen      = 6
)

// newFamilyID returns an id that nobody guesses: who does not hold a token of a
// family cannot even name it.
func newFamilyID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// text is the token as the app gets it.
func (t refreshToken) text() string {
	body := refreshPrefix + t.userID + "." + t.family + "." + t.secret
	return body + checkOf(body)
}

func checkOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:checkLen]
}

// parseRefreshToken reads the text of a token, and nothing that was changed by
// a byte.
func parseRefreshToken(rawToken string) (refreshToken, bool) {
	if len(rawToken) < checkLen || len(rawToken) > 256 || !strings.HasPrefix(rawToken, refreshPrefix) {
		return refreshToken{}, false
	}
	body, check := rawToken[:len(rawToken)-checkLen], rawToken[len(rawToken)-checkLen:]
	const inID = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	parts := strings.Split(strings.TrimPrefix(body, refreshPrefix), ".")
	if checkOf(body) != check || len(parts) != 3 || parts[0] == "" || len(parts[1]) != familyLen || len(parts[2]) != secretLen ||
		!only(strings.Join(parts, ""), inID) {
		return refreshToken{}, false
	}
	return refreshToken{parts[0], parts[1], parts[2]}, true
}

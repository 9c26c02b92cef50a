package loginsvc

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
)

// challengeOf is the S256 challenge of a PKCE verifier (RFC 7636, Section 4.2).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

const skew = grant.Skew

func newSecret() string                               { return grant.NewSecret() }
func fingerprint(secret string) string                { return grant.Fingerprint(secret) }
func derive(secret, purpose string) string            { return grant.Derive(secret, purpose) }
func same(a, b string) bool                           { return grant.EqualConstantTime(a, b) }
func within(now, createdAt, expiresAt time.Time) bool { return grant.Alive(now, createdAt, expiresAt) }

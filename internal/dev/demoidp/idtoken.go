package demoidp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// idTokenTTL is short: a client has seconds to read the token.
const idTokenTTL = 5 * time.Minute

// idToken returns a signed ID token (OpenID Connect Core, Section 2).
func (p *Provider) idToken(g grant, accessToken string) (string, error) {
	if err := p.rotateIfDue(); err != nil {
		return "", err
	}
	p.mu.Lock()
	behaviour, key := p.behaviour, p.ring.current
	asList := p.nextAsList
	p.nextAsList = !asList
	p.mu.Unlock()

	now := p.config.Now()
	claims := g.person.claims()
	if behaviour.EmailAtUserInfo {
		for _, name := range []string{"email", "email_verified", "name"} {
			delete(claims, name)
		}
	}
	claims["iss"] = p.config.Issuer
	claims["aud"] = p.config.ClientID
	if asList {
		claims["aud"] = []string{p.config.ClientID} // both are right (RFC 7519, Section 4.1.3)
	}
	claims["exp"] = now.Add(idTokenTTL).Unix()
	claims["iat"] = now.Unix()
	claims["auth_time"] = g.authTime.Unix()
	claims["nonce"] = g.nonce
	sum := sha256.Sum256([]byte(accessToken))
	claims["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16])
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": keys.Thumbprint(&key.PublicKey)}
	if behaviour.Claims != nil {
		behaviour.Claims(claims)
	}
	if behaviour.Header != nil {
		behaviour.Header(header)
	}
	return sign(header, claims, key, behaviour.Sign)
}

func sign(header, claims map[string]any, key *rsa.PrivateKey, instead func(string, *rsa.PrivateKey) []byte) (string, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(head) + "." + encode(body)
	if instead != nil {
		return input + "." + encode(instead(input, key)), nil
	}
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return input + "." + encode(signature), nil
}

package demoidp

import (
	"crypto/rsa"
	"net/http"
)

// Behaviour makes the provider misbehave, for tests. The zero value behaves.
type Behaviour struct {
	// Instead answers requests to a path: /token, /keys, /userinfo,
	// /.well-known/openid-configuration.
	Instead map[string]http.HandlerFunc
	// Claims and Header change an ID token before it is signed.
	Claims func(claims map[string]any)
	Header func(header map[string]any)
	// Sign signs "header.claims" instead of RS256 and returns the signature.
	Sign func(input string, key *rsa.PrivateKey) []byte
	// UserInfo changes the answer of the userinfo endpoint.
	UserInfo func(claims map[string]any)
	// Issuer is sent as the response parameter iss; nil: the true issuer; "":
	// the parameter is not sent.
	Issuer *string
	// EmailAtUserInfo leaves e-mail and name out of the ID token.
	EmailAtUserInfo bool
	// ReuseCodes accepts a code more than once, as careless providers do.
	ReuseCodes bool
}

// Behave makes the provider behave as b says from the next request on.
func (p *Provider) Behave(b Behaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.behaviour = b
}

func (p *Provider) behave() Behaviour {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behaviour
}

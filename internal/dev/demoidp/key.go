package demoidp

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

// keyRing is the key that signs and the one before it, which stays published so
// that a token which was just signed can still be verified.
type keyRing struct{ current, previous *rsa.PrivateKey }

func (r *keyRing) rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	r.current, r.previous = key, r.current
	return nil
}

// Rotate makes a new key sign from now on.
func (p *Provider) Rotate() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.rotate()
}

func (p *Provider) handleKeys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	pubs := []*rsa.PublicKey{&p.ring.current.PublicKey}
	if p.ring.previous != nil {
		pubs = append(pubs, &p.ring.previous.PublicKey)
	}
	p.mu.Unlock()
	document, err := jwks.Marshal(pubs)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Write(document)
}

func (p *Provider) handleDiscovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                         p.config.Issuer,
		"authorization_endpoint":                         p.config.Issuer + "/authorize",
		"token_endpoint":                                 p.config.Issuer + "/token",
		"userinfo_endpoint":                              p.config.Issuer + "/userinfo",
		"jwks_uri":                                       p.config.Issuer + "/keys",
		"response_types_supported":                       []string{"code"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
		"scopes_supported":                               []string{"openid", "profile", "email"},
		"claims_supported":                               []string{"sub", "email", "email_verified", "name"},
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"authorization_response_iss_parameter_supported": true,
	})
}

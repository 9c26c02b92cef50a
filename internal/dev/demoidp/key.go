package demoidp

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

// keyRing is the key that signs and those before it. An old key stays published
// until the last ID token that it signed has expired.
type keyRing struct {
	current *rsa.PrivateKey
	retired []retiredKey // the oldest first
	making  bool         // the next key is being made
}

type retiredKey struct {
	key   *rsa.PublicKey
	until time.Time // when its last ID token expires
}

// use makes key sign from now on.
func (r *keyRing) use(key *rsa.PrivateKey, now time.Time) {
	if r.current != nil {
		r.retired = append(r.retired, retiredKey{&r.current.PublicKey, now.Add(idTokenTTL)})
	}
	r.current = key
}

// published returns the keys of the JWK Set at an instant, and forgets those
// that no valid ID token needs.
func (r *keyRing) published(now time.Time) []*rsa.PublicKey {
	for len(r.retired) > 0 && now.After(r.retired[0].until) {
		r.retired = r.retired[1:]
	}
	all := []*rsa.PublicKey{&r.current.PublicKey}
	for _, old := range r.retired {
		all = append(all, old.key)
	}
	return all
}

// Rotate makes a new key sign from now on. Making it takes long, so nothing is
// locked meanwhile.
func (p *Provider) Rotate() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ring.making = false
	if err == nil {
		p.ring.use(key, p.config.Now())
	}
	return err
}

// rotateIfDue starts a rotation when the current key has signed enough, and the JWK
// Set has room for another. The request that finds it due waits for the new key;
// others go on with the old one.
func (p *Provider) rotateIfDue() error {
	p.mu.Lock()
	p.issued++
	n := p.config.SignaturesPerKey
	due := n > 0 && p.issued > 1 && (p.issued-1)%n == 0 && !p.ring.making
	due = due && len(p.ring.published(p.config.Now())) < keys.MaxPublished
	p.ring.making = p.ring.making || due
	p.mu.Unlock()
	if !due {
		return nil
	}
	return p.Rotate()
}

func (p *Provider) handleKeys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	published := p.ring.published(p.config.Now())
	p.mu.Unlock()
	document, err := jwks.Marshal(published)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Write(document)
}

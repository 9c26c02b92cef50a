package upstream

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
)

const minRSABits = 2048

// keysFor returns the provider's keys that may have signed a token with this key
// id and algorithm: none, if the provider has no such key. They are read again
// when a key id is new, which is how providers rotate (OpenID Connect Core,
// Section 10.1.1), and for every token without one.
//
// go-oidc would do this too, but in the background and for all callers at once,
// so that one who gave up would leave a hanging call to the next.
func (p *Provider) keysFor(ctx context.Context, d *discovery, keyID, alg string) ([]crypto.PublicKey, error) {
	if keyID != "" {
		if known := matching(d.keys.Load(), keyID, alg); len(known) > 0 {
			return known, nil
		}
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, unavailable("waiting for keys", ctx.Err())
	}
	if keyID != "" {
		if known := matching(d.keys.Load(), keyID, alg); len(known) > 0 {
			return known, nil // somebody else read them meanwhile
		}
	}
	fresh, err := p.readKeys(ctx, d.keysURL)
	if err != nil {
		return nil, unavailable("reading keys", err)
	}
	d.keys.Store(&fresh)
	return matching(&fresh, keyID, alg), nil
}

func (p *Provider) readKeys(ctx context.Context, url string) ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := p.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	body, err := io.ReadAll(res.Body) // bounded by the client
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, err
	}
	var usable []jose.JSONWebKey
	for _, raw := range set.Keys {
		// "Implementations SHOULD ignore JWKs within a JWK Set that use "kty"
		// (key type) values that are not understood by them." RFC 7517, Section 5
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err == nil && mayVerify(key) {
			usable = append(usable, key)
		}
	}
	if len(usable) == 0 {
		return nil, errors.New("no usable key in the set")
	}
	return usable, nil
}

// mayVerify tells whether a key is public, for signatures and not too short.
func mayVerify(key jose.JSONWebKey) bool {
	if pub, ok := key.Key.(*rsa.PublicKey); ok && pub.N.BitLen() < minRSABits {
		return false
	}
	return key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig")
}

// matching returns those of keys that a token's header may mean.
func matching(keys *[]jose.JSONWebKey, keyID, alg string) []crypto.PublicKey {
	if keys == nil {
		return nil
	}
	var pubs []crypto.PublicKey
	for key := range slices.Values(*keys) {
		if (keyID == "" || key.KeyID == keyID) && (key.Algorithm == "" || key.Algorithm == alg) {
			pubs = append(pubs, key.Key)
		}
	}
	return pubs
}

// Package jwks writes and reads the JWK Set document (RFC 7517) of Gatehouse's
// public keys.
//
// Internal to Gatehouse: it may change with any release.
package jwks

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/MicahParks/jwkset"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// MaxBytes is the size of the largest document that every verifier takes: API
// Gateway's JWT authorizers stop reading here.
const MaxBytes = 150_000

// ErrEmpty says that there is no key to publish. A verifier that was given an
// empty set would refuse everybody, so the answer is 503 instead.
var ErrEmpty = errors.New("no key to publish")

// Marshal returns the JWK Set of pubs in their order. Each key has the members
// kty, use, alg, kid, n and e and no other. It refuses an empty set with
// [ErrEmpty], and keys that [keys.CheckPublic] refuses, duplicates, more than
// [keys.MaxPublished] keys and more than [MaxBytes].
func Marshal(pubs []*rsa.PublicKey) ([]byte, error) {
	if len(pubs) == 0 {
		return nil, ErrEmpty
	}
	if len(pubs) > keys.MaxPublished {
		return nil, fmt.Errorf("%d keys to publish: verifiers read at most %d", len(pubs), keys.MaxPublished)
	}
	set := jwkset.JWKSMarshal{Keys: make([]jwkset.JWKMarshal, 0, len(pubs))}
	seen := make(map[string]bool, len(pubs))
	for _, pub := range pubs {
		jwk, err := marshalKey(pub)
		if err != nil {
			return nil, err
		}
		if seen[jwk.KID] {
			return nil, fmt.Errorf("key %s is there twice", jwk.KID)
		}
		seen[jwk.KID] = true
		set.Keys = append(set.Keys, jwk)
	}
	document, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encoding JWK Set: %w", err)
	}
	if len(document) > MaxBytes {
		return nil, fmt.Errorf("JWK Set of %d bytes: verifiers read at most %d", len(document), MaxBytes)
	}
	return document, nil
}

func marshalKey(pub *rsa.PublicKey) (jwkset.JWKMarshal, error) {
	if err := keys.CheckPublic(pub); err != nil {
		return jwkset.JWKMarshal{}, err
	}
	jwk, err := jwkset.NewJWKFromKey(pub, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{
		ALG: jwkset.AlgRS256,
		KID: keys.Thumbprint(pub),
		USE: jwkset.UseSig,
	}})
	if err != nil {
		return jwkset.JWKMarshal{}, fmt.Errorf("encoding JWK: %w", err)
	}
	return jwk.Marshal(), nil
}

// Parse reads a document that [Marshal] wrote, such as a copy made when the
// stack was built. Anything else is an error: a key that is not ours in every
// member, or bears another id than its thumbprint.
func Parse(document []byte) ([]*rsa.PublicKey, error) {
	if len(document) > MaxBytes {
		return nil, fmt.Errorf("JWK Set of %d bytes: want at most %d", len(document), MaxBytes)
	}
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("decoding JWK Set: %w", err)
	}
	pubs := make([]*rsa.PublicKey, 0, len(set.Keys))
	for i, jwk := range set.Keys {
		pub, err := parseKey(jwk)
		if err != nil {
			return nil, fmt.Errorf("JWK Set, key %d: %w", i, err)
		}
		pubs = append(pubs, pub)
	}
	if _, err := Marshal(pubs); err != nil {
		return nil, err
	}
	return pubs, nil
}

func parseKey(jwk jwkset.JWKMarshal) (*rsa.PublicKey, error) {
	parsed, err := jwkset.NewJWKFromMarshal(jwk, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{StrictPadding: true})
	if err != nil {
		return nil, fmt.Errorf("decoding JWK: %w", err)
	}
	pub, ok := parsed.Key().(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("want an RSA public key, not %T", parsed.Key())
	}
	ours, err := marshalKey(pub)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(jwk, ours) {
		return nil, errors.New("not the members that Gatehouse writes")
	}
	return pub, nil
}

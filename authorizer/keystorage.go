package authorizer

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"time"

	"github.com/MicahParks/jwkset"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// keyStorage is a JWK Set that refreshes itself when a key is read.
type keyStorage struct {
	*jwkset.MemoryJWKSet
	refresher
}

// KeyRead returns the key with the id, or an error that wraps
// [jwkset.ErrKeyNotFound].
func (s *keyStorage) KeyRead(ctx context.Context, keyID string) (jwkset.JWK, error) {
	asked := false
	if !s.current() {
		asked = s.refresh(ctx)
	}
	key, err := s.MemoryJWKSet.KeyRead(ctx, keyID)
	if err != nil && !asked && s.refresh(ctx) {
		key, err = s.MemoryJWKSet.KeyRead(ctx, keyID)
	}
	if err != nil && s.empty(ctx) {
		return jwkset.JWK{}, errNoKeys
	}
	return key, err
}

func (s *keyStorage) empty(ctx context.Context) bool {
	all, err := s.KeyReadAll(ctx)
	return err == nil && len(all) == 0
}

// errNoUsableKey keeps an issuer's accident, an empty set or an error page with
// status 200, from locking everyone out.
var errNoUsableKey = errors.New("no usable key in the set")

// replace puts the usable keys of the JWK Set into the place of all there are,
// so that a key the issuer took back is gone. Without a usable key it changes
// nothing.
func (s *keyStorage) replace(ctx context.Context, set []byte) error {
	usable, err := usableKeys(set)
	if err != nil {
		return err
	}
	return s.KeyReplaceAll(ctx, usable)
}

// usableKeys returns the keys of a JWK Set that may verify our tokens. Others are
// passed over: "Implementations SHOULD ignore JWKs within a JWK Set that use
// "kty" values that are not understood by them, that are missing required
// members, or for which values are out of the supported ranges" (RFC 7517,
// Section 5).
func usableKeys(set []byte) ([]jwkset.JWK, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(set, &document); err != nil {
		return nil, errors.New("not a JWK Set") // the cause may quote an error page
	}
	byID := map[string][]jwkset.JWK{}
	var order []string
	for _, raw := range document.Keys {
		var m jwkset.JWKMarshal
		if json.Unmarshal(raw, &m) != nil {
			continue
		}
		if _, seen := byID[m.KID]; !seen {
			order = append(order, m.KID)
		}
		byID[m.KID] = append(byID[m.KID], usableKey(m)...)
	}
	var usable []jwkset.JWK
	for _, keyID := range order {
		// Of two keys with one id, nobody knows which is meant.
		if len(byID[keyID]) == 1 {
			usable = append(usable, byID[keyID]...)
		}
	}
	if len(usable) == 0 {
		return nil, errNoUsableKey
	}
	return usable, nil
}

// usableKey returns m as a key if it is one for RS256 signatures: public, of at
// least 2048 bits, and not meant for something else.
func usableKey(m jwkset.JWKMarshal) []jwkset.JWK {
	if m.KID == "" || m.KTY != jwkset.KtyRSA || m.D != "" ||
		m.USE != "" && m.USE != jwkset.UseSig || m.ALG != "" && m.ALG != jwkset.AlgRS256 {
		return nil
	}
	jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil
	}
	pub, ok := jwk.Key().(*rsa.PublicKey)
	if !ok || keys.CheckPublic(pub) != nil {
		return nil
	}
	return []jwkset.JWK{jwk}
}

// fetchedAt returns when an embedded set was fetched; zero if it does not say, or
// says a time to come.
func fetchedAt(set []byte, now time.Time) time.Time {
	var document struct {
		FetchedAt int64 `json:"fetched_at"`
	}
	if json.Unmarshal(set, &document) != nil || document.FetchedAt <= 0 {
		return time.Time{}
	}
	if at := time.Unix(document.FetchedAt, 0); !at.After(now) {
		return at
	}
	return time.Time{}
}

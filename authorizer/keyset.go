package authorizer

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
	"github.com/gatehouse-auth/gatehouse/keys"
)

var (
	errNoKeySet = errors.New("not a JWK Set") // the cause may quote an error page
	// errNoUsableKey keeps an issuer's accident, an empty set or a page with
	// status 200, from locking everyone out.
	errNoUsableKey = errors.New("no usable key in the set")
)

// usableKeys returns the keys of a JWK Set that may verify our tokens, by their
// ids. Others are passed over: "Implementations SHOULD ignore JWKs within a JWK
// Set that use "kty" values that are not understood by them, that are missing
// required members, or for which values are out of the supported ranges" (RFC
// 7517, Section 5).
//
// A set with a member twice, or with a known one in other letters, is an error:
// another reader might take other keys from it.
func usableKeys(set []byte) (map[string]*rsa.PublicKey, error) {
	members, err := strictly(string(set), setMembers)
	if err != nil {
		return nil, errNoKeySet
	}
	usable := map[string]*rsa.PublicKey{}
	err = strictjson.Elements(members["keys"], func(raw string) error {
		if _, err := strictly(raw, keyMembers); err != nil {
			if errors.Is(err, errAmbiguous) {
				return err
			}
			return nil // not an object
		}
		var m jwkset.JWKMarshal
		if json.Unmarshal([]byte(raw), &m) != nil {
			return nil
		}
		pub := usableKey(m)
		if pub == nil {
			return nil
		}
		if other, twice := usable[m.KID]; twice && (other == nil || !pub.Equal(other)) {
			pub = nil // of two keys with one id, it is not known which is meant
		}
		usable[m.KID] = pub
		return nil
	})
	if err != nil {
		return nil, errNoKeySet
	}
	for keyID, pub := range usable {
		if pub == nil {
			delete(usable, keyID)
		}
	}
	if len(usable) == 0 {
		return nil, errNoUsableKey
	}
	return usable, nil
}

var (
	errAmbiguous = errors.New("a member twice, or in other letters")

	setMembers = []string{"keys", "fetched_at"}
	// keyMembers are those that [jwkset.JWKMarshal] reads.
	keyMembers = []string{
		"kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256", "crv", "x", "y",
		"d", "n", "e", "p", "q", "dp", "dq", "qi", "oth", "k",
	}
)

// strictly returns the members of an object. The error is errAmbiguous if one is
// there twice, or is known by a name in other letters: encoding/json would take
// both for one.
func strictly(object string, known []string) (map[string]string, error) {
	members := map[string]string{}
	err := strictjson.Members(object, func(name, value string) error {
		_, twice := members[name]
		if twice || slices.ContainsFunc(known, func(k string) bool { return k != name && strings.EqualFold(k, name) }) {
			return errAmbiguous
		}
		members[name] = value
		return nil
	})
	return members, err
}

// usableKey returns m as a key if it is one for RS256 signatures: public, of at
// least 2048 bits, and not meant for something else; otherwise nil.
func usableKey(m jwkset.JWKMarshal) *rsa.PublicKey {
	if m.KID == "" || m.KTY != jwkset.KtyRSA || m.D != "" ||
		m.KEYOPS != nil && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
		return nil
	}
	jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil
	}
	pub, ok := verifies(jwk).(*rsa.PublicKey)
	if !ok || keys.CheckPublic(pub) != nil {
		return nil
	}
	return pub
}

// verifies returns what keyfunc verifies an RS256 token with that names jwk, or
// nil if by its use and alg it is not for that. It is asked once for each key of
// a set and not for each token, because its answer takes memory that a decision
// can do without.
func verifies(jwk jwkset.JWK) any {
	storage := jwkset.NewMemoryStorage()
	if storage.KeyWrite(context.Background(), jwk) != nil {
		return nil
	}
	resolve, err := keyfunc.New(keyfunc.Options{Storage: storage, UseWhitelist: []jwkset.USE{jwkset.UseSig, ""}})
	if err != nil {
		return nil
	}
	key, err := resolve.Keyfunc(&jwt.Token{Header: map[string]any{
		"alg": jwt.SigningMethodRS256.Alg(), jwkset.HeaderKID: jwk.Marshal().KID,
	}})
	if err != nil {
		return nil
	}
	return key
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

package token

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Expect is what a token must say to be trusted.
type Expect struct {
	Issuer   string        // required
	Audience string        // required: the API for an access token, the client for an ID token
	Now      time.Time     // zero: time.Now()
	Leeway   time.Duration // how far the issuer's clock may be from ours; zero: not at all

	// InsecureAllowExpired accepts an ID token after its time. It is for the
	// id_token_hint of a logout, which need not be current (RP-Initiated Logout
	// 1.0, Section 4), and MUST NOT be set where a token grants anything.
	InsecureAllowExpired bool
	// InsecureAnyAudience accepts a token for whichever one audience it names. It
	// is for the issuer itself, whose tokens are for several APIs, and for an
	// id_token_hint that comes without a client_id; the caller MUST then judge
	// the token's Audience itself. This one is not looked at.
	InsecureAnyAudience bool
}

// KeyFunc returns the public key with the given id, of 2048 bits or more. It
// returns an error that wraps [ErrKeyUnknown], or no key and no error, if there
// is none.
type KeyFunc func(ctx context.Context, keyID string) (*rsa.PublicKey, error)

// Keys returns a KeyFunc over a few keys, by their thumbprints.
func Keys(published ...*rsa.PublicKey) KeyFunc {
	byID := make(map[string]*rsa.PublicKey, len(published))
	for _, pub := range published {
		byID[keys.Thumbprint(pub)] = pub
	}
	return func(_ context.Context, keyID string) (*rsa.PublicKey, error) {
		return byID[keyID], nil
	}
}

// errUnspecified is a mistake of the caller, not of a token: to leave out the
// issuer or the audience would accept tokens meant for someone else.
var errUnspecified = errors.New("verifying token: issuer and audience must be given")

// VerifyAccess returns the content of rawToken if it is an access token that is
// to be trusted now. The error is a [*Refusal] if it is not, and another error
// if that could not be found out.
func VerifyAccess(ctx context.Context, rawToken string, key KeyFunc, want Expect) (Access, error) {
	if want.Issuer == "" || want.Audience == "" && !want.InsecureAnyAudience {
		return Access{}, errUnspecified
	}
	// "resource server MUST verify that the 'typ' header value is 'at+jwt' or
	// 'application/at+jwt' and reject tokens carrying any other value" (RFC
	// 9068, Section 4).
	payload, err := verifySignature(ctx, rawToken, key, TypeAccess, "application/"+TypeAccess)
	if err != nil {
		return Access{}, err
	}
	a, r, err := readAccess(payload)
	if err != nil {
		return Access{}, err
	}
	if err := r.check(want); err != nil {
		return Access{}, err
	}
	a.Audience = want.Audience
	if want.InsecureAnyAudience {
		if len(r.audience) != 1 { // ours have one
			return Access{}, refuse(ReasonAudience)
		}
		a.Audience = r.audience[0]
	}
	return a, nil
}

// VerifyID returns the content of rawToken if it is an ID token that we issued,
// for the expected client. Errors are those of [VerifyAccess].
func VerifyID(ctx context.Context, rawToken string, key KeyFunc, want Expect) (ID, error) {
	if want.Issuer == "" || want.Audience == "" && !want.InsecureAnyAudience {
		return ID{}, errUnspecified
	}
	payload, err := verifySignature(ctx, rawToken, key, TypeID)
	if err != nil {
		return ID{}, err
	}
	id, r, err := readID(payload)
	if err != nil {
		return ID{}, err
	}
	if err := r.check(want); err != nil {
		return ID{}, err
	}
	return id, nil
}

// verifySignature returns the payload of rawToken if the key that its header
// names has signed it. It looks at no claim, so that a token which is expired
// and forged is a forged one.
func verifySignature(ctx context.Context, rawToken string, key KeyFunc, types ...string) ([]byte, error) {
	t, err := split(rawToken)
	if err != nil {
		return nil, err
	}
	keyID, err := readHeader(t.header, types...)
	if err != nil {
		return nil, err
	}
	pub, err := key(ctx, keyID)
	switch {
	case errors.Is(err, ErrKeyUnknown), err == nil && pub == nil:
		return nil, refuse(ReasonKeyUnknown)
	case err != nil:
		return nil, fmt.Errorf("finding verification key: %w", err)
	}
	if err := jwt.SigningMethodRS256.Verify(t.signed, t.signature, pub); err != nil {
		return nil, refuse(ReasonSignature)
	}
	return t.payload, nil
}

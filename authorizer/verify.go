package authorizer

import (
	"context"
	"crypto/rsa"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// verify returns the token if it is to be trusted now. The error is a
// [*token.Refusal] or our own trouble.
func (a *Authorizer) verify(ctx context.Context, rawToken string) (*verified, error) {
	if v := a.cache.get(rawToken); v != nil && a.stillValid(ctx, v) {
		return v, nil
	}
	return a.verifyNew(ctx, rawToken)
}

func (a *Authorizer) verifyNew(ctx context.Context, rawToken string) (*verified, error) {
	v := &verified{rawToken: strings.Clone(rawToken)} // not a part of the event
	if len(a.foreign) > 0 {
		v.issuer = a.foreign[token.UnverifiedIssuer(rawToken)]
	}
	remember := func(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
		key, err := a.keysOf(v)(ctx, keyID)
		v.keyID, v.key = keyID, key
		return key, err
	}
	var err error
	if v.issuer == nil {
		v.access, err = token.VerifyAccess(ctx, rawToken, remember, token.Expect{Issuer: a.c.Issuer, Audience: a.c.Audience, Now: a.c.Now(), Leeway: a.c.Leeway})
	} else {
		v.access, err = v.issuer.Verify(ctx, rawToken, remember, a.c.Now(), a.c.Leeway)
	}
	if err != nil {
		return nil, err
	}
	v.who = identity.Identity{
		Subject: v.access.Subject, Email: v.access.Email, Name: v.access.Name,
		Roles: v.access.Roles, Scopes: v.access.Scopes,
		ClientID: v.access.ClientID, SessionID: v.access.SessionID,
		AuthTime: v.access.AuthTime, ExpiresAt: v.access.ExpiresAt,
	}
	if v.issuer != nil {
		v.access.ClientID = "" // the feed knows clients of ours, and this can have the same id
	}
	if v.context, err = contextOf(v.who); err != nil {
		return nil, err
	}
	a.cache.add(v)
	return v, nil
}

// keysOf returns the keys of the token's issuer, and of no other.
func (a *Authorizer) keysOf(v *verified) token.KeyFunc {
	if v.issuer != nil {
		return v.issuer.keys
	}
	return a.c.Keys
}

// stillValid tells whether what was verified before would verify now: it has not
// expired, and the key that signed it is still one of its issuer's.
func (a *Authorizer) stillValid(ctx context.Context, v *verified) bool {
	now := a.c.Now()
	if v.access.CheckTime(now, a.c.Leeway) != nil || v.issuer != nil && v.issuer.CheckAge(v.access, now) != nil {
		return false
	}
	key, err := a.keysOf(v)(ctx, v.keyID)
	return err == nil && key != nil && (key == v.key || key.Equal(v.key))
}

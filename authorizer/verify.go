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
	if v := a.cache.get(rawToken); v != nil && a.standing(ctx, v) {
		return v, nil
	}
	return a.verifyNew(ctx, rawToken)
}

func (a *Authorizer) verifyNew(ctx context.Context, rawToken string) (*verified, error) {
	v := &verified{rawToken: strings.Clone(rawToken)} // not a part of the event
	var err error
	v.access, err = token.VerifyAccess(ctx, rawToken, func(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
		key, err := a.c.Keys(ctx, keyID)
		v.keyID, v.key = keyID, key
		return key, err
	}, token.Expect{Issuer: a.c.Issuer, Audience: a.c.Audience, Now: a.c.Now(), Leeway: a.c.Leeway})
	if err != nil {
		return nil, err
	}
	v.who = identity.Identity{
		Subject: v.access.Subject, Email: v.access.Email, Name: v.access.Name,
		Roles: v.access.Roles, Scopes: v.access.Scopes,
		ClientID: v.access.ClientID, SessionID: v.access.SessionID,
		AuthTime: v.access.AuthTime, ExpiresAt: v.access.ExpiresAt,
	}
	if v.context, err = contextOf(v.who); err != nil {
		return nil, err
	}
	a.cache.add(v)
	return v, nil
}

// standing tells whether what was verified before would verify now: it is still
// its time, and the key that signed it is still one of the issuer's.
func (a *Authorizer) standing(ctx context.Context, v *verified) bool {
	if v.access.CheckTime(a.c.Now(), a.c.Leeway) != nil {
		return false
	}
	key, err := a.c.Keys(ctx, v.keyID)
	return err == nil && key != nil && (key == v.key || key.Equal(v.key))
}

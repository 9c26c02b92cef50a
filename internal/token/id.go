package token

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Sign returns id as a signed token, as [Access.Sign] does. A claim in Claims
// can add to what the token says and never change it.
func (id ID) Sign(ctx context.Context, s keys.Signer) (string, error) {
	if err := complete(id.Issuer, id.Subject, id.Audience, id.IssuedAt, id.ExpiresAt); err != nil {
		return "", fmt.Errorf("signing ID token: %w", err)
	}
	claims := jwt.MapClaims{}
	maps.Copy(claims, id.Claims)
	maps.DeleteFunc(claims, func(name string, _ any) bool { return reserved(name) })
	maps.Copy(claims, jwt.MapClaims{
		"iss": id.Issuer, "sub": id.Subject, "aud": id.Audience,
		"exp": id.ExpiresAt.Unix(), "iat": id.IssuedAt.Unix(),
	})
	if !id.AuthTime.IsZero() {
		claims["auth_time"] = id.AuthTime.Unix()
	}
	if len(id.AMR) > 0 {
		claims["amr"] = id.AMR
	}
	for name, value := range map[string]string{"nonce": id.Nonce, "sid": id.SessionID, "acr": id.ACR, "at_hash": id.AccessTokenHash} {
		if value != "" {
			claims[name] = value
		}
	}
	rawToken, err := sign(ctx, s, TypeID, claims)
	if err != nil {
		return "", fmt.Errorf("signing ID token: %w", err)
	}
	return rawToken, nil
}

// reserved tells whether a claim's name has a meaning in a token of ours, or one
// of its standards gives it a meaning that decides something (RFC 7519, Section
// 4.1; OpenID Connect Core 1.0, Section 2; RFC 9068, Section 2.2).
func reserved(name string) bool {
	switch name {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "kid", "alg",
		"nonce", "auth_time", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "sid",
		"client_id", "scope", "scp", "roles", "groups", "entitlements", "cnf", "act", "may_act", "events":
		return true
	}
	return false
}

// readID reads the payload of an ID token.
func readID(payload []byte) (ID, registered, error) {
	var id ID
	r, err := readClaims(payload, func(name, value string) (ok bool) {
		switch name {
		case "nonce":
			id.Nonce, ok = text(value)
		case "sid":
			id.SessionID, ok = text(value)
		case "acr":
			id.ACR, ok = text(value)
		case "amr":
			ok = json.Unmarshal([]byte(value), &id.AMR) == nil
		case "at_hash":
			id.AccessTokenHash, ok = text(value)
		case "auth_time":
			id.AuthTime, ok = instant(value)
		default:
			if reserved(name) {
				return true
			}
			if id.Claims == nil {
				id.Claims = map[string]any{}
			}
			var v any
			ok = json.Unmarshal([]byte(value), &v) == nil
			id.Claims[name] = v
		}
		return ok
	})
	if err != nil {
		return ID{}, registered{}, err
	}
	id.Issuer, id.Subject = r.issuer, r.subject
	id.IssuedAt, id.ExpiresAt = r.issuedAt, r.expiresAt
	switch len(r.audience) {
	case 0: // refused as a missing claim
	case 1:
		id.Audience = r.audience[0]
	default: // an ID token of ours is for one client
		return ID{}, registered{}, refuse(ReasonAudience)
	}
	return id, r, nil
}

package token

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Sign returns a as a signed token. The signature is verified before the token
// is returned. An error wraps [keys.ErrUnavailable] if the same call may succeed
// later.
func (a Access) Sign(ctx context.Context, s keys.Signer) (string, error) {
	if a.ID == "" {
		a.ID = rand.Text()
	}
	if err := a.complete(); err != nil {
		return "", fmt.Errorf("signing access token: %w", err)
	}
	claims := accessClaims{
		Issuer: a.Issuer, Subject: a.Subject, Audience: a.Audience,
		ExpiresAt: a.ExpiresAt.Unix(), IssuedAt: a.IssuedAt.Unix(),
		ID: a.ID, ClientID: a.ClientID, SessionID: a.SessionID,
		Scope: strings.Join(a.Scopes, " "), Roles: a.Roles, Name: a.Name, Email: a.Email,
	}
	if !a.AuthTime.IsZero() {
		claims.AuthTime = a.AuthTime.Unix()
	}
	rawToken, err := sign(ctx, s, TypeAccess, claims)
	if err != nil {
		return "", fmt.Errorf("signing access token: %w", err)
	}
	return rawToken, nil
}

// accessClaims is how an access token is written.
type accessClaims struct {
	jwt.Claims `json:"-"` // what a validator would ask; nothing is validated here

	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ExpiresAt int64    `json:"exp"`
	IssuedAt  int64    `json:"iat"`
	ID        string   `json:"jti"`
	ClientID  string   `json:"client_id"`
	SessionID string   `json:"sid,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	Roles     []string `json:"roles,omitzero"`
	AuthTime  int64    `json:"auth_time,omitempty"`
	Name      string   `json:"name,omitempty"`
	Email     string   `json:"email,omitempty"`
}

// complete returns an error for a token that nobody could verify, or that would
// be read as granting something else than a says.
func (a Access) complete() error {
	if a.ClientID == "" {
		return errIncomplete
	}
	for _, scope := range a.Scopes {
		if !scopeToken(scope) {
			return fmt.Errorf("scope %q: want printable ASCII without spaces and quotes", scope)
		}
	}
	for _, role := range a.Roles {
		if role == "" || strings.ContainsFunc(role, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
			return fmt.Errorf("role %q: want printable text without spaces", role)
		}
	}
	return complete(a.Issuer, a.Subject, a.Audience, a.IssuedAt, a.ExpiresAt)
}

// scopeToken tells whether s is one scope-token (RFC 6749, Section 3.3), so that
// it stays one in a list that is separated by spaces.
func scopeToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == '"' || r == '\\' || r > '~'
	})
}

// readAccess reads the payload of an access token.
func readAccess(payload []byte) (Access, registered, error) {
	var a Access
	r, err := readClaims(payload, func(name, value string) (ok bool) {
		switch name {
		case "jti":
			a.ID, ok = text(value)
		case "client_id":
			a.ClientID, ok = text(value)
		case "sid":
			a.SessionID, ok = text(value)
		case "scope":
			var scope string
			scope, ok = text(value)
			a.Scopes = words(scope)
		case "roles":
			a.Roles, ok = list(value)
		case "auth_time":
			a.AuthTime, ok = instant(value)
		case "name":
			a.Name, ok = text(value)
		case "email":
			a.Email, ok = text(value)
		default:
			return true
		}
		return ok
	})
	if err != nil {
		return Access{}, registered{}, err
	}
	if r.bound {
		// A bearer who need not prove that the key is theirs can have stolen the
		// token (RFC 7800, Section 3; RFC 8705; RFC 9449).
		return Access{}, registered{}, refuse(ReasonConfirmation)
	}
	if err := required(claim{"jti", a.ID != ""}, claim{"client_id", a.ClientID != ""}); err != nil {
		return Access{}, registered{}, err
	}
	a.Issuer, a.Subject = r.issuer, r.subject
	a.IssuedAt, a.ExpiresAt, a.NotBefore = r.issuedAt, r.expiresAt, r.notBefore
	return a, r, nil
}

// words splits a list at its spaces.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ' ' })
}

package identity

import (
	"fmt"
	"strings"
	"time"
)

// fromClaims reads the claims of a token that API Gateway has verified itself. It
// hands on every claim as a string: a list as "[a b]", a number as its digits. A
// REST API writes exp as a date.
//
// Gatehouse's access tokens have only verified addresses, and name the client in
// client_id. Of other tokens the address counts if email_verified says so: many
// issuers let people write any address into their profile.
func fromClaims(claims map[string]any) (Identity, error) {
	if v := claims[keySubject]; v == nil || v == "" {
		return Identity{}, ErrNone
	}
	r := reader{m: claims}
	i := Identity{
		Subject:   r.word(keySubject),
		Name:      plain(r.text(keyName)),
		Roles:     r.flattened(keyRoles),
		Scopes:    r.flattened(r.first(keyScope, "scp")),
		ClientID:  r.word(r.first(keyClientID, "azp", "cid", "appid")), // RFC 9068; Auth0, Entra and Keycloak; Okta; Entra v1
		SessionID: r.word(keySessionID),
		AuthTime:  r.date(keyAuthTime),
		ExpiresAt: r.date(keyExpiresAt),
	}
	verified, said := claims["email_verified"]
	if said && (verified == "true" || verified == true) || !said && claims[keyClientID] != nil {
		i.Email = r.word(keyEmail)
	}
	if r.err != nil {
		return Identity{}, fmt.Errorf("reading claims: %w", r.err)
	}
	return i, nil
}

// first returns the first of names that is there, or the last.
func (r *reader) first(names ...string) string {
	for _, name := range names {
		if r.m[name] != nil {
			return name
		}
	}
	return names[len(names)-1]
}

// flattened reads a list that API Gateway made a string of. It returns nil if there
// is none, and an empty list for "[]". Where an element held a space, nobody can
// tell it from two: roles and scopes of Gatehouse hold none.
func (r *reader) flattened(key string) []string {
	s, isText := r.m[key].(string)
	inner, open := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	switch {
	case r.m[key] == nil:
		return nil
	case isText && open && closed:
		return append([]string{}, r.split(key, inner)...)
	}
	return r.list(key)
}

// date reads Unix seconds or, as a REST API writes them, "Fri Jul 29 18:52:53 UTC
// 2016".
func (r *reader) date(key string) time.Time {
	s, _ := r.m[key].(string)
	if at, err := time.Parse("Mon Jan _2 15:04:05 UTC 2006", s); err == nil && at.Unix() >= 0 {
		return at
	}
	return r.time(key)
}

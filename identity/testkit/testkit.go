// Package testkit helps to test protected functions. It makes callers, and the
// events that API Gateway sends once the authorizer has let a caller pass, so
// that a function is tested with no token at all:
//
//	answer, err := handle(ctx, testkit.HTTP(testkit.As("ada", testkit.Roles("admin")), "GET", "/notes", ""))
//
// For what verifies tokens by itself there is an [Issuer] that is thrown away
// with the test.
//
// Part of Gatehouse's promised API.
package testkit

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// TTL is how long the tokens of [As] live, from when As is called.
const TTL = 10 * time.Minute

// As is a user of the name, who has just signed in: As("ada") has the subject
// u_ada, the address ada@example.com and the role user. Options change that.
func As(name string, options ...Option) identity.Identity {
	now := time.Now().UTC().Truncate(time.Second)
	lower := strings.ToLower(name)
	_, size := utf8.DecodeRuneInString(name)
	who := identity.Identity{
		Subject: "u_" + lower, Email: lower + "@example.com", Name: strings.ToUpper(name[:size]) + name[size:],
		Roles: []string{"user"}, Scopes: []string{"openid", "profile", "email"},
		ClientID: "testkit", SessionID: "s_" + lower, AuthTime: now, ExpiresAt: now.Add(TTL),
	}
	for _, option := range options {
		option(&who)
	}
	return who
}

// Option changes a caller.
type Option func(*identity.Identity)

// Roles gives the caller these roles, and no others. Without any, the caller is a
// user who has none.
func Roles(roles ...string) Option {
	return func(who *identity.Identity) { who.Roles = append([]string{}, roles...) }
}

// Machine makes the caller a client that acts for itself: without a user's roles,
// session and name.
func Machine() Option {
	return func(who *identity.Identity) {
		*who = identity.Identity{Subject: who.ClientID, ClientID: who.ClientID, Scopes: who.Scopes, ExpiresAt: who.ExpiresAt}
	}
}

// Scopes gives the caller's token these scopes, and no others.
func Scopes(scopes ...string) Option { return func(who *identity.Identity) { who.Scopes = scopes } }

// Client makes the caller one who uses the app with this id.
func Client(id string) Option { return func(who *identity.Identity) { who.ClientID = id } }

// Expired lets the caller's token have ended an hour ago. A function sees such a
// caller for as long as the gateway keeps the authorizer's answer, and on a
// WebSocket for as long as the connection is open.
func Expired() Option {
	return func(who *identity.Identity) {
		who.AuthTime = who.AuthTime.Add(-time.Hour - TTL)
		who.ExpiresAt = who.ExpiresAt.Add(-time.Hour - TTL)
	}
}

// Package identity tells a protected function who called. The authorizer has
// verified the caller's token before the function runs, and hands on what it
// found in the request context; this package reads it from there, on every kind
// of API. A function that imports it never sees a token, and reaches nothing but
// the standard library and the Lambda event types.
//
// Part of Gatehouse's promised API.
package identity

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Identity is a caller whose token the authorizer has verified. The zero value
// is nobody.
type Identity struct {
	Subject string // the user's id, "u_…"; never changes and is never given to anyone else
	Email   string // "" unless the token was granted the scope email
	Name    string // for people to read; "" if unknown
	// Roles is what the user is, as gatehouse.yml declares it. It is nil, and not
	// only empty, for a machine and for a third-party client, which have none.
	Roles     []string
	Scopes    []string // what the user lets the app do
	ClientID  string   // the app that asked for the token
	SessionID string   // the sign-in that the token comes from

	AuthTime  time.Time // when the user last proved who they are; zero if unknown
	ExpiresAt time.Time // when the token ends; zero if unknown
}

// ErrNone says that an event or a context carries no identity: the route is
// public, or is guarded by something other than the authorizer.
var ErrNone = errors.New("no identity")

// HasRole tells whether the caller has the role.
func (i Identity) HasRole(role string) bool { return slices.Contains(i.Roles, role) }

// HasScope tells whether the caller's token was granted the scope.
func (i Identity) HasScope(scope string) bool { return slices.Contains(i.Scopes, scope) }

// String names the caller without personal data, so that it may be printed.
func (i Identity) String() string {
	if i.Subject == "" {
		return "nobody"
	}
	return i.Subject + " [" + strings.Join(i.Roles, " ") + "]"
}

// GoString is String, so that no format prints personal data.
func (i Identity) GoString() string { return i.String() }

// LogValue is what a log may hold about the caller: no name and no e-mail.
func (i Identity) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("sub", i.Subject),
		slog.String("client_id", i.ClientID),
		slog.String("roles", strings.Join(i.Roles, " ")),
	)
}

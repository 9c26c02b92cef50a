// Package policy says who can call which route: rules from gatehouse.yml,
// compiled once, decided without I/O.
//
// Part of Gatehouse's promised API.
package policy

import (
	"fmt"
	"time"
)

// Rule guards one route. A rule that names no scope admits users of first-party
// clients alone, and so does a route without a rule: a machine or a third-party
// client needs a rule that names a scope which it has.
type Rule struct {
	// Route is a route key of API Gateway: "GET /users/{id}", "ANY /demo/{proxy+}".
	Route string `json:"route"`
	// Roles is satisfied by any one of them; empty requires none.
	Roles []string `json:"roles,omitempty"`
	// AllRoles is satisfied only by all of them together.
	AllRoles []string `json:"all_roles,omitempty"`
	// Scopes is satisfied by any one of them; empty requires none.
	Scopes []string `json:"scopes,omitempty"`
	// AllScopes is satisfied only by all of them together.
	AllScopes []string `json:"all_scopes,omitempty"`
	// Fresh reads the revocation feed at every request, and refuses if it cannot.
	Fresh bool `json:"fresh,omitempty"`
	// MaxAuthAge is the greatest time since the user signed in; 0 sets no limit.
	// A token that does not say when (auth_time) is refused.
	MaxAuthAge Span `json:"max_auth_age,omitempty"`
	// Public states that the route has no authorizer, so that anyone can call it. It
	// opens nothing: the template does that, and [Policy.CheckPublic] compares the
	// two. An authorizer that is asked all the same decides as if the rule were not
	// there. The rule is for this route alone, never for routes that it covers.
	Public bool `json:"public,omitempty"`
}

// Span is a time span that is written as "10m0s".
type Span time.Duration

func (s Span) String() string { return time.Duration(s).String() }

// MarshalText writes the span for [Span.UnmarshalText].
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a span such as "10m" or "1h30m".
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("want a time span such as 10m, not %q", text)
	}
	*s = Span(d)
	return nil
}

// Requires tells whether the rule requires more than a valid token.
func (r Rule) Requires() bool {
	return r.Fresh || r.MaxAuthAge != 0 || len(r.Roles)+len(r.AllRoles)+len(r.Scopes)+len(r.AllScopes) > 0
}

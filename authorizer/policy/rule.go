// Package policy is who may call which route: rules from gatehouse.yml,
// compiled once, decided without I/O.
//
// Part of Gatehouse's promised API.
package policy

// Rule guards one route. A route without a rule needs a valid token and nothing
// more.
type Rule struct {
	// Route is a route key of API Gateway: "GET /users/{id}", "ANY /demo/{proxy+}".
	Route string `json:"route"`
	// Roles is satisfied by any one of them; empty asks for none.
	Roles []string `json:"roles,omitempty"`
	// AllRoles is satisfied only by all of them together.
	AllRoles []string `json:"all_roles,omitempty"`
	// Scopes is satisfied by any one of them; empty asks for none.
	Scopes []string `json:"scopes,omitempty"`
	// AllScopes is satisfied only by all of them together.
	AllScopes []string `json:"all_scopes,omitempty"`
	// Fresh asks the revocation feed at every request, and refuses if the feed
	// cannot be had.
	Fresh bool `json:"fresh,omitempty"`
}

package config

import (
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// ownRules guard the routes of Gatehouse's own user API. A team cannot change them,
// nor forget one: an app, a machine or a demoted admin must not reach a route that
// changes accounts.
//
// usersvc/api also asks for the scope account and for a recent sign-in, because only
// a function can answer as RFC 9470 says.
var ownRules = withHEAD([]policy.Rule{
	{Route: "GET /me"},
	{Route: "PATCH /me"},
	{Route: "DELETE /me", Fresh: true},
	{Route: "GET /me/sessions"},
	{Route: "DELETE /me/sessions", Fresh: true},
	{Route: "DELETE /me/sessions/others", Fresh: true},
	{Route: "DELETE /me/sessions/{sid}", Fresh: true},
	{Route: "GET /me/identities"},
	{Route: "DELETE /me/identities/{identity}", Fresh: true},
	{Route: "GET /me/export", Fresh: true},
	{Route: "GET /users", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}},
	{Route: "GET /users/{id}", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}},
	{Route: "PATCH /users/{id}", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "DELETE /users/{id}", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "PUT /users/{id}/roles", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "POST /users/{id}/suspend", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "POST /users/{id}/activate", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "GET /users/{id}/export", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "GET /users/{id}/identities", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}},
	{Route: "GET /users/{id}/sessions", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}},
	{Route: "DELETE /users/{id}/sessions", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "DELETE /users/{id}/sessions/{sid}", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}, Fresh: true},
	{Route: "GET /audit", Roles: []string{AdminRole}, Scopes: []string{client.ScopeAdmin}},
})

// withHEAD adds the rule of each GET for HEAD, which asks for the same.
func withHEAD(rules []policy.Rule) []policy.Rule {
	all := slices.Clone(rules)
	for _, rule := range rules {
		if path, ok := strings.CutPrefix(rule.Route, "GET "); ok {
			rule.Route = "HEAD " + path
			all = append(all, rule)
		}
	}
	return all
}

// Rules returns the rules of the API that has Gatehouse's own routes: theirs, and
// those of the file. A rule of the file for one of these routes is for another API,
// and not among them; see [Config.CheckOwn]. The rules of an API without them are
// Routes alone.
func (c *Config) Rules() []policy.Rule {
	others := slices.DeleteFunc(slices.Clone(c.Routes), func(r policy.Rule) bool { return IsOwn(r.Route) })
	return slices.Concat(ownRules, others)
}

// IsOwn tells whether a route takes the same requests as one of Gatehouse's own.
func IsOwn(routeKey string) bool {
	_, err := policy.Compile(append(slices.Clone(ownRules), policy.Rule{Route: routeKey}))
	return err != nil
}

// CheckOwn returns the [Mistakes] of a file whose rules are for the API that has
// Gatehouse's own routes: a rule for one of these would not count.
func (c *Config) CheckOwn() error {
	if len(c.OwnRoutes) == 0 {
		return nil
	}
	return c.OwnRoutes
}

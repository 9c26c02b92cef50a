package policy

import (
	"slices"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// find returns the rule for the route: its own, or else that of the narrowest
// route around it. It returns nil if there is none.
func (p *Policy) find(routeKey string) *compiled {
	if p == nil {
		return nil
	}
	if c := p.byKey[routeKey]; c != nil {
		return c
	}
	r, err := parseRoute(routeKey)
	if err != nil {
		return nil
	}
	return p.around(r)
}

func (p *Policy) around(r route) *compiled {
	var best *compiled
	for i := range p.rules {
		c := &p.rules[i]
		if c.route.covers(r) && (best == nil || c.route.compare(best.route) < 0) {
			best = c
		}
	}
	return best
}

// Decision is the answer for one route and one caller.
type Decision struct {
	Allowed bool
	Missing Missing // what was not there, if not allowed
	Rule    *Rule   // the rule that decided; nil if there is none
}

// Missing says what a caller lacks.
type Missing string

// What a caller may lack. A caller who lacks both is told about the role.
const (
	MissingRole  Missing = "role"  // a role, or one of several
	MissingScope Missing = "scope" // a scope, or one of several
	MissingRoute Missing = "route" // nothing: what was asked for is no route
)

// Decide tells whether who may call the route. The route key is the one that API
// Gateway has chosen for the request, never one made from the request's path. A
// route without a rule of its own has that of the narrowest route around it:
// "ANY /admin/{proxy+}" also guards "GET /admin/users". A route without any needs
// a caller and nothing more.
func (p *Policy) Decide(routeKey string, who identity.Identity) Decision {
	c := p.find(routeKey)
	if c == nil {
		if _, err := parseRoute(routeKey); err != nil {
			return Decision{Missing: MissingRoute}
		}
		return Decision{Allowed: true}
	}
	missing := c.missing(who)
	return Decision{Allowed: missing == "", Missing: missing, Rule: &c.Rule}
}

// Fresh tells whether a decision about the route holds only if the revocation
// feed was asked just now.
func (p *Policy) Fresh(routeKey string) bool {
	c := p.find(routeKey)
	return c != nil && c.Fresh
}

// HasFresh tells whether any route is marked fresh.
func (p *Policy) HasFresh() bool {
	return p != nil && slices.ContainsFunc(p.rules, func(c compiled) bool { return c.Fresh })
}

// missing returns what who lacks for the rule.
func (r Rule) missing(who identity.Identity) Missing {
	if !satisfied(r.Roles, r.AllRoles, who.HasRole) {
		return MissingRole
	}
	if !satisfied(r.Scopes, r.AllScopes, who.HasScope) {
		return MissingScope
	}
	return ""
}

func satisfied(anyOf, allOf []string, has func(string) bool) bool {
	if len(anyOf) > 0 && !slices.ContainsFunc(anyOf, has) {
		return false
	}
	for _, word := range allOf {
		if !has(word) {
			return false
		}
	}
	return true
}

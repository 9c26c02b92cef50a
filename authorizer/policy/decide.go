package policy

import (
	"slices"
	"time"

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
	Missing Missing // what the caller lacks, if not allowed
	Rule    *Rule   // the rule that decided; nil if there is none
}

// Missing says what a caller lacks.
type Missing string

// What a caller can lack, in the order in which it is looked for.
const (
	MissingRoute Missing = "route"       // nothing: what was asked for is not a route
	MissingRole  Missing = "role"        // a role, or one of several
	MissingScope Missing = "scope"       // a scope, or one of several
	MissingUser  Missing = "first_party" // to be the user of a first-party client
	MissingLogin Missing = "auth_age"    // a recent sign-in
)

// Decide tells whether who can call the route at the time now. The route key is
// the one that API Gateway has chosen for the request, never one made from the
// request's path. A route without a rule of its own has that of the narrowest
// route around it: "ANY /admin/{proxy+}" also guards "GET /admin/users". A route
// without any admits the users of first-party clients.
func (p *Policy) Decide(routeKey string, who identity.Identity, now time.Time) Decision {
	c := p.find(routeKey)
	if c == nil {
		if _, err := parseRoute(routeKey); err != nil {
			return Decision{Missing: MissingRoute}
		}
		missing := Rule{}.missing(who, now)
		return Decision{Allowed: missing == "", Missing: missing}
	}
	missing := c.missing(who, now)
	return Decision{Allowed: missing == "", Missing: missing, Rule: &c.Rule}
}

// Fresh tells whether a decision about the route holds only if the revocation
// feed was read just now.
func (p *Policy) Fresh(routeKey string) bool {
	c := p.find(routeKey)
	return c != nil && c.Fresh
}

// HasFresh tells whether any route is marked fresh.
func (p *Policy) HasFresh() bool {
	return p != nil && slices.ContainsFunc(p.rules, func(c compiled) bool { return c.Fresh })
}

// missing returns what who lacks for the rule.
func (r Rule) missing(who identity.Identity, now time.Time) Missing {
	switch {
	case !satisfied(r.Roles, r.AllRoles, who.HasRole):
		return MissingRole
	case !satisfied(r.Scopes, r.AllScopes, who.HasScope):
		return MissingScope
	case r.firstPartyOnly() && who.Roles == nil:
		return MissingUser
	case r.MaxAuthAge > 0 && (who.AuthTime.IsZero() || now.Sub(who.AuthTime) > time.Duration(r.MaxAuthAge)):
		return MissingLogin
	}
	return ""
}

// firstPartyOnly tells whether the rule names no scope. Then a machine or a
// third-party client has nothing to show: its token has no claim roles.
func (r Rule) firstPartyOnly() bool { return len(r.Scopes)+len(r.AllScopes) == 0 }

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

package policy

import (
	"errors"
	"fmt"
	"slices"
)

// Public tells whether a rule states that the route has no authorizer. Only a rule
// for this very route does: a wide public rule must not hide that the authorizer of
// another route was forgotten.
func (p *Policy) Public(routeKey string) bool { return p.PublicRule(routeKey) != nil }

// PublicRule returns the rule which states that the route has no authorizer, or nil.
func (p *Policy) PublicRule(routeKey string) *Rule {
	r, err := parseRoute(routeKey)
	if err != nil || p == nil {
		return nil
	}
	for _, public := range p.public {
		if r.same(public) {
			return &Rule{Route: public.key, Public: true}
		}
	}
	return nil
}

// CheckPublic returns an error for every public rule that the API contradicts,
// given the keys of the routes that have an authorizer: the route is one of them,
// or its requests go to one because the API has no route of that key.
// open are the keys of the routes without one.
func (p *Policy) CheckPublic(guarded, open []string) error {
	if p == nil {
		return nil
	}
	var mistakes []error
	for _, r := range p.public {
		if guard := guardOf(r, guarded, open); guard != "" {
			mistakes = append(mistakes, fmt.Errorf("route %q: the rule says public, and the template has an authorizer on %q: take it off that route, or public out of the rule", r.key, guard))
		}
	}
	return errors.Join(mistakes...)
}

// checkOpen returns an error if a public rule has no route.
func (p *Policy) checkOpen(routeKey string, guarded, open []string) error {
	r, err := parseRoute(routeKey)
	isIt := func(key string) bool {
		other, err := parseRoute(key)
		return err == nil && other.same(r)
	}
	if err != nil || r.special == connectRoute || guardOf(r, guarded, open) != "" || slices.ContainsFunc(open, isIt) {
		return nil
	}
	return fmt.Errorf("route %q: the rule says public, and the API has no such route: correct it, or add the route to serverless.yml", routeKey)
}

// guardOf returns the key of the guarded route that takes requests of r, or "".
func guardOf(r route, guarded, open []string) string {
	var best route
	isOpen := false
	for i, key := range slices.Concat(guarded, open) {
		other, err := parseRoute(key)
		if err != nil || !other.covers(r) || best.key != "" && other.compare(best) >= 0 {
			continue
		}
		best, isOpen = other, i >= len(guarded)
	}
	if isOpen {
		return ""
	}
	return best.key
}

package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Policy is compiled rules. It never changes, and is safe for concurrent use.
// The nil Policy has no rules.
type Policy struct {
	rules []compiled
	byKey map[string]*compiled

	all    []Rule  // as they were given
	public []route // of the rules that guard nothing; they are not in rules
}

type compiled struct {
	Rule
	route route

	allow, deny []string // patterns for an IAM policy, if the rule admits the caller
	reaches     []int    // other rules whose routes the stars of allow match
}

// Compile checks the rules and makes them ready for decisions. The error tells
// every mistake, each with the rule it is in and what would be right.
func Compile(rules []Rule) (*Policy, error) {
	p := &Policy{byKey: make(map[string]*compiled, len(rules))}
	var mistakes []error
	for i, rule := range rules {
		r, err := parseRoute(rule.Route)
		if err == nil {
			err = errors.Join(rule.check(), p.unique(r))
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("rule %d, route %q: %w", i+1, rule.Route, err))
			continue
		}
		if p.all = append(p.all, rule); rule.Public {
			p.public = append(p.public, r)
		} else {
			p.rules = append(p.rules, compiled{Rule: rule, route: r})
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	for i := range p.rules {
		p.byKey[p.rules[i].Route] = &p.rules[i]
	}
	p.compileIAM()
	return p, nil
}

// check returns an error for a rule that cannot mean what it says.
func (r Rule) check() error {
	if r.Public && r.Requires() {
		return errors.New("public: the route has no authorizer, so the rule can require nothing else: take public out, or the rest")
	}
	if r.MaxAuthAge != 0 && (time.Duration(r.MaxAuthAge) < time.Minute || time.Duration(r.MaxAuthAge) > 400*24*time.Hour) {
		return fmt.Errorf("max_auth_age: want 1m to 400d, not %v", r.MaxAuthAge)
	}
	for name, list := range map[string][]string{
		"roles": r.Roles, "all_roles": r.AllRoles, "scopes": r.Scopes, "all_scopes": r.AllScopes,
	} {
		for i, word := range list {
			if word == "" || strings.ContainsAny(word, " \t\r\n") {
				return fmt.Errorf("%s: %q: want a name without spaces; a list has one entry for each", name, word)
			}
			if slices.Contains(list[:i], word) {
				return fmt.Errorf("%s: %q is there twice", name, word)
			}
		}
	}
	return nil
}

// unique returns an error if another rule is for the same requests.
func (p *Policy) unique(r route) error {
	for _, other := range p.rules {
		if other.route.same(r) {
			return fmt.Errorf("has the rule %q already; put both into one", other.Route)
		}
	}
	for _, other := range p.public {
		if other.same(r) {
			return fmt.Errorf("has the rule %q already, which is public; take one of the two out", other.key)
		}
	}
	return nil
}

// Load returns the policy that data holds, in the form that [Policy.MarshalJSON]
// writes: that of the file in the authorizer's zip.
func Load(data []byte) (*Policy, error) {
	var file struct {
		Rules *[]Rule `json:"rules"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields() // a misspelt field is a rule that guards nothing
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading policy: %w", err)
	}
	if file.Rules == nil || d.More() {
		return nil, errors.New(`reading policy: want one object with the member "rules"`)
	}
	p, err := Compile(*file.Rules)
	if err != nil {
		return nil, fmt.Errorf("reading policy: %w", err)
	}
	return p, nil
}

// MarshalJSON writes the rules for [Load].
func (p *Policy) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]Rule{"rules": p.Rules()})
}

// Rules returns the rules, in the order in which they were given.
func (p *Policy) Rules() []Rule {
	rules := []Rule{}
	if p != nil {
		rules = append(rules, p.all...)
	}
	return rules
}

// CheckRoutes returns an error for every rule that no route of an API obeys,
// because no request ever arrives under its key: neither is the rule for one of
// the routes, nor does it cover one. A rule for "GET /demo/admin" guards nothing
// where the API has "ANY /demo/{proxy+}" alone. A rule for $connect is taken as it
// is: a WebSocket API is always another one than that of the routes.
//
// A public rule must have a route of its own among open, those without an
// authorizer, unless [Policy.CheckPublic] tells of it.
func (p *Policy) CheckRoutes(routeKeys []string, open ...string) error {
	var mistakes []error
	for _, rule := range p.Rules() {
		if rule.Public {
			mistakes = append(mistakes, p.checkOpen(rule.Route, routeKeys, open))
			continue
		}
		guards := rule.Route == connectRoute || slices.ContainsFunc(routeKeys, func(key string) bool {
			c := p.find(key)
			return c != nil && c.Route == rule.Route
		})
		if !guards {
			mistakes = append(mistakes, fmt.Errorf("route %q: the rule guards nothing; the API has no such route with a Lambda authorizer: correct it, or add the route to serverless.yml", rule.Route))
		}
	}
	return errors.Join(mistakes...)
}

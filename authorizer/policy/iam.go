package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// Patterns is a caller's access to a whole API as an IAM policy can say it:
// patterns of what an execute-api ARN has after the stage, "GET/users/?*". A star
// stands for any characters, slashes included, and a question mark for one. What
// a Deny pattern matches is not allowed, whatever else matches it.
type Patterns struct {
	Allow []string
	Deny  []string
}

// Permits tells whether the patterns allow a request, given what its ARN has after
// the stage.
func (p Patterns) Permits(request string) bool {
	matched := func(pattern string) bool { return matches(pattern, request) }
	return slices.ContainsFunc(p.Allow, matched) && !slices.ContainsFunc(p.Deny, matched)
}

// Patterns returns what who can call at the time now. It depends on the policy and
// on who, never on a request, so that a gateway can cache the answer and use it
// for every other route. It allows what rules name and nothing else: a route
// without a rule is not allowed.
//
// It never allows what [Policy.Decide] refuses. If [Policy.CheckIAM] finds no
// mistake, it also allows each route whose own rule Decide allows.
//
// Routes marked fresh are allowed only if fresh is set: for an answer that is
// given after the revocation feed was read, and that the gateway does not cache.
func (p *Policy) Patterns(who identity.Identity, fresh bool, now time.Time) Patterns {
	var found Patterns
	if p == nil {
		return found
	}
	allowed := make([]bool, len(p.rules))
	for i := range p.rules {
		c := &p.rules[i]
		allowed[i] = c.missing(who, now) == "" && (fresh || !c.Fresh)
	}
	for i := range p.rules {
		c := &p.rules[i]
		if !allowed[i] || slices.ContainsFunc(c.reaches, func(j int) bool { return !allowed[j] }) {
			continue // its star would allow a route that is refused
		}
		found.Allow = append(found.Allow, c.allow...)
		found.Deny = append(found.Deny, c.deny...)
	}
	if slices.ContainsFunc(found.Allow, hasStar) {
		found.Deny = append(found.Deny, misspellings...)
	}
	return found
}

func hasStar(pattern string) bool { return strings.Contains(pattern, "*") }

// misspellings match paths in which a server could find another path than the
// one that is written. A star must not let them through: "/a/../b" begins like
// "/a/{proxy+}". See [Canonical].
var misspellings = []string{"*..*", "*/./*", "*/.", "*//*", "*%2e*", "*%2E*", "*%2f*", "*%2F*", "*%5c*", "*%5C*"}

// FreshRequest tells whether a request can be for a route marked fresh, given what
// its ARN has after the stage.
func (p *Policy) FreshRequest(request string) bool {
	if p == nil {
		return false
	}
	return slices.ContainsFunc(p.rules, func(c compiled) bool {
		return c.Fresh && (overlaps(c.route.requests(), request) || overlaps(c.route.requests()+"/", request))
	})
}

// compileIAM computes the patterns of every rule, and which routes of other rules
// they reach.
func (p *Policy) compileIAM() {
	for i := range p.rules {
		c := &p.rules[i]
		c.allow, c.deny = p.globs(c.route), p.deeper(c.route)
		for j := range p.rules {
			if i != j && p.reaches(c, &p.rules[j]) {
				c.reaches = append(c.reaches, j)
			}
		}
	}
}

// globs returns patterns that match every request of the route. $default has
// none: an IAM policy cannot say "what no other route takes".
func (p *Policy) globs(r route) []string {
	switch r.special {
	case defaultRoute:
		return nil
	case connectRoute:
		return []string{r.special}
	}
	var globs []string
	for _, method := range p.methodsOf(r) {
		globs = append(globs, method+glob(r.pathPattern()))
	}
	return globs
}

// glob writes the variables of a path pattern for IAM: one character or more.
func glob(pathPattern string) string {
	return strings.ReplaceAll(strings.ReplaceAll(pathPattern, "*", oneSegment), oneSegment, "?*")
}

// deeper returns patterns for requests that the stars of the route's globs match
// and that are not the route's: a variable takes one part of a path, and its star
// takes several. It leaves out those that a rule is for; [Policy.CheckIAM] and
// [Policy.Patterns] look after these.
func (p *Policy) deeper(r route) []string {
	method := r.method
	if method == anyMethod {
		method = "?*"
	}
	var found []string
	for i, s := range r.path {
		if s.greedy || s.literal != "" {
			continue
		}
		longer := r
		longer.path = slices.Insert(slices.Clone(r.path), i, s)
		pattern := method + glob(longer.pathPattern())
		if slices.Contains(found, pattern) || slices.ContainsFunc(p.rules, func(c compiled) bool {
			return c.route.special == "" && overlaps(pattern, c.route.requests())
		}) {
			continue
		}
		found = append(found, pattern)
	}
	return found
}

// methodsOf returns the methods that r takes. ANY is not the star of a pattern,
// which would also take in a part of the path, and leaves out methods that have
// a route of their own.
func (p *Policy) methodsOf(r route) []string {
	if r.method != anyMethod {
		return []string{r.method}
	}
	var taken []string
	for _, method := range methods {
		own := r
		own.method = method
		if !slices.ContainsFunc(p.rules, func(c compiled) bool { return c.route.same(own) }) {
			taken = append(taken, method)
		}
	}
	return taken
}

// pathPattern is the route's path with oneSegment for a variable and a star for
// a greedy one.
func (r route) pathPattern() string {
	var b strings.Builder
	for _, s := range r.path {
		b.WriteByte('/')
		switch {
		case s.greedy:
			b.WriteByte('*')
		case s.literal == "":
			b.WriteString(oneSegment)
		default:
			b.WriteString(s.literal)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// requests is a pattern of the requests that come to r.
func (r route) requests() string {
	switch {
	case r.special == defaultRoute:
		return "*"
	case r.special != "":
		return r.special
	case r.method == anyMethod:
		return oneSegment + r.pathPattern()
	}
	return r.method + r.pathPattern()
}

// reaches tells whether a star of outer's patterns matches requests of inner,
// which some caller that outer admits may not send.
func (p *Policy) reaches(outer, inner *compiled) bool {
	if outer.implies(inner.Rule) || inner.route.special != "" {
		return false
	}
	if inner.route.covers(outer.route) && (!inner.route.greedy() || !slices.Contains(outer.route.path, segment{})) {
		return false // a request that both match goes to outer
	}
	return slices.ContainsFunc(outer.allow, func(pattern string) bool {
		return hasStar(pattern) && slices.ContainsFunc(p.methodsOf(inner.route), func(method string) bool {
			return overlaps(pattern, method+inner.route.pathPattern())
		})
	})
}

func (r route) greedy() bool { return len(r.path) > 0 && r.path[len(r.path)-1].greedy }

// implies tells whether every caller whom r admits is also admitted by other.
func (r Rule) implies(other Rule) bool {
	return (r.Fresh || !other.Fresh) &&
		(other.MaxAuthAge == 0 || r.MaxAuthAge != 0 && r.MaxAuthAge <= other.MaxAuthAge) &&
		(!other.firstPartyOnly() || r.firstPartyOnly() || len(r.Roles)+len(r.AllRoles) > 0) &&
		listImplies(r.Roles, r.AllRoles, other.Roles, other.AllRoles) &&
		listImplies(r.Scopes, r.AllScopes, other.Scopes, other.AllScopes)
}

func listImplies(anyOf, allOf, otherAny, otherAll []string) bool {
	inOther := func(word string) bool { return slices.Contains(otherAny, word) }
	some := len(otherAny) == 0 || slices.ContainsFunc(allOf, inOther) ||
		len(anyOf) > 0 && !slices.ContainsFunc(anyOf, func(word string) bool { return !inOther(word) })
	for _, word := range otherAll {
		if !slices.Contains(allOf, word) && !slices.Equal(anyOf, []string{word}) {
			return false
		}
	}
	return some
}

// maxPatternBytes is what patterns can take of an answer's 8 KB, with the ARN
// before each of them.
const (
	maxPatternBytes = 6 << 10
	arnBytes        = 80
)

// CheckIAM returns an error for every rule that an IAM policy cannot say: a star
// that reaches the route of a rule which requires something else, a rule for
// $default, and rules that are too long for an answer. An API that takes simple
// answers has no such limits.
func (p *Policy) CheckIAM() error {
	if p == nil {
		return nil
	}
	var mistakes []error
	bytes := 0
	for i := range p.rules {
		c := &p.rules[i]
		if c.route.special == defaultRoute {
			mistakes = append(mistakes, errors.New(`route "$default": an IAM policy names what it allows, and cannot name what no other route takes: give every route a rule of its own`))
		}
		for _, j := range c.reaches {
			mistakes = append(mistakes, fmt.Errorf("route %q: in an IAM policy its variable also matches %q, which requires something else: "+
				"require the same on both, or give one of them another path", c.Route, p.rules[j].Route))
		}
		for _, pattern := range slices.Concat(c.allow, c.deny) {
			bytes += arnBytes + len(pattern)
		}
	}
	for _, pattern := range misspellings {
		bytes += arnBytes + len(pattern)
	}
	if bytes > maxPatternBytes {
		mistakes = append(mistakes, fmt.Errorf("the rules can take %d bytes of an IAM policy, of at most %d: "+
			"name methods instead of ANY, and put routes under common paths", bytes, maxPatternBytes))
	}
	return errors.Join(mistakes...)
}

// CheckIAMRoutes returns an error for every route that has no rule and none around
// it: an IAM policy names what it allows, so that the route is always refused.
func (p *Policy) CheckIAMRoutes(routeKeys []string) error {
	var mistakes []error
	for _, key := range routeKeys {
		if p.find(key) == nil {
			mistakes = append(mistakes, fmt.Errorf("route %q: has no rule, and an IAM policy allows only what a rule names: add {route: '%s'}", key, key))
		}
	}
	return errors.Join(mistakes...)
}

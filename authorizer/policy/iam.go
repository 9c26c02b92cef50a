package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// Patterns is a caller's access to a whole API as an IAM policy can say it:
// patterns of what an execute-api ARN has after the stage, "GET/users/*". A star
// stands for any characters, slashes included. What a Deny pattern matches is
// not allowed, whatever else matches it.
type Patterns struct {
	Allow []string
	Deny  []string
}

// Patterns returns what who may call. It depends on the policy and on who alone,
// never on a request, so that a gateway may keep the answer and use it for every
// other route.
//
// Routes marked fresh are allowed only if fresh is set: for an answer that is
// given after the revocation feed was asked, and that nobody keeps.
func (p *Policy) Patterns(who identity.Identity, fresh bool) Patterns {
	var found Patterns
	var refused []*compiled
	others := true // may call the routes without a rule
	if p == nil {
		p = &Policy{}
	}
	for i := range p.rules {
		c := &p.rules[i]
		ok := c.missing(who) == "" && (fresh || !c.Fresh)
		switch {
		case c.route.special == defaultRoute:
			others = ok
		case ok:
			found.Allow = append(found.Allow, p.globs(c)...)
		default:
			refused = append(refused, c)
		}
	}
	if others {
		found.Allow = []string{"*"}
	}
	for _, c := range refused {
		// A star reaches beyond the route that it was meant for.
		reached := func(allowed string) bool {
			return strings.Contains(allowed, "*") && overlaps(allowed, c.route.requests())
		}
		if slices.ContainsFunc(found.Allow, reached) {
			found.Deny = append(found.Deny, p.denials(c)...)
		}
	}
	return found
}

// FreshRequest tells whether a request may be for a route marked fresh, given what
// an ARN has after the stage.
func (p *Policy) FreshRequest(request string) bool {
	if p == nil {
		return false
	}
	return slices.ContainsFunc(p.rules, func(c compiled) bool {
		return c.Fresh && (overlaps(c.route.requests(), request) || overlaps(c.route.requests()+"/", request))
	})
}

// globs returns patterns that match every request of the rule's route.
func (p *Policy) globs(c *compiled) []string {
	if c.route.special != "" {
		return []string{c.route.special}
	}
	path := strings.ReplaceAll(c.route.pathPattern(), oneSegment, "*")
	var globs []string
	for _, method := range p.methodsOf(c.route) {
		globs = append(globs, method+path)
	}
	return globs
}

// denials is globs, for refusing: a gateway that takes "/admin/" for "/admin"
// must not find a gap between them.
func (p *Policy) denials(c *compiled) []string {
	globs := p.globs(c)
	for _, glob := range globs {
		if !strings.HasSuffix(glob, "*") && !strings.HasSuffix(glob, "/") && c.route.special == "" {
			globs = append(globs, glob+"/")
		}
	}
	return globs
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

// requests is a pattern of the requests that come to r, without the method if it
// takes any.
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

// maxPatternBytes is what patterns may take of an answer's 8 KB, with the ARN
// before each of them.
const (
	maxPatternBytes = 6 << 10
	arnBytes        = 80
)

// CheckIAM returns an error for every pair of rules that IAM policies cannot
// tell apart, so that some caller would be refused what the rules allow, and for
// a policy that may become too long for an answer. An API that takes simple
// answers has no such limits.
func (p *Policy) CheckIAM() error {
	if p == nil {
		return nil
	}
	var mistakes []error
	bytes := 0
	for i := range p.rules {
		outer := &p.rules[i]
		for _, glob := range p.denials(outer) {
			bytes += arnBytes + len(glob)
		}
		for j := range p.rules {
			if inner := &p.rules[j]; p.swallows(outer, inner) {
				mistakes = append(mistakes, fmt.Errorf("route %q: an IAM policy that refuses it also refuses %q, which asks for less: "+
					"ask for the same on both, or give one of them another path", outer.Route, inner.Route))
			}
		}
	}
	if bytes > maxPatternBytes {
		mistakes = append(mistakes, fmt.Errorf("the rules may take %d bytes of an IAM policy, of at most %d: "+
			"name methods instead of ANY, and put routes under common paths", bytes, maxPatternBytes))
	}
	return errors.Join(mistakes...)
}

// swallows tells whether a caller whom outer refuses and inner does not would be
// refused inner too.
func (p *Policy) swallows(outer, inner *compiled) bool {
	if outer == inner || outer.route.special != "" || inner.route.special != "" || inner.implies(outer.Rule) {
		return false
	}
	if inner.route.covers(outer.route) && !inner.route.greedy() {
		return false // of as many parts: what the star reaches is outer's own
	}
	if inner.route.covers(outer.route) && !slices.Contains(outer.route.path, segment{}) {
		return false // no star in the middle
	}
	return slices.ContainsFunc(p.denials(outer), func(glob string) bool {
		return slices.ContainsFunc(p.methodsOf(inner.route), func(method string) bool {
			return overlaps(glob, method+inner.route.pathPattern())
		})
	})
}

func (r route) greedy() bool { return len(r.path) > 0 && r.path[len(r.path)-1].greedy }

// implies tells whether every answer that allows r also allows other.
func (r Rule) implies(other Rule) bool {
	return (r.Fresh || !other.Fresh) &&
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

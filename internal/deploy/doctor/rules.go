package doctor

import (
	"errors"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
)

// rules compares the rules of gatehouse.yml with the routes: of serverless.yml, of
// the packaged template, and of other stacks. s and t can be nil.
func (r *Report) rules(in Inputs, c *config.Config, s *source, t *template.Template) {
	rules := c.Routes
	if s != nil && s.login() {
		rules = c.Rules()
		if mistakes, ok := errors.AsType[config.Mistakes](c.CheckOwn()); ok && !s.builtIn {
			for _, m := range mistakes {
				r.wrong("rule-own", in.Config, "%d: %s", m.Line, m.Text)
			}
		}
	}
	compiled, err := policy.Compile(rules)
	if err != nil || s == nil {
		return // the mistake is a finding already
	}
	guarded, open := slices.Clone(s.elsewhere), s.Public()
	var native []string // they know no rules
	for _, route := range s.Routes {
		switch {
		case route.Authorizer == "":
		case s.Native(route):
			native = append(native, route.Key)
		default:
			guarded = append(guarded, route.Key)
		}
	}
	if t != nil {
		g, n, o := t.RouteKeys()
		guarded, native, open = append(guarded, g...), append(native, n...), append(open, o...)
	}
	if err := compiled.CheckRoutes(guarded, open...); s.builtIn && t == nil {
		r.unjudged(in, err)
	} else {
		r.joined("rule-unused", in.Config, err)
	}
	r.joined("rule-public", in.Config, compiled.CheckPublic(append(guarded, native...), open))
	var byPolicy []string // routes where answers are IAM policies
	for _, route := range s.Routes {
		for _, a := range s.Authorizers {
			if a.Name == route.Authorizer && !a.Simple && !a.Native() {
				byPolicy = append(byPolicy, route.Key)
			}
			if a.Name == route.Authorizer && a.TTL > 0 && compiled.Fresh(route.Key) {
				r.wrong("authorizer-fresh", in.Template, "%s: its rule says fresh, and answers of its authorizer %s are kept for %v: give it authorizer: {name: fresh}", route.Key, a.Name, a.TTL)
			}
		}
	}
	if len(byPolicy) > 0 {
		r.joined("rule-iam", in.Config, errors.Join(compiled.CheckIAM(), compiled.CheckIAMRoutes(byPolicy)))
	}
	r.timeToDeny(s, c)
}

// openRoutes wants an authorizer on every route that may not be open, and that no
// rule states to be public. No rule opens a route of ours. s and rules can be nil.
func (r *Report) openRoutes(name string, s *source, rules *policy.Policy) {
	if s == nil {
		return
	}
	for _, route := range s.Routes {
		if route.Authorizer == "" && (!rules.Public(route.Key) || slices.Contains(template.Zips, route.Function)) {
			r.joined("route-open", name, template.CheckOpen(route.Function, route.Key))
		}
	}
}

// rulesOf returns the team's own rules; nil if they cannot be used, which is a
// finding already.
func rulesOf(c *config.Config) *policy.Policy {
	if c == nil {
		return nil
	}
	rules, err := policy.Compile(c.Routes)
	if err != nil {
		return nil
	}
	return rules
}

// unjudged notes rules for routes that are in no template here.
func (r *Report) unjudged(in Inputs, err error) {
	if err != nil {
		r.remark("rule-unused", in.Config, "there are rules for routes that no template here has: name the template of your API with --packaged")
	}
}

// timeToDeny states the worst-case delays of a refusal.
func (r *Report) timeToDeny(s *source, c *config.Config) {
	var longest time.Duration
	for _, a := range s.Authorizers {
		longest = max(longest, a.TTL)
	}
	r.fact("time to deny: who is suspended, demoted or signed out is refused after at most %v (feed %v + answers kept %v); on fresh routes at the next request",
		feedInterval+longest, feedInterval, longest)
	r.fact("a token ends %v after it was issued, and is accepted at most %v longer (clocks %v + answers kept %v)",
		c.Lifetimes.AccessToken, leeway+longest, leeway, longest)
	r.fact("if the revocation feed cannot be had: fresh routes fail at once, others after %v", feedStale+longest)
}

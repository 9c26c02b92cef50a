package server

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// findings are what dev prints at the start: what it leaves out, and what is
// probably a slip.
func (a *assembly) findings() []string {
	out := slices.Concat(a.team.Notes, a.runningNot)
	if a.separate() {
		out = append(out, a.hidden()...)
	}
	out = append(out, a.nativeFindings()...)
	out = append(out, unreachableByBrowsers(a.team.HTTP)...)
	out = append(out, slices.Concat(a.config.Advice(), a.config.UnsetSecrets())...)
	out = append(out, a.ownRules()...)
	out = append(out, a.shutRoutes()...)
	return append(out, a.idleRules()...)
}

// shutRoutes tells of routes that no one can call: an IAM policy allows what rules
// name, and there is no rule.
func (a *assembly) shutRoutes() []string {
	var out []string
	for _, t := range []*gateway.Template{a.team.HTTP, a.team.REST} {
		for _, r := range routesOf(t) {
			ruled := slices.ContainsFunc(a.config.Routes, func(rule policy.Rule) bool {
				return rule.Route == r.Key || strings.HasPrefix(rule.Route, "ANY ")
			})
			iam := slices.ContainsFunc(t.Authorizers, func(g gateway.Authorizer) bool { return g.Name == r.Authorizer && !g.Simple && !t.Native(r) })
			if iam && !ruled {
				out = append(out, r.Key+": its authorizer answers with an IAM policy, which allows what gatehouse.yml has a rule for: add {route: "+r.Key+"} under routes")
			}
		}
	}
	return out
}

// hidden tells of routes that the team's API and the login service both have.
func (a *assembly) hidden() []string {
	var out []string
	for _, r := range a.team.HTTP.Routes {
		if takes(a.login.HTTP, r.Key) || config.IsOwn(r.Key) || slices.Contains(demoRoutes, r.Key) {
			out = append(out, r.Key+" is a route of Gatehouse, too: here yours answers; in AWS each has a host of its own")
		}
	}
	return out
}

// checkOwn refuses rules for Gatehouse's own routes where the team's template has
// them: they would not count.
func (a *assembly) checkOwn() error {
	if a.separate() || a.builtIn {
		return nil
	}
	return counted(cmp.Or(a.Config, "gatehouse.yml"), a.config.CheckOwn())
}

// ownRules tells of rules for Gatehouse's own routes that are for another API, of
// which dev knows no template.
func (a *assembly) ownRules() []string {
	var out []string
	if mistakes, ok := errors.AsType[config.Mistakes](a.config.CheckOwn()); ok && !a.separate() {
		for _, m := range mistakes {
			out = append(out, fmt.Sprintf("%s:%d: here the route is Gatehouse's own user API; the rule is for an API of yours that has a stack of its own", m.File, m.Line))
		}
	}
	return out
}

// unreachableByBrowsers tells of a cors block that does not let a browser send
// what an authorizer wants.
func unreachableByBrowsers(t *gateway.Template) []string {
	var out []string
	for _, a := range t.Authorizers {
		for _, source := range a.IdentitySources {
			name, isHeader := strings.CutPrefix(source, "$request.header.")
			if isHeader && t.CORS != nil && !t.CORS.AllowsHeader(name) {
				out = append(out, "cors: allowedHeaders lacks "+name+", which authorizer "+a.Name+" wants: no page can send it (a star does not stand for Authorization)")
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// idleRules tells of rules of gatehouse.yml that no guarded route has.
func (a *assembly) idleRules() []string {
	if a.Upstream != "" {
		return nil // every rule has a route there
	}
	rules := a.config.Routes
	if !a.separate() { // ownRules tells of the others
		rules = slices.DeleteFunc(slices.Clone(rules), func(r policy.Rule) bool { return config.IsOwn(r.Route) })
	}
	compiled, err := policy.Compile(rules)
	if err != nil {
		return nil // told when the file was read
	}
	guarded, _, open := a.routeKeys()
	if err := compiled.CheckRoutes(guarded, open...); err != nil {
		return strings.Split(err.Error(), "\n")
	}
	return nil
}

// routeKeys returns the keys of the routes with a Lambda authorizer, of those with
// an authorizer of API Gateway's own, which knows no rules, and of those without.
func (t *templates) routeKeys() (guarded, native, open []string) {
	guarded = slices.Clone(demoRoutes)
	for _, api := range []*gateway.Template{t.login.HTTP, t.team.HTTP, t.team.REST} {
		for _, r := range routesOf(api) {
			switch {
			case api == t.login.HTTP && config.IsOwn(r.Key): // a rule of the file is for another API
			case r.Authorizer == "":
				open = append(open, r.Key)
			case api.Native(r):
				native = append(native, r.Key)
			default:
				guarded = append(guarded, r.Key)
			}
		}
	}
	if t.team.WebSocket != nil && t.team.WebSocket.Authorizer != nil {
		guarded = append(guarded, "$connect")
	}
	return guarded, native, open
}

// checkPublic returns an error for every public rule whose route has an authorizer.
func (a *assembly) checkPublic() error {
	compiled, err := policy.Compile(a.config.Routes)
	if err != nil {
		return err
	}
	guarded, native, open := a.routeKeys()
	return compiled.CheckPublic(append(guarded, native...), open)
}

func routesOf(t *gateway.Template) []gateway.Route {
	if t == nil {
		return nil
	}
	return t.Routes
}

package server

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/lambdahttp"
)

const upstreamFunction = "upstream"

// reasonHeader tells a developer why a call was refused.
const reasonHeader = "X-Gatehouse-Reason"

func (b *builder) readTemplate() (*gateway.Template, error) {
	name, text, err := readOr(b.Template, "serverless.yml", "--template")
	if err != nil {
		return nil, err
	}
	t, err := gateway.ParseTemplate(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if guardOf(t) == "" {
		return nil, fmt.Errorf("%s: no route has an authorizer", name)
	}
	return t, nil
}

// guardOf returns the authorizer of a guarded route: GET /me has it.
func guardOf(t *gateway.Template) string {
	guard := ""
	for _, r := range t.Routes {
		if r.Key == "GET /me" || guard == "" {
			guard = r.Authorizer
		}
	}
	return guard
}

func (b *builder) hasRoute(key string) bool {
	return slices.ContainsFunc(b.template.Routes, func(r gateway.Route) bool { return r.Key == key })
}

// gateway puts the functions behind the routes of serverless.yml, the tour's
// and, with an upstream, everything else.
func (b *builder) gateway(functions map[string]gateway.Function) (http.Handler, error) {
	for i, r := range b.template.Routes {
		if functions[r.Function] == nil && b.Upstream != "" {
			b.template.Routes[i].Function = upstreamFunction
		} else if functions[r.Function] == nil {
			functions[r.Function] = lambdahttp.Handler(missing(r.Function))
		}
	}
	handlers := map[string]http.Handler{}
	for _, path := range tour.Paths() {
		handlers["GET "+path] = tour.Handler()
	}
	return gateway.New(gateway.Config{
		Template: b.template, Functions: functions, Routes: b.moreRoutes(), Handlers: handlers,
		Observe: b.Observe, Now: b.Now, ReasonHeader: reasonHeader,
	})
}

// moreRoutes are the tour's and, with an upstream, those that send to it whatever
// is not Gatehouse's. Routes that gatehouse.yml has rules for get a key of their
// own, because rules are found by it.
func (b *builder) moreRoutes() []gateway.Route {
	guard := guardOf(b.template)
	var routes []gateway.Route
	for _, key := range demoRoutes {
		r := gateway.Route{Key: key, Function: "demo", Authorizer: guard}
		switch key {
		case freshRoute:
			r.Authorizer = freshGuardOf(b.template, guard)
		case activateRoute:
			r.Authorizer = ""
		}
		routes = append(routes, r)
	}
	if b.Upstream == "" {
		return routes
	}
	more := []policy.Rule{{Route: "$default"}}
	for _, rule := range append(more, b.config.Routes...) {
		if b.hasRoute(rule.Route) || slices.Contains(demoRoutes, rule.Route) {
			continue
		}
		r := gateway.Route{Key: rule.Route, Function: upstreamFunction, Authorizer: guard}
		if rule.Fresh {
			r.Authorizer = freshGuardOf(b.template, guard)
		}
		routes = append(routes, r)
	}
	return routes
}

// freshGuardOf returns the authorizer whose answers are not kept, or guard if
// there is none.
func freshGuardOf(t *gateway.Template, guard string) string {
	for _, a := range t.Authorizers {
		if a.TTL == 0 {
			return a.Name
		}
	}
	return guard
}

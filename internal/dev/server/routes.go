package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

// The functions that stand in no template.
const (
	upstreamFunction = "upstream"
	demoFunction     = "demo"
)

// reasonHeader tells a developer why a call was refused.
const reasonHeader = "X-Gatehouse-Reason"

// handler serves every API of this run at one address. The login service's and
// the team's HTTP API share the paths; the more specific route wins, and of equal
// ones the team's.
func (a *assembly) handler(ctx context.Context) (http.Handler, error) {
	ours, err := a.ours(ctx)
	if err != nil {
		return nil, err
	}
	handlers := map[string]http.Handler{}
	for _, path := range tour.Paths() {
		handlers["GET "+path] = tour.Handler()
	}
	functions, err := a.functions(a.login, a.login.HTTP, ours)
	if err != nil {
		return nil, err
	}
	c := a.gateway(a.login.HTTP, functions)
	c.Handlers = handlers
	if c.Routes, err = a.moreRoutes(); err != nil {
		return nil, err
	}
	login, err := gateway.New(c)
	if err != nil {
		return nil, err
	}
	var team *gateway.Gateway
	if a.separate() {
		if functions, err = a.functions(a.team, a.team.HTTP, ours); err != nil {
			return nil, err
		}
		if team, err = gateway.New(a.gateway(a.team.HTTP, functions)); err != nil {
			return nil, err
		}
	}
	rest, err := a.rest(ours)
	if err != nil {
		return nil, err
	}
	sockets, err := a.webSocket(ours)
	if err != nil {
		return nil, err
	}
	under := "/" + a.team.Stage
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case sockets != nil && sockets.Serves(r):
			sockets.ServeHTTP(w, r)
		case rest != nil && (r.URL.Path == under || strings.HasPrefix(r.URL.Path, under+"/")):
			rest.ServeHTTP(w, r)
		case team != nil && team.PrefersTo(login, r):
			team.ServeHTTP(w, r)
		default:
			login.ServeHTTP(w, r)
		}
	}), nil
}

// rest is the team's REST API, or nil.
func (a *assembly) rest(ours map[string]gateway.Function) (http.Handler, error) {
	if a.team.REST == nil {
		return nil, nil
	}
	functions, err := a.functions(a.team, a.team.REST, ours)
	if err != nil {
		return nil, err
	}
	c := a.gateway(a.team.REST, functions)
	c.REST, c.Stage = true, a.team.Stage
	return gateway.New(c)
}

// gateway is what all gateways of this run have in common.
func (a *assembly) gateway(t *gateway.Template, functions map[string]gateway.Function) gateway.Config {
	c := gateway.Config{Template: t, Functions: functions, Observe: a.Observe, Now: a.Now, ReasonHeader: reasonHeader, Switches: a.Switches}
	if running := a.running; running != nil {
		c.Ready = func(ctx context.Context, name string) error {
			err := running.Ready(ctx, name)
			if errors.Is(err, context.Canceled) {
				return errors.New("the client went away")
			}
			return err
		}
	}
	return c
}

// moreRoutes are the tour's and, with an upstream, those that send to it whatever
// is not Gatehouse's. Routes that gatehouse.yml has rules for get a key of their
// own, because rules are found by it.
func (a *assembly) moreRoutes() ([]gateway.Route, error) {
	guard := guardOf(a.login.HTTP)
	var routes []gateway.Route
	for _, key := range demoRoutes {
		r := gateway.Route{Key: key, Function: demoFunction, Authorizer: guard}
		switch key {
		case freshRoute:
			r.Authorizer = freshGuardOf(a.login.HTTP, guard)
		case activateRoute:
			r.Authorizer = ""
		}
		routes = append(routes, r)
	}
	if a.Upstream == "" {
		return routes, nil
	}
	clients, err := withDemoClients(a.config)
	if err != nil {
		return nil, err
	}
	cors := httpx.CORS{Allowed: clients.AllowsOrigin}
	refusal := func(h http.Header, r *http.Request) { readable(cors, h, r) }
	// Preflights carry no token, so they pass the authorizer by.
	routes = append(routes, gateway.Route{Key: "OPTIONS /{proxy+}", Function: upstreamFunction}, gateway.Route{Key: "OPTIONS /", Function: upstreamFunction})
	rules := slices.Clone(a.config.Routes)
	if !slices.ContainsFunc(rules, func(r policy.Rule) bool { return r.Route == "$default" }) {
		rules = append(rules, policy.Rule{Route: "$default"})
	}
	for _, rule := range rules {
		if strings.HasPrefix(rule.Route, "OPTIONS ") || rule.Route == "$connect" || takes(a.login.HTTP, rule.Route) || config.IsOwn(rule.Route) || hasRoute(a.team.HTTP, rule.Route) || slices.Contains(demoRoutes, rule.Route) {
			continue
		}
		r := gateway.Route{Key: rule.Route, Function: upstreamFunction, Authorizer: guard, Refusal: refusal}
		switch {
		case rule.Public:
			r.Authorizer = ""
		case rule.Fresh:
			r.Authorizer = freshGuardOf(a.login.HTTP, guard)
		}
		routes = append(routes, r)
		if path, any := strings.CutPrefix(r.Key, "ANY "); any && path != "/" && path != "/{proxy+}" {
			routes = append(routes, gateway.Route{Key: "OPTIONS " + path, Function: upstreamFunction})
		}
	}
	return routes, nil
}

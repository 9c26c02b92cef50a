// Package gateway is an API Gateway for one machine: an HTTP API (or a REST API)
// with the routes and authorizers of a template, in front of functions that run in this
// process. It sends them the events that AWS sends, asks the authorizer as AWS
// does, keeps its answers as long, and gives a client the same status for the
// same mistake. What AWS would refuse, it refuses:
//
//	identity source missing or empty    401 {"message":"Unauthorized"}, nobody asked
//	isAuthorized false, or Deny         403 {"message":"Forbidden"}
//	authorizer fails, or answers wrong  500 {"message":"Internal Server Error"}
//	no route                            404 {"message":"Not Found"}
//	function fails, or answers wrong    500
//	function overruns 30 s              503 {"message":"Service Unavailable"}
//
// A [Judge] judges alone, and as a REST or a WebSocket API does, too.
//
// AWS does not say whether an escaped slash in a path is taken apart before a
// route is chosen; here it is not. But a route that another server could find in
// the path has its authorizer asked as well. The event's path is decoded, as there.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// Config is what a gateway needs.
type Config struct {
	Template  *Template           // routes and authorizers; must not be nil
	Functions map[string]Function // by their names in the template; each must be there

	// Routes are more routes, beside those of the template.
	Routes []Route
	// Handlers are plain pages by route key, with no event and no authorizer.
	Handlers map[string]http.Handler
	// REST makes it a REST API: events, statuses and bodies are those of one, and a
	// slash at the end of a path does not matter.
	REST bool
	// Stage is the name of the stage: the first segment of every path. "" is
	// $default, which has none.
	Stage string
	// Mapping is the key under which a custom domain has the API: the first
	// segments of the paths there, which functions see as well. Without it, paths
	// are those of the API's own address, and both are answered. "": no key.
	Mapping string

	Switches
	// Ready is waited for before a function is called, outside of its time: it can
	// have to be built first. Its error is the reason of the refusal; may be nil.
	Ready   func(ctx context.Context, function string) error
	Observe func(Exchange) // called once for each request, after the answer; may be nil
	// ReasonHeader, if it is not "", names a header that tells the client why it
	// was refused. It is for a developer's own machine: API Gateway has none, and
	// an attacker learns from it.
	ReasonHeader string
	Now          func() time.Time // nil: time.Now
}

// Switches choose between answers of API Gateway about which sources disagree. A
// live stack decides: docs/HTTP.md says how to ask it.
type Switches struct {
	// NoCORSOnRefusals leaves the CORS headers out of what the gateway answers
	// itself: 401, 403, 404, 5xx. One report has seen them there; AWS documents
	// them for responses of integrations.
	NoCORSOnRefusals bool
	// TrailingSlash lets /a/ reach the route of /a.
	TrailingSlash bool
	// RemapWWWAuthenticate renames the header WWW-Authenticate of a function's
	// response to X-Amzn-Remapped-Www-Authenticate.
	RemapWWWAuthenticate bool
}

// Gateway answers requests. It is safe for concurrent use.
type Gateway struct {
	cfg    Config
	routes []route
	judges map[string]*Judge // by the name of the authorizer
}

var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// New returns a gateway. Its error lists every mistake.
func New(cfg Config) (*Gateway, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Stage == "" {
		cfg.Stage = defaultRoute // the stage and the route share their name
	}
	t := &Template{CORS: cfg.Template.CORS, Authorizers: cfg.Template.Authorizers, Routes: slices.Concat(cfg.Template.Routes, cfg.Routes)}
	errs := []error{t.check(cfg.REST)}
	if cfg.Stage != defaultRoute && !stageName.MatchString(cfg.Stage) {
		errs = append(errs, fmt.Errorf("stage %q: want letters, digits, - and _", cfg.Stage))
	}
	g := &Gateway{cfg: cfg, judges: make(map[string]*Judge)}
	for _, declared := range t.Authorizers {
		g.judges[declared.Name], _ = NewJudge(declared, cfg.Functions[declared.Function], cfg.Now) // checked above
		if !declared.Native() {
			errs = append(errs, cfg.knows("authorizer "+declared.Name, declared.Function))
		}
	}
	for _, declared := range t.Routes {
		r, _ := parseRoute(declared.Key) // checked above
		r.Route = declared
		g.routes = append(g.routes, r)
		if r.Mock == nil {
			errs = append(errs, cfg.knows("route "+r.Key, r.Function))
		}
	}
	for key := range cfg.Handlers {
		r, err := parseRoute(key)
		if slices.ContainsFunc(t.Routes, func(other Route) bool { return other.Key == key }) {
			err = fmt.Errorf("route %s: a page stands in its place", key)
		}
		g.routes = append(g.routes, r)
		errs = append(errs, err)
	}
	return g, errors.Join(errs...)
}

func (cfg *Config) knows(who, function string) error {
	if cfg.Functions[function] == nil {
		return fmt.Errorf("%s: no function is called %q", who, function)
	}
	return nil
}

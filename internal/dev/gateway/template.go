package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Template is an HTTP API as serverless.yml declares it.
type Template struct {
	Routes      []Route
	Authorizers []Authorizer
	CORS        *CORS // nil: functions answer preflights and set headers themselves
	// Responses are headers of what a REST API itself answers, by the type of the
	// gateway response: "UNAUTHORIZED", "DEFAULT_4XX".
	Responses map[string]map[string]string
}

// Route sends the requests that match it to a function.
type Route struct {
	// Key is "GET /users/{id}", "ANY /demo/{proxy+}" or "$default".
	Key        string
	Function   string // its name in serverless.yml, and in Config.Functions
	Authorizer string // its name; "" makes the route public
	Payload1   bool   // the function is sent payload 1.0, and answers as for a REST API
	// Scopes are those of which a token must have one, where a JWT authorizer judges.
	Scopes []string
	// Mock is the response of a route without a function; nil: there is a function.
	Mock *Mock
	// Refusal sets headers of what the gateway itself answers on this route, such as
	// those of CORS where no cors block has them; may be nil.
	Refusal func(http.Header, *http.Request)
}

// Mock is what a REST API answers by itself, as it does to preflights.
type Mock struct {
	Status int
	Header map[string]string
}

// Authorizer is a Lambda authorizer, or one of the gateway's own.
type Authorizer struct {
	Kind     Kind // 0: of an HTTP API, payload 2.0
	Name     string
	Function string // its name in serverless.yml, and in Config.Functions
	External bool   // the function is in another stack; Function is ""
	// IdentitySources are expressions as "$request.header.Authorization" and
	// "$context.routeKey" of an HTTP API, "method.request.header.Authorization" of a
	// REST API, "route.request.header.Authorization" of a WebSocket API. A request
	// that lacks one is refused unasked.
	IdentitySources []string
	// TTL is how long an answer serves requests with the same values of all
	// identity sources; 0: not at all.
	TTL time.Duration
	// Simple says that the function answers isAuthorized, not an IAM policy.
	Simple bool

	JWT *JWT // a JWT authorizer: there is no function; nil: none
	// Unverified names what this gateway cannot verify, such as [AWSIAM]. Every
	// request is refused. "": it can.
	Unverified string
}

// Native tells whether a route is guarded by an authorizer that calls no function.
func (t *Template) Native(r Route) bool {
	return slices.ContainsFunc(t.Authorizers, func(a Authorizer) bool { return a.Name == r.Authorizer && a.Native() })
}

// Public returns the keys of the routes without an authorizer, in the order of
// the template.
func (t *Template) Public() []string {
	var keys []string
	for _, r := range t.Routes {
		if r.Authorizer == "" {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// maxTTL is the longest that API Gateway keeps an authorizer's answer.
const maxTTL = time.Hour

// check returns every mistake in t that AWS would refuse when it deploys.
func (t *Template) check(rest bool) error {
	errs := []error{t.CORS.check()}
	authorizers := make(map[string]bool)
	for _, a := range t.Authorizers {
		authorizers[a.Name] = true
		errs = append(errs, a.check())
		if a.Kind == WebSocket || a.Kind.http() == rest && a.Unverified == "" {
			errs = append(errs, fmt.Errorf("authorizer %s: this API has none for a %v", a.Name, a.Kind))
		}
	}
	keys := make(map[string]bool)
	for _, r := range t.Routes {
		if _, err := parseRoute(r.Key); err != nil {
			errs = append(errs, err)
		}
		if keys[r.Key] {
			errs = append(errs, fmt.Errorf("route %s: declared twice", r.Key))
		}
		keys[r.Key] = true
		if r.Authorizer != "" && !authorizers[r.Authorizer] {
			errs = append(errs, fmt.Errorf("route %s: no authorizer is called %q", r.Key, r.Authorizer))
		}
	}
	return errors.Join(errs...)
}

func (a Authorizer) check() error {
	if a.Native() {
		if err := a.checkNative(); err != nil {
			return fmt.Errorf("authorizer %s: %w", a.Name, err)
		}
		return nil
	}
	if err := a.Kind.check(a); err != nil {
		return fmt.Errorf("authorizer %s: %w", a.Name, err)
	}
	switch {
	case a.TTL < 0 || a.TTL > maxTTL:
		return fmt.Errorf("authorizer %s: resultTtlInSeconds is at most 3600", a.Name)
	case a.TTL > 0 && len(a.IdentitySources) == 0:
		return fmt.Errorf("authorizer %s: answers are kept for %v, but no identitySource tells callers apart; set resultTtlInSeconds: 0", a.Name, a.TTL)
	}
	return nil
}

// Check returns every mistake in the HTTP API that AWS would refuse.
func (t *Template) Check() error { return t.check(false) }

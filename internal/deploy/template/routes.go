package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// checkRoutes wants an authorizer on every route that [CheckOpen] does not let be
// open.
func (t *Template) checkRoutes() error {
	return t.each("AWS::ApiGatewayV2::Route", func(_ string, r *Resource) error {
		p := r.Properties
		if t.has(p.At("AuthorizerId", "Ref").String(), "AWS::ApiGatewayV2::Authorizer") && p.At("AuthorizationType").Is("CUSTOM") {
			return nil
		}
		function, _ := t.target(p) // "" opens nothing; checkPermissions tells of the error
		return CheckOpen(function, p.At("RouteKey").String())
	})
}

// CheckOpen returns an error unless a route to a function may be without an
// authorizer. The login service answers strangers by design and proves what it
// needs itself. The user API has documents that hold no one's data, and preflights
// carry no token. Every other route needs an authorizer.
func CheckOpen(function, routeKey string) error {
	method, path, ok := strings.Cut(routeKey, " ")
	document := (method == "GET" || method == "HEAD") && strings.HasSuffix(path, ".json") && !strings.Contains(path, "{")
	switch {
	case function == "loginsvc" && (!ok || method == "ANY"):
		return fmt.Errorf("%s is open for every method: name the methods", routeKey)
	case function == "loginsvc", function == "usersvc" && (document || method == "OPTIONS"):
		return nil
	}
	return fmt.Errorf("%s has no authorizer: anybody can call it: add authorizer: {name: gatehouse}", routeKey)
}

// maxCached is the longest, in seconds, that an answer may outlive a token.
const maxCached = 60

// checkAuthorizers refuses authorizers whose answers can reach a request that
// they were not given for.
func (t *Template) checkAuthorizers() error {
	return t.each("AWS::ApiGatewayV2::Authorizer", func(_ string, r *Resource) error {
		p, sources := r.Properties, r.Properties.At("IdentitySource").Strings()
		ttl := p.At("AuthorizerResultTtlInSeconds")
		switch {
		case !p.At("AuthorizerType").Is("REQUEST") || !p.At("AuthorizerPayloadFormatVersion").Is("2.0"):
			return errors.New("want type request with payload 2.0")
		case ttl.v == nil:
			return errors.New("say resultTtlInSeconds: without it AWS keeps answers for 5 minutes")
		case ttl.Number() > maxCached:
			return fmt.Errorf("resultTtlInSeconds is over %d: a token would be good for that long after its end", maxCached)
		case ttl.Number() > 0 && !slices.Contains(sources, "$request.header.Authorization"):
			return errors.New("answers are kept, and $request.header.Authorization does not tell callers apart")
		case ttl.Number() > 0 && p.At("EnableSimpleResponses").Is(true) && !slices.Contains(sources, "$context.routeKey"):
			return errors.New("simple answers are kept: add $context.routeKey to identitySource, or one route's answer opens all")
		}
		return nil
	})
}

// CheckFresh wants a route whose rule is fresh to have an authorizer that is
// asked about every request. fresh tells it of a route key.
func (t *Template) CheckFresh(fresh func(routeKey string) bool) error {
	return t.each("AWS::ApiGatewayV2::Route", func(_ string, r *Resource) error {
		key, name := r.Properties.At("RouteKey").String(), r.Properties.At("AuthorizerId", "Ref").text()
		if !fresh(key) || name == "" {
			return nil
		}
		if a := t.Resources[name]; a == nil || !a.Properties.At("AuthorizerResultTtlInSeconds").Is(0.0) {
			return fmt.Errorf("%s: its rule says fresh, and its authorizer's answers are kept: give it authorizer: {name: fresh}", key)
		}
		return nil
	})
}

// checkIntegrations wants each to call a function: of the types that there are,
// the gateway would take another only to fail at each request.
func (t *Template) checkIntegrations() error {
	return t.each("AWS::ApiGatewayV2::Integration", func(_ string, r *Resource) error {
		if !r.Properties.At("IntegrationType").Is("AWS_PROXY") {
			return errors.New("want IntegrationType AWS_PROXY")
		}
		return nil
	})
}

package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// checkRoutes wants an authorizer on every route that is not public, and every
// public route to be there.
func (t *Template) checkRoutes(public []string) error {
	open := make(map[string]bool)
	err := t.each("AWS::ApiGatewayV2::Route", func(_ string, r *Resource) error {
		key, authorizer := r.Properties.At("RouteKey").String(), r.Properties.At("AuthorizerId", "Ref").String()
		switch {
		case t.has(authorizer, "AWS::ApiGatewayV2::Authorizer") && r.Properties.At("AuthorizationType").Is("CUSTOM"):
			if slices.Contains(public, key) {
				return fmt.Errorf("%s stands in custom.public and has an authorizer: take it out of one", key)
			}
			return nil
		case !slices.Contains(public, key):
			return fmt.Errorf("%s has no authorizer: give it one, or list it in custom.public", key)
		}
		open[key] = true
		return nil
	})
	errs := []error{err}
	for _, key := range public {
		if method, _, ok := strings.Cut(key, " "); !ok || method == "ANY" {
			errs = append(errs, fmt.Errorf("custom.public: %s opens more than one thing: name each method and path", key))
		} else if !open[key] && !t.hasRoute(key) {
			errs = append(errs, fmt.Errorf("custom.public: no route is %s", key))
		}
	}
	return errors.Join(errs...)
}

func (t *Template) hasRoute(key string) bool {
	for _, r := range t.Resources {
		if r.Type == "AWS::ApiGatewayV2::Route" && r.Properties.At("RouteKey").Is(key) {
			return true
		}
	}
	return false
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

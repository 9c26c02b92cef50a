package template

import (
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// checkRoutes wants an authorizer on every route that [CheckOpen] does not let be
// open, and that no rule declares public. It looks at HTTP APIs.
func (t *Template) checkRoutes(public func(routeKey string) bool) error {
	return t.each("AWS::ApiGatewayV2::Route", func(_ string, r *Resource) error {
		p := r.Properties
		key := p.At("RouteKey").String()
		switch kind := p.At("AuthorizationType").text(); {
		case t.isWebSocket(r):
			return nil // only $connect is judged, by the authorizer that it has
		case kind == "JWT" || kind == "AWS_IAM":
			return nil
		case kind == "CUSTOM" && (t.has(p.At("AuthorizerId", "Ref").String(), "AWS::ApiGatewayV2::Authorizer") || t.external(p.At("AuthorizerId"))):
			return nil
		}
		function, _ := t.target(p) // "" opens nothing
		if public(key) && !slices.Contains(Zips, function) {
			return nil
		}
		return CheckOpen(function, key)
	})
}

// external tells whether an id is that of an authorizer in another stack.
func (t *Template) external(id Value) bool {
	name := id.At("Ref").text()
	return id.text() != "" || id.At("Fn::ImportValue").v != nil || name != "" && t.Parameters[name].v != nil
}

// isWebSocket tells whether a route or authorizer is of a WebSocket API.
func (t *Template) isWebSocket(r *Resource) bool {
	api := t.Resources[r.Properties.At("ApiId", "Ref").text()]
	return api != nil && api.Properties.At("ProtocolType").Is("WEBSOCKET")
}

// CheckOpen returns an error unless a route to a function may be without an
// authorizer. The login service answers strangers by design, proves what it needs
// itself, and knows the methods of each of its paths. The user API has documents
// that hold no one's data. Preflights carry no token. Every other route needs an
// authorizer.
func CheckOpen(function, routeKey string) error {
	method, path, ok := strings.Cut(routeKey, " ")
	reads := method == "GET" || method == "HEAD" || method == "ANY" // the function refuses what would write
	document := reads && strings.HasSuffix(path, ".json") && !strings.Contains(path, "{")
	switch {
	case function == "loginsvc" && !ok:
		return fault.New("route-open", "%s is open for every path: name the paths", routeKey)
	case function == "loginsvc", function == "usersvc" && document, method == "OPTIONS":
		return nil
	}
	return fault.New("route-open", "%s has no authorizer: anybody can call it: add authorizer: {name: gatehouse} or, if that is meant, {route: '%s', public: true} under routes in gatehouse.yml", routeKey, routeKey)
}

// maxCached is the longest, in seconds, that an answer may outlive a token.
const maxCached = 60

// checkAuthorizers refuses authorizers of ours whose answers can reach a request
// that they were not given for. Native JWT authorizers, and functions that are not
// ours, are the team's.
func (t *Template) checkAuthorizers() error {
	return t.each("AWS::ApiGatewayV2::Authorizer", func(_ string, r *Resource) error {
		p, sources := r.Properties, r.Properties.At("IdentitySource").Strings()
		if function := t.function(p.At("AuthorizerUri")); p.At("AuthorizerType").Is("JWT") || function != nil && !t.ours(function) || t.isWebSocket(r) {
			return nil
		}
		ttl, version := p.At("AuthorizerResultTtlInSeconds"), p.At("AuthorizerPayloadFormatVersion").text()
		switch {
		case !p.At("AuthorizerType").Is("REQUEST") || version != "2.0" && (t.IsLogin() || version != "1.0"):
			return fault.New("authorizer-kind", "want type request with payload 2.0")
		case ttl.v == nil:
			return fault.New("authorizer-ttl", "say resultTtlInSeconds: without it AWS keeps answers for 5 minutes")
		case ttl.Number() > maxCached:
			return fault.New("authorizer-ttl", "resultTtlInSeconds is over %d: a token would be good for that long after its end", maxCached)
		case ttl.Number() > 0 && !slices.ContainsFunc(sources, func(s string) bool { return strings.EqualFold(s, "$request.header.Authorization") }):
			return fault.New("authorizer-identity", "answers are kept, and $request.header.Authorization does not tell callers apart")
		case ttl.Number() > 0 && p.At("EnableSimpleResponses").Is(true) && !slices.Contains(sources, "$context.routeKey"):
			return fault.New("authorizer-identity", "simple answers are kept: add $context.routeKey to identitySource, or one route's answer opens all")
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
			return fault.New("authorizer-fresh", "%s: its rule says fresh, and its authorizer's answers are kept: give it authorizer: {name: fresh}", key)
		}
		return nil
	})
}

// integrations are the types that HTTP and WebSocket APIs have.
var integrations = []string{"AWS_PROXY", "HTTP_PROXY", "AWS", "HTTP", "MOCK"}

// checkIntegrations wants each integration of ours to call its function with
// payload 2.0. Another integration must be of a type that exists, and hand on who
// called so that a client cannot.
func (t *Template) checkIntegrations() error {
	return t.each("AWS::ApiGatewayV2::Integration", func(_ string, r *Resource) error {
		kind, function := r.Properties.At("IntegrationType").text(), t.function(r.Properties.At("IntegrationUri"))
		ours := function != nil && t.ours(function)
		switch {
		case ours && kind != "AWS_PROXY" || !slices.Contains(integrations, kind):
			return fault.New("integration-kind", "want IntegrationType AWS_PROXY")
		case ours && !r.Properties.At("PayloadFormatVersion").Is("2.0"):
			return fault.New("integration-payload", "want payload 2.0")
		}
		return r.checkMapped()
	})
}

// RouteKeys returns the keys of the routes of HTTP APIs that have a Lambda
// authorizer, of those with an authorizer of API Gateway's own, and of those without.
func (t *Template) RouteKeys() (guarded, native, open []string) {
	for _, r := range t.Resources {
		if r.Type != "AWS::ApiGatewayV2::Route" || t.isWebSocket(r) && !r.Properties.At("AuthorizationType").Is("CUSTOM") {
			continue
		}
		key := r.Properties.At("RouteKey").String()
		switch r.Properties.At("AuthorizationType").text() {
		case "CUSTOM":
			guarded = append(guarded, key)
		case "", "NONE":
			open = append(open, key)
		default:
			native = append(native, key)
		}
	}
	return guarded, native, open
}

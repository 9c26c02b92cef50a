package project

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// readHTTPAPI reads the resources of AWS::ApiGatewayV2.
func (s *stack) readHTTPAPI() error {
	var errs []error
	sockets := map[string]bool{}
	apis := 0
	for name, r := range s.ofType("AWS::ApiGatewayV2::Api") {
		p := member(r, "Properties")
		if s.value(member(p, "ProtocolType")) == "WEBSOCKET" {
			sockets[name] = true
			s.WebSocket = &WebSocket{Routes: map[string]string{},
				Selection: cmp.Or(strings.TrimPrefix(s.value(member(p, "RouteSelectionExpression")), "$request.body."), "action")}
			continue
		}
		if apis++; apis > 1 {
			s.Project.note("line %d: %s is a second HTTP API: dev serves the routes of all at one address", r.Line, name)
		}
		if member(p, "Body") != nil || member(p, "BodyS3Location") != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: routes in an OpenAPI Body are not read: declare AWS::ApiGatewayV2::Route", r.Line, name))
		}
		s.HTTP.CORS = cmp.Or(s.HTTP.CORS, s.cors(member(p, "CorsConfiguration"), "Allow"))
	}
	ofSocket := func(r *yaml.Node) bool {
		api := referred(member(r, "Properties", "ApiId"))
		return len(api) > 0 && sockets[api[0]]
	}
	for name, r := range s.ofType("AWS::ApiGatewayV2::Authorizer") {
		a, err := s.authorizer2(name, r, ofSocket(r))
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		} else if ofSocket(r) {
			s.WebSocket.Authorizer = &a
		} else {
			s.HTTP.Authorizers = append(s.HTTP.Authorizers, a)
		}
	}
	for name, r := range s.ofType("AWS::ApiGatewayV2::Route") {
		if err := s.route2(r, ofSocket(r)); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *stack) authorizer2(name string, r *yaml.Node, socket bool) (gateway.Authorizer, error) {
	p := member(r, "Properties")
	out := gateway.Authorizer{Name: name, Simple: s.value(member(p, "EnableSimpleResponses")) == "true"}
	out.Function = s.called(member(p, "AuthorizerUri"))
	out.External = out.Function == ""
	out.IdentitySources = s.values(member(p, "IdentitySource"))
	switch kind := s.value(member(p, "AuthorizerType")); kind {
	case "REQUEST":
	case "JWT":
		out.External = false
		out.JWT = s.jwt(member(p, "JwtConfiguration"), "Issuer", "Audience")
		return out, nil
	default:
		return out, fmt.Errorf("AuthorizerType: want REQUEST or JWT, have %q", kind)
	}
	switch version := s.value(member(p, "AuthorizerPayloadFormatVersion")); {
	case socket:
		out.Kind = gateway.WebSocket
		return out, nil
	case version == "1.0":
		out.Kind = gateway.HTTP1
	case version != "2.0":
		return out, errors.New("AuthorizerPayloadFormatVersion: want '1.0' or '2.0': AWS has no default")
	}
	seconds, err := strconv.Atoi(cmp.Or(s.value(member(p, "AuthorizerResultTtlInSeconds")), "300"))
	out.TTL = time.Duration(seconds) * time.Second
	return out, err
}

// jwt reads the issuer and the audiences of a JWT authorizer.
func (s *stack) jwt(n *yaml.Node, issuer, audience string) *gateway.JWT {
	out := &gateway.JWT{Issuer: s.text(member(n, issuer))}
	for _, name := range items(member(n, audience)) {
		out.Audiences = append(out.Audiences, s.text(name))
	}
	return out
}

// route2 reads a route of an HTTP or a WebSocket API.
func (s *stack) route2(r *yaml.Node, socket bool) error {
	p := member(r, "Properties")
	key := s.value(member(p, "RouteKey"))
	out := gateway.Route{Key: key}
	for _, name := range referred(member(p, "Target")) {
		integration := member(s.resources, name)
		if text(integration, "Type") != "AWS::ApiGatewayV2::Integration" {
			continue
		}
		properties := member(integration, "Properties")
		kind := s.value(member(properties, "IntegrationType"))
		if out.Function = s.called(member(properties, "IntegrationUri")); kind != "AWS_PROXY" || out.Function == "" {
			out.Function = s.elsewhere(name, cmp.Or(kind, "without a type"), integration.Line)
		}
		out.Payload1 = s.value(member(properties, "PayloadFormatVersion")) == "1.0"
	}
	if out.Function == "" {
		return fmt.Errorf("%s: leads to no function of this template", key)
	}
	kind := s.value(member(p, "AuthorizationType"))
	if socket {
		s.WebSocket.Routes[key] = out.Function
		return nil
	}
	switch kind {
	case "", "NONE":
	case "CUSTOM", "JWT":
		names := referred(member(p, "AuthorizerId"))
		if len(names) != 1 {
			return fmt.Errorf("%s: AuthorizerId: want a Ref to an authorizer of this template", key)
		}
		out.Authorizer = names[0]
		out.Scopes = s.values(member(p, "AuthorizationScopes"))
	case gateway.AWSIAM:
		out.Authorizer = gateway.AWSIAM
	default:
		return fmt.Errorf("%s: AuthorizationType: want NONE, CUSTOM, JWT or AWS_IAM, have %q", key, kind)
	}
	return s.addRoute(out)
}

// addRoute adds a route of the HTTP API that AWS would take.
func (s *stack) addRoute(r gateway.Route) error {
	one := gateway.Template{Routes: []gateway.Route{{Key: r.Key}}}
	for _, other := range s.HTTP.Routes {
		if other.Key == r.Key {
			return fmt.Errorf("route %s is declared twice", r.Key)
		}
	}
	if err := one.Check(); err != nil {
		return err
	}
	s.HTTP.Routes = append(s.HTTP.Routes, r)
	return nil
}

// elsewhere returns the name that stands for what an integration leads to, which dev
// cannot run.
func (s *stack) elsewhere(integration, kind string, line int) string {
	s.Project.note("line %d: %s (%s) leads to no function of this template: dev answers 501 there or, with --upstream, sends to your API", line, integration, kind)
	if s.Function(integration) == nil {
		s.Functions = append(s.Functions, Function{Name: integration, Elsewhere: true, Line: line})
	}
	return integration
}

// cors reads a CorsConfiguration, whose names begin with a prefix for what is
// allowed: AllowOrigins.
func (s *stack) cors(n *yaml.Node, prefix string) *gateway.CORS {
	if n == nil {
		return nil
	}
	list := func(name string) []string { return s.values(member(n, name)) }
	age, _ := strconv.Atoi(s.value(member(n, "MaxAge")))
	return &gateway.CORS{AllowOrigins: list(prefix + "Origins"), AllowMethods: list(prefix + "Methods"), AllowHeaders: list(prefix + "Headers"),
		ExposeHeaders: list("ExposeHeaders"), MaxAge: age, Credentials: s.value(member(n, prefix+"Credentials")) == "true"}
}

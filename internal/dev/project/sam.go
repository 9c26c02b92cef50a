package project

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// readSAM reads functions, APIs and their events as the Serverless Application Model
// has them.
func (s *stack) readSAM(document *yaml.Node) error {
	globals := member(document, "Globals")
	var errs []error
	guards := map[string]string{}                                 // API → its default authorizer
	scopes := map[string][]string{}                               // authorizer → the scopes of its routes
	apis := map[string]*yaml.Node{"": member(globals, "HttpApi")} // "": the API that SAM adds
	for name, r := range s.ofType("AWS::Serverless::HttpApi") {
		apis[name] = member(r, "Properties")
	}
	for _, name := range slices.Sorted(maps.Keys(apis)) {
		p := apis[name]
		s.HTTP.CORS = cmp.Or(s.HTTP.CORS, s.cors(member(p, "CorsConfiguration"), "Allow"))
		for authorizer, n := range members(member(p, "Auth", "Authorizers")) {
			a, err := s.samAuthorizer(authorizer, n)
			if err != nil {
				errs = append(errs, fmt.Errorf("line %d: authorizer %s: %w", n.Line, authorizer, err))
				continue
			}
			s.HTTP.Authorizers = append(s.HTTP.Authorizers, a)
			scopes[authorizer] = s.values(member(n, "AuthorizationScopes"))
		}
		guards[name] = s.value(member(p, "Auth", "DefaultAuthorizer"))
	}
	rest, err := s.samREST(globals)
	errs = append(errs, err)
	for name, r := range s.ofType("AWS::Serverless::Function") {
		errs = append(errs, s.addSAMFunction(name, r, member(globals, "Function")))
		for _, event := range members(member(r, "Properties", "Events")) {
			switch kind := text(event, "Type"); kind {
			case "HttpApi":
				errs = append(errs, s.samRoute(name, event, guards, scopes))
			case "Api":
				s.samMethod(name, event, rest)
			default:
				s.Project.note("line %d: function %s: dev sends it no %s events of SAM", event.Line, name, kind)
			}
		}
	}
	return errors.Join(errs...)
}

// addSAMFunction adds a function with what Globals say of every one.
func (s *stack) addSAMFunction(name string, r, globals *yaml.Node) error {
	p := member(r, "Properties")
	merged := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: r.Line}
	for _, property := range []string{"Runtime", "Handler", "Timeout", "MemorySize", "PackageType", "Layers"} {
		if n := cmp.Or(member(p, property), member(globals, property)); n != nil {
			merged.Content = append(merged.Content, scalar(property, n), n)
		}
	}
	variables := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, from := range []*yaml.Node{globals, p} {
		for variable, value := range members(member(from, "Environment", "Variables")) {
			variables.Content = append(variables.Content, scalar(variable, value), value)
		}
	}
	environment := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{scalar("Variables", r), variables}}
	merged.Content = append(merged.Content, scalar("Environment", r), environment)
	code := cmp.Or(member(p, "CodeUri"), member(globals, "CodeUri"))
	source, zip := s.value(code), (*yaml.Node)(nil)
	if strings.HasSuffix(source, ".zip") {
		source, zip = "", code
	}
	whole := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: r.Line, Content: []*yaml.Node{scalar("Properties", r), merged}}
	return s.addFunction(name, whole, zip, source)
}

func (s *stack) samAuthorizer(name string, n *yaml.Node) (gateway.Authorizer, error) {
	out := gateway.Authorizer{Name: name, Simple: s.value(member(n, "EnableSimpleResponses")) == "true"}
	if c := member(n, "JwtConfiguration"); c != nil {
		out.JWT = s.jwt(c, "issuer", "audience")
		out.IdentitySources = s.values(member(n, "IdentitySource"))
		return out, nil
	}
	out.Function = s.called(member(n, "FunctionArn"))
	out.External = out.Function == ""
	switch version := s.value(member(n, "AuthorizerPayloadFormatVersion")); version {
	case "1.0":
		out.Kind = gateway.HTTP1
	case "2.0":
	default:
		return out, errors.New("AuthorizerPayloadFormatVersion: want '1.0' or '2.0'")
	}
	for _, from := range []struct{ member, prefix string }{
		{"Headers", "$request.header."}, {"QueryStrings", "$request.querystring."}, {"Context", "$context."}, {"StageVariables", "$stageVariables."},
	} {
		for _, source := range items(member(n, "Identity", from.member)) {
			out.IdentitySources = append(out.IdentitySources, from.prefix+s.value(source))
		}
	}
	seconds, err := strconv.Atoi(cmp.Or(s.value(member(n, "Identity", "ReauthorizeEvery")), "0"))
	out.TTL = time.Duration(seconds) * time.Second
	return out, err
}

func (s *stack) samRoute(function string, event *yaml.Node, guards map[string]string, scopes map[string][]string) error {
	p := member(event, "Properties")
	method, path := strings.ToUpper(s.value(member(p, "Method"))), s.value(member(p, "Path"))
	out := gateway.Route{Key: method + " " + path, Function: function, Payload1: s.value(member(p, "PayloadFormatVersion")) == "1.0"}
	switch {
	case path == "":
		out.Key = "$default"
	case method == "X-AMAZON-APIGATEWAY-ANY-METHOD" || method == "":
		out.Key = "ANY " + path
	}
	api := ""
	if names := referred(member(p, "ApiId")); len(names) > 0 {
		api = names[0]
	}
	out.Authorizer = guards[api]
	switch own := s.value(member(p, "Auth", "Authorizer")); own {
	case "":
	case "NONE":
		out.Authorizer = ""
	default: // AWS_IAM is one
		out.Authorizer = own
	}
	if out.Scopes = s.values(member(p, "Auth", "AuthorizationScopes")); out.Scopes == nil {
		out.Scopes = scopes[out.Authorizer]
	}
	if err := s.addRoute(out); err != nil {
		return fmt.Errorf("line %d: function %s: %w", event.Line, function, err)
	}
	return nil
}

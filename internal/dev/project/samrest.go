package project

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// samAPI is what methods of a REST API of SAM have in common.
type samAPI struct {
	guard          string // the default authorizer; "": none
	guardPreflight bool   // also before the methods that answer preflights
	cors           *yaml.Node
}

// samREST reads the REST APIs of SAM, by their logical names; "" is the one that
// SAM adds for methods that name none.
func (s *stack) samREST(globals *yaml.Node) (map[string]samAPI, error) {
	declared := map[string]*yaml.Node{"": member(globals, "Api")}
	for name, r := range s.ofType("AWS::Serverless::Api") {
		declared[name] = member(r, "Properties")
	}
	apis := map[string]samAPI{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		p := declared[name]
		if member(p, "DefinitionBody") != nil || member(p, "DefinitionUri") != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: routes in an OpenAPI definition are not read: declare them as events of functions", p.Line, name))
		}
		auth := member(p, "Auth")
		for guard, n := range members(member(auth, "Authorizers")) {
			a, err := s.samRESTAuthorizer(guard, n)
			if err != nil {
				errs = append(errs, fmt.Errorf("line %d: authorizer %s: %w", n.Line, guard, err))
				continue
			}
			s.rest().Authorizers = append(s.rest().Authorizers, a)
		}
		for kind, n := range members(member(p, "GatewayResponses")) {
			s.gatewayResponse(kind, member(n, "ResponseParameters", "Headers"), "")
		}
		apis[name] = samAPI{guard: s.value(member(auth, "DefaultAuthorizer")), cors: cmp.Or(member(p, "Cors"), member(globals, "Api", "Cors")),
			guardPreflight: s.value(member(auth, "AddDefaultAuthorizerToCorsPreflight")) != "false"}
	}
	return apis, errors.Join(errs...)
}

// rest returns the REST API, which comes to be when it is first needed.
func (s *stack) rest() *gateway.Template {
	if s.REST == nil {
		s.REST = &gateway.Template{}
	}
	return s.REST
}

func (s *stack) samRESTAuthorizer(name string, n *yaml.Node) (gateway.Authorizer, error) {
	out := gateway.Authorizer{Name: name, Kind: gateway.RESTToken}
	if member(n, "UserPoolArn") != nil {
		out.Unverified = "COGNITO_USER_POOLS"
		return out, nil
	}
	out.Function = s.called(member(n, "FunctionArn"))
	out.External = out.Function == ""
	identity := member(n, "Identity")
	out.IdentitySources = []string{"method.request.header." + cmp.Or(s.value(member(identity, "Header")), "Authorization")}
	if s.value(member(n, "FunctionPayloadType")) == "REQUEST" {
		out.Kind, out.IdentitySources = gateway.RESTRequest, nil
		for _, from := range []struct{ member, prefix string }{
			{"Headers", "method.request.header."}, {"QueryStrings", "method.request.querystring."}, {"Context", "context."}, {"StageVariables", "stageVariables."},
		} {
			for _, source := range s.values(member(identity, from.member)) {
				out.IdentitySources = append(out.IdentitySources, from.prefix+source)
			}
		}
	}
	seconds, err := strconv.Atoi(cmp.Or(s.value(member(identity, "ReauthorizeEvery")), "300"))
	out.TTL = time.Duration(seconds) * time.Second
	if member(identity, "ValidationExpression") != nil {
		s.Project.note("line %d: authorizer %s: dev does not compare tokens with ValidationExpression", n.Line, name)
	}
	return out, err
}

// samMethod adds an event of type Api, and the method that answers its preflights.
func (s *stack) samMethod(function string, event *yaml.Node, apis map[string]samAPI) {
	p := member(event, "Properties")
	method, path := strings.ToUpper(s.value(member(p, "Method"))), s.value(member(p, "Path"))
	if method == "*" || method == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
		method = "ANY"
	}
	name := ""
	if names := referred(member(p, "RestApiId")); len(names) > 0 {
		name = names[0]
	}
	api := apis[name]
	guard := cmp.Or(s.value(member(p, "Auth", "Authorizer")), api.guard)
	if guard == "NONE" {
		guard = ""
	}
	s.rest().Routes = append(s.rest().Routes, gateway.Route{Key: method + " " + path, Function: function, Authorizer: guard})
	if api.cors == nil {
		return
	}
	options := gateway.Route{Key: "OPTIONS " + path, Mock: s.samPreflight(api.cors)}
	if api.guardPreflight {
		options.Authorizer = api.guard
	}
	if !slices.ContainsFunc(s.rest().Routes, func(r gateway.Route) bool { return r.Key == options.Key }) {
		s.rest().Routes = append(s.rest().Routes, options)
	}
}

// samPreflight reads Cors: a quoted origin, or a mapping of quoted values.
func (s *stack) samPreflight(cors *yaml.Node) *gateway.Mock {
	header := func(name string) string { return strings.Trim(s.value(member(cors, name)), "'") }
	m := &gateway.Mock{Status: http.StatusOK, Header: map[string]string{}}
	for name, value := range map[string]string{
		"Access-Control-Allow-Origin": cmp.Or(header("AllowOrigin"), strings.Trim(text(cors), "'")), "Access-Control-Allow-Headers": header("AllowHeaders"),
		allowMethods: cmp.Or(header("AllowMethods"), "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"), "Access-Control-Max-Age": header("MaxAge"),
		"Access-Control-Allow-Credentials": header("AllowCredentials"),
	} {
		if value != "" && value != "false" {
			m.Header[name] = value
		}
	}
	return m
}

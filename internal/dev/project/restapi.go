package project

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// readREST reads the resources of AWS::ApiGateway.
func (s *stack) readREST() error {
	var errs []error
	for name, r := range s.ofType("AWS::ApiGateway::Authorizer") {
		a, err := s.authorizer1(name, r)
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		}
		s.rest().Authorizers = append(s.rest().Authorizers, a)
	}
	for _, r := range s.ofType("AWS::ApiGateway::GatewayResponse") {
		s.gatewayResponse(s.value(member(r, "Properties", "ResponseType")), member(r, "Properties", "ResponseParameters"), "gatewayresponse.header.")
	}
	for name, r := range s.ofType("AWS::ApiGateway::Method") {
		if err := s.method1(r); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *stack) authorizer1(name string, r *yaml.Node) (gateway.Authorizer, error) {
	p := member(r, "Properties")
	out := gateway.Authorizer{Name: name, Function: s.called(member(p, "AuthorizerUri")), IdentitySources: strings.FieldsFunc(s.value(member(p, "IdentitySource")), func(r rune) bool { return r == ',' || r == ' ' })}
	out.External = out.Function == ""
	switch kind := s.value(member(p, "Type")); kind {
	case "TOKEN":
		out.Kind = gateway.RESTToken
	case "REQUEST":
		out.Kind = gateway.RESTRequest
	case "COGNITO_USER_POOLS":
		out.External, out.Kind, out.Unverified = false, gateway.RESTToken, kind
		return out, nil
	default:
		return out, fmt.Errorf("property Type: want TOKEN, REQUEST or COGNITO_USER_POOLS, have %q", kind)
	}
	seconds, err := strconv.Atoi(cmp.Or(s.value(member(p, "AuthorizerResultTtlInSeconds")), "300"))
	out.TTL = time.Duration(seconds) * time.Second
	return out, err
}

func (s *stack) method1(r *yaml.Node) error {
	p := member(r, "Properties")
	resource, err := s.pathOf(member(p, "ResourceId"), 0)
	if err != nil {
		return err
	}
	out := gateway.Route{Key: s.value(member(p, "HttpMethod")) + " " + cmp.Or(resource, "/")}
	switch kind := s.value(member(p, "Integration", "Type")); kind {
	case "AWS_PROXY":
		if out.Function = s.called(member(p, "Integration", "Uri")); out.Function == "" {
			return fmt.Errorf("%s: leads to no function of this template", out.Key)
		}
	case "MOCK":
		out.Mock = s.mock(out.Key, member(p, "Integration"))
	default:
		s.Project.note("line %d: %s: integrations of type %s are left out", r.Line, out.Key, kind)
		return nil
	}
	switch kind := s.value(member(p, "AuthorizationType")); kind {
	case "", "NONE":
	case "CUSTOM", "COGNITO_USER_POOLS":
		if names := referred(member(p, "AuthorizerId")); len(names) == 1 {
			out.Authorizer = names[0]
		} else {
			return fmt.Errorf("%s: AuthorizerId: want a Ref to an authorizer of this template", out.Key)
		}
	case gateway.AWSIAM:
		out.Authorizer = gateway.AWSIAM
	default:
		return fmt.Errorf("%s: AuthorizationType: want NONE, CUSTOM, COGNITO_USER_POOLS or AWS_IAM, have %q", out.Key, kind)
	}
	s.rest().Routes = append(s.rest().Routes, out)
	return nil
}

// gatewayResponse reads the fixed headers of what the API itself answers.
func (s *stack) gatewayResponse(kind string, parameters *yaml.Node, prefix string) {
	if s.rest().Responses == nil {
		s.REST.Responses = map[string]map[string]string{}
	}
	headers := map[string]string{}
	for name, value := range members(parameters) {
		fixed, quoted := strings.CutPrefix(s.value(value), "'")
		if header, ok := strings.CutPrefix(name, prefix); ok && quoted {
			headers[header] = strings.TrimSuffix(fixed, "'")
		}
	}
	s.REST.Responses[kind] = headers
}

// mock reads the first response of a MOCK integration. It has fixed headers; those
// that a template of the response computes are left out.
func (s *stack) mock(key string, integration *yaml.Node) *gateway.Mock {
	response := &yaml.Node{}
	if all := items(member(integration, "IntegrationResponses")); len(all) > 0 {
		response = all[0]
	}
	out := &gateway.Mock{Status: http.StatusOK, Header: map[string]string{}}
	if status, err := strconv.Atoi(s.value(member(response, "StatusCode"))); err == nil && status >= 200 && status < 600 {
		out.Status = status
	}
	for name, value := range members(member(response, "ResponseParameters")) {
		fixed, quoted := strings.CutPrefix(s.value(value), "'")
		if name, ok := strings.CutPrefix(name, "method.response.header."); ok && quoted {
			out.Header[name] = strings.TrimSuffix(fixed, "'")
		}
	}
	for _, template := range members(member(response, "ResponseTemplates")) {
		if strings.Contains(s.value(template), "responseOverride") {
			s.Project.note("line %d: %s: dev does not run its response template, which sets headers", integration.Line, key)
		}
	}
	return out
}

// pathOf returns the path of a resource of a REST API, up to its root.
func (s *stack) pathOf(id *yaml.Node, depth int) (string, error) {
	names := referred(id)
	if len(names) == 0 || depth > 50 {
		return "", errors.New("ResourceId: want a Ref to a resource of this template")
	}
	r := member(s.resources, names[0])
	switch text(r, "Type") {
	case "AWS::ApiGateway::RestApi":
		return "", nil
	case "AWS::ApiGateway::Resource":
		parent, err := s.pathOf(member(r, "Properties", "ParentId"), depth+1)
		return parent + "/" + path.Clean(s.value(member(r, "Properties", "PathPart"))), err
	}
	return "", fmt.Errorf("ResourceId: %s is no resource of a REST API", names[0])
}

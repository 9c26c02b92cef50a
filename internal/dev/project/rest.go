package project

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// addREST reads an http event of the Serverless Framework: "GET users/{id}", or a
// mapping.
func (p *Project) addREST(function string, e *yaml.Node) error {
	if p.REST == nil {
		p.REST = &gateway.Template{}
	}
	method, path := text(e, "method"), text(e, "path")
	if e.Kind == yaml.ScalarNode {
		method, path, _ = strings.Cut(strings.TrimSpace(e.Value), " ")
	}
	if method = strings.ToUpper(method); method == "*" {
		method = "ANY"
	}
	r := gateway.Route{Key: method + " /" + strings.Trim(strings.TrimSpace(path), "/"), Function: function}
	if integration := text(e, "integration"); integration != "" && !slices.Contains([]string{"lambda-proxy", "aws_proxy"}, strings.ToLower(strings.ReplaceAll(integration, "AWS-", "aws_"))) {
		return fmt.Errorf("%s: integration %s is not emulated: dev knows lambda-proxy", r.Key, integration)
	}
	if text(e, "private") == "true" {
		p.note("line %d: %s: dev asks for no API key", e.Line, r.Key)
	}
	if a := member(e, "authorizer"); a != nil {
		authorizer, err := readRESTAuthorizer(a)
		if err != nil {
			return fmt.Errorf("%s: authorizer: %w", r.Key, err)
		}
		if r.Authorizer, err = addAuthorizer(p.REST, authorizer); err != nil {
			return err
		}
	}
	p.REST.Routes = append(p.REST.Routes, r)
	if cors := member(e, "cors"); cors != nil && cors.Value != "false" {
		p.addPreflight(r.Key, cors)
	}
	return nil
}

// addPreflight adds the OPTIONS method that the framework makes for a path with a
// cors block. Its headers are those of preflights alone: functions set their own.
func (p *Project) addPreflight(routeKey string, cors *yaml.Node) {
	method, path, _ := strings.Cut(routeKey, " ")
	if method == "ANY" {
		method = "DELETE,GET,HEAD,PATCH,POST,PUT"
	}
	for _, r := range p.REST.Routes {
		if r.Key == "OPTIONS "+path {
			if r.Mock != nil && !strings.Contains(r.Mock.Header[allowMethods], method) {
				r.Mock.Header[allowMethods] += "," + method
			}
			return
		}
	}
	list := func(name, or string) string {
		var out []string
		for _, item := range items(member(cors, name)) {
			out = append(out, item.Value)
		}
		return cmp.Or(strings.Join(out, ","), or)
	}
	origins := strings.Split(list("origins", list("origin", "*")), ",")
	if len(origins) > 1 {
		p.note("line %d: %s: dev answers preflights for the first of its origins alone, %s", cors.Line, routeKey, origins[0])
	}
	m := &gateway.Mock{Status: http.StatusOK, Header: map[string]string{
		"Access-Control-Allow-Origin":  origins[0],
		"Access-Control-Allow-Headers": list("headers", "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-User-Agent,X-Amzn-Trace-Id"),
		allowMethods:                   list("methods", "OPTIONS,"+method),
	}}
	if text(cors, "allowCredentials") == "true" {
		m.Header["Access-Control-Allow-Credentials"] = "true"
	}
	if age := text(cors, "maxAge"); age != "" {
		m.Header["Access-Control-Max-Age"] = age
	}
	p.REST.Routes = append(p.REST.Routes, gateway.Route{Key: "OPTIONS " + path, Mock: m})
}

const allowMethods = "Access-Control-Allow-Methods"

func readRESTAuthorizer(n *yaml.Node) (gateway.Authorizer, error) {
	name := cmp.Or(text(n, "name"), text(n))
	out := gateway.Authorizer{Kind: gateway.RESTToken, Name: name, Function: name, TTL: 300 * time.Second,
		IdentitySources: []string{"method.request.header.Authorization"}}
	if member(n, "arn") != nil {
		out.Function, out.External = "", true
		out.Name = cmp.Or(out.Name, "arn")
	}
	kind := strings.ToLower(text(n, "type"))
	switch {
	case strings.EqualFold(name, "aws_iam"), kind == "aws_iam":
		return gateway.Authorizer{Name: gateway.AWSIAM, Unverified: gateway.AWSIAM}, nil
	case strings.Contains(text(n, "arn"), ":cognito-idp:"), kind == "cognito_user_pools":
		return gateway.Authorizer{Name: cmp.Or(name, "cognito"), Unverified: "COGNITO_USER_POOLS"}, nil
	case out.Name == "":
		return out, errors.New("want the name of a function, or an arn")
	}
	switch kind {
	case "", "token":
	case "request":
		out.Kind = gateway.RESTRequest
	default:
		return out, fmt.Errorf("type: want token, request, cognito_user_pools or aws_iam, have %s", kind)
	}
	if sources := text(n, "identitySource"); sources != "" {
		out.IdentitySources = strings.FieldsFunc(sources, func(r rune) bool { return r == ',' || r == ' ' })
	}
	if ttl := text(n, "resultTtlInSeconds"); ttl != "" {
		seconds, err := strconv.Atoi(ttl)
		if err != nil {
			return out, fmt.Errorf("resultTtlInSeconds: want a number, have %q", ttl)
		}
		out.TTL = time.Duration(seconds) * time.Second
	}
	return out, nil
}

// addAuthorizer declares an authorizer in t once and returns its name. Two that
// differ must not share one.
func addAuthorizer(t *gateway.Template, a gateway.Authorizer) (string, error) {
	for _, other := range t.Authorizers {
		if other.Name != a.Name {
			continue
		}
		if other.Kind != a.Kind || other.TTL != a.TTL || other.Function != a.Function || !slices.Equal(other.IdentitySources, a.IdentitySources) {
			return "", fmt.Errorf("the authorizer %s is declared in two ways: name one of them otherwise", a.Name)
		}
		return a.Name, nil
	}
	t.Authorizers = append(t.Authorizers, a)
	return a.Name, nil
}

// addWebSocket reads a websocket event: "$connect", or a mapping.
func (p *Project) addWebSocket(function string, e *yaml.Node) error {
	if p.WebSocket == nil {
		p.WebSocket = &WebSocket{Routes: map[string]string{}}
	}
	route := cmp.Or(text(e, "route"), text(e))
	if route == "" || p.WebSocket.Routes[route] != "" {
		return fmt.Errorf("route %q: missing, or declared twice", route)
	}
	p.WebSocket.Routes[route] = function
	a := member(e, "authorizer")
	if a == nil {
		return nil
	}
	if route != "$connect" {
		return errors.New("only $connect has an authorizer")
	}
	name := cmp.Or(text(a, "name"), text(a))
	out := gateway.Authorizer{Kind: gateway.WebSocket, Name: cmp.Or(name, "arn"), Function: name, IdentitySources: []string{"route.request.header.Auth"}}
	if member(a, "arn") != nil {
		out.Function, out.External = "", true
	}
	if sources := member(a, "identitySource"); sources != nil {
		out.IdentitySources = nil
		for _, s := range items(sources) {
			out.IdentitySources = append(out.IdentitySources, s.Value)
		}
	}
	p.WebSocket.Authorizer = &out
	return nil
}

package testkit

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// HTTP is the event of an HTTP API (payload 2.0) for a request of who. The zero
// identity is nobody: a route without the authorizer. [Route] gives the event path
// parameters.
func HTTP(who identity.Identity, method, target, body string, options ...EventOption) events.APIGatewayV2HTTPRequest {
	escaped, query := split(target)
	shape, path := shapeOf(options), unescape(escaped) // an HTTP API decodes the path
	key, _, parameters := shape.match(method, escaped)
	if shape.route == "" {
		key = method + " " + path
	}
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: path, RawQueryString: query.Encode(), Body: body,
		Headers: headers(body), QueryStringParameters: joined(query), PathParameters: decoded(parameters),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: key, Stage: "$default", RequestID: "testkit", APIID: "testkit",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: path, Protocol: "HTTP/1.1", SourceIP: sourceIP},
		},
	}
	switch {
	case who.Subject == "":
	case shape.native:
		e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: jwtClaims(who)}}
	default:
		e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{Lambda: numbers(who.Map())}
	}
	return e
}

// REST is the event of a REST API for a request of who. [Route] gives the event path
// parameters.
func REST(who identity.Identity, method, target, body string, options ...EventOption) events.APIGatewayProxyRequest {
	path, query := split(target)
	shape := shapeOf(options)
	_, resource, parameters := shape.match(method, path)
	e := events.APIGatewayProxyRequest{
		Resource: resource, Path: path, HTTPMethod: method, Body: body,
		Headers: headers(body), QueryStringParameters: last(query), MultiValueQueryStringParameters: query, PathParameters: parameters,
		RequestContext: events.APIGatewayProxyRequestContext{
			ResourcePath: resource, Path: path, HTTPMethod: method, Stage: "test", RequestID: "testkit", APIID: "testkit",
			Identity: events.APIGatewayRequestIdentity{SourceIP: sourceIP}, Authorizer: strung(who),
		},
	}
	if shape.native && who.Subject != "" {
		e.RequestContext.Authorizer = map[string]any{"claims": cognitoClaims(who)}
	}
	return e
}

// WebSocket is the event of a WebSocket API for a message that who sends on a
// connection, or for the connection itself: the route is "$connect" then.
func WebSocket(who identity.Identity, route, body string) events.APIGatewayWebsocketProxyRequest {
	kind := "MESSAGE"
	if route == "$connect" || route == "$disconnect" {
		kind = strings.ToUpper(route[1:])
	}
	e := events.APIGatewayWebsocketProxyRequest{
		Body: body,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			RouteKey: route, EventType: kind, ConnectionID: "testkit", Stage: "test", RequestID: "testkit", APIID: "testkit",
			Identity: events.APIGatewayRequestIdentity{SourceIP: sourceIP},
		},
	}
	if who.Subject != "" {
		e.RequestContext.Authorizer = strung(who)
	}
	return e
}

// Request is a request of who for a net/http handler that calls
// [identity.FromContext].
func Request(who identity.Identity, method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for name, value := range headers(body) {
		r.Header.Set(name, value)
	}
	if who.Subject == "" {
		return r
	}
	return r.WithContext(identity.NewContext(r.Context(), who))
}

// sourceIP is an address for documentation (RFC 5737).
const sourceIP = "192.0.2.1"

func split(target string) (path string, query url.Values) {
	path, raw, _ := strings.Cut(target, "?")
	query, _ = url.ParseQuery(raw)
	return path, query
}

func headers(body string) map[string]string {
	if body == "" {
		return map[string]string{}
	}
	return map[string]string{"content-type": "application/json"}
}

// joined has values of one name joined with commas, as HTTP APIs do.
func joined(query url.Values) map[string]string {
	m := map[string]string{}
	for name, values := range query {
		m[name] = strings.Join(values, ",")
	}
	return m
}

// last has the last value of each name, as REST APIs do.
func last(query url.Values) map[string]string {
	m := map[string]string{}
	for name, values := range query {
		m[name] = values[len(values)-1]
	}
	return m
}

// numbers is a context as encoding/json reads it from an event.
func numbers(m map[string]any) map[string]any {
	for name, v := range m {
		if n, ok := v.(int64); ok {
			m[name] = float64(n)
		}
	}
	return m
}

// strung is a context as REST and WebSocket APIs hand it on: of strings, and
// with some of their own.
func strung(who identity.Identity) map[string]any {
	if who.Subject == "" {
		return nil
	}
	m := who.Map()
	for name, v := range m {
		if n, ok := v.(int64); ok {
			m[name] = strconv.FormatInt(n, 10)
		}
	}
	m["principalId"], m["integrationLatency"] = who.Subject, float64(1)
	return m
}

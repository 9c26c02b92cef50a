package testkit

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// EventOption changes an event of [HTTP] or [REST].
type EventOption func(*shape)

// shape is what is not in the request itself.
type shape struct {
	route  string // "" is the path of the request
	native bool
}

// Route says which route of the API took the request, such as "GET /notes/{id}",
// "ANY /files/{proxy+}" or "$default". The event has its path parameters. Without it,
// the event is one of a route without parameters. An event panics if the route does
// not match its request.
func Route(key string) EventOption { return func(s *shape) { s.route = key } }

// Native makes the event one behind an authorizer of API Gateway's own. For [HTTP] it
// is the JWT authorizer with a token of Gatehouse's; for [REST] it is the Cognito
// authorizer, whose tokens hold no roles of ours and no session.
func Native() EventOption { return func(s *shape) { s.native = true } }

func shapeOf(options []EventOption) shape {
	var s shape
	for _, option := range options {
		option(&s)
	}
	return s
}

// match returns the key of the route that takes the request, its path, and the values
// of its parameters. A path that an HTTP API decodes is given decoded.
func (s shape) match(method, path string) (key, resource string, parameters map[string]string) {
	if s.route == "" {
		return method + " " + path, path, nil
	}
	if strings.HasPrefix(s.route, "$") {
		return s.route, s.route, nil
	}
	routeMethod, resource, _ := strings.Cut(s.route, " ")
	want, got := strings.Split(resource, "/"), strings.Split(path, "/")
	parameters = map[string]string{}
	fits := routeMethod == method || routeMethod == "ANY"
	for i := 0; fits && i < len(want); i++ {
		name, isParameter := strings.CutPrefix(want[i], "{")
		name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
		switch {
		case i >= len(got):
			fits = false
		case !isParameter:
			fits = want[i] == got[i]
		case greedy:
			parameters[name] = strings.Join(got[i:], "/")
			got = got[:i+1]
		default:
			parameters[name] = got[i]
			fits = got[i] != ""
		}
	}
	if !fits || len(want) != len(got) {
		panic(fmt.Sprintf("testkit: the route %q does not match %s %s", s.route, method, path))
	}
	return s.route, resource, parameters
}

// decoded returns parameters as an HTTP API has them.
func decoded(parameters map[string]string) map[string]string {
	for name, value := range parameters {
		parameters[name] = unescape(value)
	}
	return parameters
}

func unescape(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}

// jwtClaims are the claims of a token of who as a JWT authorizer hands them on.
func jwtClaims(who identity.Identity) map[string]string {
	claims := map[string]string{"iss": "https://issuer.example", "aud": "https://issuer.example/api", "jti": "testkit"}
	for member, value := range who.Map() {
		if value != "" && member != "first_party" && member != "roles" {
			claims[member] = fmt.Sprint(value)
		}
	}
	if who.Roles != nil {
		claims["roles"] = "[" + strings.Join(who.Roles, " ") + "]"
	}
	return claims
}

// cognitoClaims are the claims of a token of a user pool as a REST API hands them on.
func cognitoClaims(who identity.Identity) map[string]any {
	claims := map[string]any{"token_use": "access", "username": who.Subject, "cognito:groups": strings.Join(who.Roles, ",")}
	for member, value := range jwtClaims(who) {
		if !slices.Contains([]string{"aud", "roles", "sid", "exp"}, member) {
			claims[member] = value
		}
	}
	if who.Email != "" {
		claims["email_verified"] = "true"
	}
	if !who.ExpiresAt.IsZero() {
		claims["exp"] = who.ExpiresAt.UTC().Format("Mon Jan 02 15:04:05 UTC 2006")
	}
	return claims
}

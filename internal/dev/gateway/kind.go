package gateway

import (
	"errors"
	"fmt"
	"slices"
)

// Kind is a kind of Lambda authorizer: of which API it is, and which event it is
// sent. Each has rules of its own:
//
//	                     HTTP2  HTTP1  RESTRequest  RESTToken  WebSocket
//	answer               simple or IAM  IAM         IAM        IAM
//	error Unauthorized   500    500    401          401        401
//	any other error      500    500    500          500        500
//	context values       any JSON      strings, numbers and booleans
//	answers are kept     yes    yes    yes          yes        no
type Kind int

// The kinds.
const (
	HTTP2       Kind = iota // of an HTTP API, payload 2.0
	HTTP1                   // of an HTTP API, payload 1.0
	RESTRequest             // REQUEST of a REST API
	RESTToken               // TOKEN of a REST API
	WebSocket               // of a WebSocket API, whose $connect alone is asked about
)

func (k Kind) String() string {
	switch k {
	case HTTP2:
		return "HTTP API, payload 2.0"
	case HTTP1:
		return "HTTP API, payload 1.0"
	case RESTRequest:
		return "REST API, REQUEST"
	case RESTToken:
		return "REST API, TOKEN"
	case WebSocket:
		return "WebSocket API"
	}
	return fmt.Sprintf("kind %d", int(k))
}

func (k Kind) http() bool { return k == HTTP2 || k == HTTP1 }

// check returns what AWS would refuse of a, whose kind is k, when it deploys.
func (k Kind) check(a Authorizer) error {
	switch {
	case k < HTTP2 || k > WebSocket:
		return fmt.Errorf("%v is none", k)
	case a.Simple && k != HTTP2:
		return fmt.Errorf("only payload 2.0 of an HTTP API has simple answers")
	case k == WebSocket && a.TTL != 0:
		return errors.New("a WebSocket API keeps no answers")
	case k == RESTToken && len(a.IdentitySources) != 1:
		return errors.New("a TOKEN authorizer has one header as its identity source")
	}
	for _, expression := range a.IdentitySources {
		s, err := parseSource(k, expression)
		if err != nil {
			return err
		}
		if k == RESTToken && s.from != "header" {
			return fmt.Errorf("identitySource %q is no header", expression)
		}
	}
	return nil
}

// sourcePrefixes are how the identity sources of a kind begin: those that are in
// the request, and those that the gateway knows by itself.
func (k Kind) sourcePrefixes() (request, context string) {
	switch {
	case k.http():
		return "$request.", "$context."
	case k == WebSocket:
		return "route.request.", "context."
	}
	return "method.request.", "context."
}

// contextVariables are those of the documented ones that this gateway knows.
var contextVariables = []string{"routeKey", "stage", "httpMethod", "path"}

// hasVariable tells whether the API of a kind knows the variable.
func (k Kind) hasVariable(name string) bool {
	switch name {
	case "routeKey":
		return k.http() || k == WebSocket
	case "httpMethod", "path":
		return k != WebSocket
	}
	return slices.Contains(contextVariables, name)
}

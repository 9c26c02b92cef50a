package identity

import (
	"errors"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Event is a request event of API Gateway: of an HTTP API (payload 2.0), a REST
// API or an HTTP API with payload 1.0, or a WebSocket API; or an event of a
// function URL or a load balancer, where nobody has verified anything.
type Event interface {
	events.APIGatewayV2HTTPRequest | events.APIGatewayProxyRequest | events.APIGatewayWebsocketProxyRequest |
		events.LambdaFunctionURLRequest | events.ALBTargetGroupRequest
}

// FromEvent returns who called, as the authorizer found it: Gatehouse's, or one that
// API Gateway has itself (the JWT authorizer of an HTTP API, the Cognito authorizer
// of a REST API). It returns [ErrNone] if no authorizer ran, and another error if
// what it left behind is damaged; a protected function answers 401 to either.
//
// Function URLs and load balancers have no authorizer that verifies Gatehouse's
// tokens, so FromEvent always returns ErrNone for their events. Put
// authorizer.Guard in front of the handler there.
//
// API Gateway's own authorizers know no revocation, and accept an ID token whose
// audience they are configured with. The subject is the claim sub as it is: do not
// let two issuers guard one API in this way, because each can name any subject.
//
// On a WebSocket API every message bears the identity of its handshake, whose
// token may have ended since: package connection ends the connection then.
func FromEvent[E Event](event E) (Identity, error) {
	switch e := any(event).(type) {
	case events.APIGatewayV2HTTPRequest:
		a := e.RequestContext.Authorizer
		if a == nil || isFunctionURL(e.RequestContext.DomainName) {
			return Identity{}, ErrNone
		}
		m := map[string]any{"lambda": a.Lambda}
		if a.JWT != nil {
			m["jwt"] = map[string]any{"claims": anyValues(a.JWT.Claims)}
		}
		return fromAuthorizer(m)
	case events.APIGatewayProxyRequest:
		return fromAuthorizer(e.RequestContext.Authorizer)
	case events.APIGatewayWebsocketProxyRequest:
		m, _ := e.RequestContext.Authorizer.(map[string]any)
		return fromAuthorizer(m)
	}
	return Identity{}, ErrNone
}

// isFunctionURL tells whether an event is one of a function URL, which has the
// shape of payload 2.0.
func isFunctionURL(domain string) bool { return strings.Contains(domain, ".lambda-url.") }

var errTwoAuthorizers = errors.New("the event has the identities of two authorizers")

// fromAuthorizer reads the member authorizer of a request context. API Gateway
// alone writes it, in one of four forms:
//
//	{"lambda": {…}}           HTTP API, Gatehouse's authorizer
//	{"jwt": {"claims": {…}}}  HTTP API, payload 2.0, JWT authorizer
//	{"claims": {…}}           the same with payload 1.0; REST API, Cognito authorizer
//	{…}                       REST or WebSocket API, Gatehouse's authorizer
//
// An event that has two of them contradicts itself.
func fromAuthorizer(m map[string]any) (who Identity, err error) {
	err = ErrNone
	found := 0
	try := func(from map[string]any, read func(map[string]any) (Identity, error)) {
		if len(from) > 0 {
			found++
			who, err = read(from)
		}
	}
	jwt, _ := m["jwt"].(map[string]any)
	for _, in := range []map[string]any{jwt, m} {
		claims, _ := in["claims"].(map[string]any)
		try(claims, fromClaims)
	}
	lambda, _ := m["lambda"].(map[string]any)
	try(lambda, FromMap)
	if m[keySubject] != nil {
		try(m, FromMap)
	}
	if found > 1 {
		return Identity{}, errTwoAuthorizers
	}
	return who, err
}

func anyValues(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for name, value := range m {
		out[name] = value
	}
	return out
}

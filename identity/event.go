package identity

import "github.com/aws/aws-lambda-go/events"

// Event is a request event of API Gateway: of an HTTP API (payload 2.0), a REST
// API, or a WebSocket API.
type Event interface {
	events.APIGatewayV2HTTPRequest | events.APIGatewayProxyRequest | events.APIGatewayWebsocketProxyRequest
}

// FromEvent returns who called, as the authorizer found it. It returns [ErrNone]
// if no authorizer ran, and another error if what it left behind is damaged; a
// protected function answers 401 to either.
//
// On a WebSocket API every message bears the identity of its handshake, whose
// token may have ended since: package connection ends the connection then.
func FromEvent[E Event](event E) (Identity, error) {
	switch e := any(event).(type) {
	case events.APIGatewayV2HTTPRequest:
		if a := e.RequestContext.Authorizer; a != nil {
			return FromMap(a.Lambda)
		}
	case events.APIGatewayProxyRequest:
		return FromMap(e.RequestContext.Authorizer)
	case events.APIGatewayWebsocketProxyRequest:
		if m, ok := e.RequestContext.Authorizer.(map[string]any); ok {
			return FromMap(m)
		}
	}
	return Identity{}, ErrNone
}

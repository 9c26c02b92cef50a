package authorizer

import (
	"context"
	"encoding/json"
	"errors"
)

// errUnauthorized's text is what API Gateway compares: it answers 401 to exactly
// this, and 500 to any other.
type errUnauthorized struct{}

func (errUnauthorized) Error() string { return "Unauthorized" }

// ErrUnauthorized is what REST and WebSocket APIs are told about a refused token.
var ErrUnauthorized error = errUnauthorized{}

// event is what is used of an authorizer event, of every kind.
type event struct {
	Version string `json:"version"` // of the payload; "" on REST and WebSocket APIs
	Type    string `json:"type"`    // "TOKEN" or "REQUEST"

	RouteARN  string `json:"routeArn"`  // payload 2.0
	MethodARN string `json:"methodArn"` // every other

	RouteKey   string `json:"routeKey"`   // payload 2.0
	Resource   string `json:"resource"`   // the path of the route, not of the request
	HTTPMethod string `json:"httpMethod"` // of the request

	AuthorizationToken string              `json:"authorizationToken"` // TOKEN: the header
	Headers            map[string]string   `json:"headers"`
	MultiValueHeaders  map[string][]string `json:"multiValueHeaders"`
	Cookies            []string            `json:"cookies"` // payload 2.0: one pair each

	RequestContext struct {
		RouteKey  string `json:"routeKey"`
		EventType string `json:"eventType"`
		HTTP      struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
}

// kind is a kind of authorizer event.
type kind int

const (
	unknownKind kind = iota
	httpAPI2         // HTTP API, payload 2.0
	httpAPI1         // HTTP API, payload 1.0
	restToken        // REST API, TOKEN
	restRequest      // REST API, REQUEST
	webSocket        // WebSocket API, $connect
)

// kind tells the kind of e by its shape.
func (e *event) kind() kind {
	switch {
	case e.Version == "2.0" && e.Type == "REQUEST" && e.RouteARN != "" && e.RouteKey != "":
		return httpAPI2
	case e.Version == "1.0" && e.Type == "REQUEST" && e.MethodARN != "" && e.Resource != "" && e.HTTPMethod != "":
		return httpAPI1
	case e.Version != "" || e.MethodARN == "":
		return unknownKind
	case e.Type == "TOKEN":
		return restToken
	case e.Type == "REQUEST" && e.RequestContext.EventType == "CONNECT" && e.RequestContext.RouteKey == "$connect":
		return webSocket
	case e.Type == "REQUEST" && e.Resource != "" && e.HTTPMethod != "":
		return restRequest
	}
	return unknownKind
}

var (
	errNoEvent     = errors.New("the event cannot be read as an authorizer event") // the cause may quote it
	errUnknownKind = errors.New("the event is of no kind that an authorizer is asked about")
)

// Handle answers one event of API Gateway, in JSON. The kind of the event is told
// from its shape. An error other than [ErrUnauthorized] is our own trouble, and
// has been logged; the gateway answers 500.
func (a *Authorizer) Handle(ctx context.Context, payload []byte) ([]byte, error) {
	out, err := a.handle(ctx, payload)
	if err != nil && !errors.Is(err, ErrUnauthorized) {
		a.c.Log.ErrorContext(ctx, "authorizer", "err", err)
	}
	return out, err
}

func (a *Authorizer) handle(ctx context.Context, payload []byte) ([]byte, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, errNoEvent
	}
	switch e.kind() {
	case httpAPI2:
		return a.answerHTTPAPI(ctx, &e)
	case httpAPI1, restToken, restRequest:
		return a.answerMethod(ctx, &e)
	case webSocket:
		return a.answerConnect(ctx, &e)
	}
	return nil, errUnknownKind
}

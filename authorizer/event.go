package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrUnauthorized is what a REST or WebSocket authorizer returns for a refused
// token: API Gateway answers 401 to exactly this text, and 500 to any other.
var ErrUnauthorized = errors.New("Unauthorized") //lint:ignore ST1005 the gateway compares it

// event is what is used of an authorizer event, of every kind.
type event struct {
	Version  string `json:"version"` // "1.0" and "2.0" on HTTP APIs
	Type     string `json:"type"`    // "TOKEN" or "REQUEST"
	RouteKey string `json:"routeKey"`
	RouteARN string `json:"routeArn"`

	MethodARN          string `json:"methodArn"`
	AuthorizationToken string `json:"authorizationToken"`
	Resource           string `json:"resource"`
	HTTPMethod         string `json:"httpMethod"`

	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`

	RequestContext struct {
		RouteKey  string `json:"routeKey"`
		EventType string `json:"eventType"`
	} `json:"requestContext"`
}

var errUnknownEvent = errors.New("the event is of no kind that an authorizer is asked about")

// Handle answers one event of API Gateway, in JSON. The kind of the event is told
// from its shape. An error other than [ErrUnauthorized] is our own trouble, and
// has been logged; the gateway answers 500.
func (a *Authorizer) Handle(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := a.handle(ctx, payload)
	if err != nil && !errors.Is(err, ErrUnauthorized) {
		a.c.Log.ErrorContext(ctx, "authorizer", "err", err)
	}
	return answer, err
}

func (a *Authorizer) handle(ctx context.Context, payload []byte) ([]byte, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		// The cause may quote what the event holds.
		return nil, errors.New("the event cannot be read as JSON of an authorizer event")
	}
	answer, err := a.answer(ctx, &e)
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("writing answer: %w", err)
	}
	return out, nil
}

// answer returns what the gateway is told about e.
func (a *Authorizer) answer(ctx context.Context, e *event) (any, error) {
	if e.Version == "2.0" && e.Type == "REQUEST" && e.RouteKey != "" && e.RouteARN != "" {
		return a.answerHTTPAPI(ctx, e)
	}
	return nil, errUnknownEvent
}

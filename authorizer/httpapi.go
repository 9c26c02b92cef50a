package authorizer

import "context"

// simpleAnswer is the answer to payload 2.0 where the API takes simple ones. It
// is right for one route only: the gateway may keep it if $context.routeKey is an
// identity source, or not at all.
type simpleAnswer struct {
	IsAuthorized bool           `json:"isAuthorized"`
	Context      map[string]any `json:"context,omitempty"`
}

// answerHTTPAPI answers payload 2.0 of an HTTP API.
func (a *Authorizer) answerHTTPAPI(ctx context.Context, e *event) (any, error) {
	v, err := a.authenticate(ctx, bearer(headerLines(e.Headers, nil, "authorization")))
	if err != nil {
		return nil, err
	}
	unauthenticated := v.refusal != nil
	v = a.authorize(v, e.RouteKey)
	a.note(ctx, v, e.RouteKey)
	switch {
	case unauthenticated && a.c.UnauthorizedError:
		return nil, ErrUnauthorized
	case v.refusal != nil:
		return simpleAnswer{}, nil
	}
	return simpleAnswer{IsAuthorized: true, Context: v.who.Map()}, nil
}

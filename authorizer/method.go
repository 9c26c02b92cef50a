package authorizer

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
)

// request returns what counts of e, for every kind of event.
func (e *event) request() request {
	r := request{
		authorization: headerLines(e.Headers, e.MultiValueHeaders, "Authorization"),
		cookies:       append(headerLines(e.Headers, e.MultiValueHeaders, "Cookie"), e.Cookies...),
		origins:       headerLines(e.Headers, e.MultiValueHeaders, "Origin"),
		method:        e.HTTPMethod,
	}
	switch e.kind() {
	case httpAPI2:
		r.routeKey, r.method = e.RouteKey, e.RequestContext.HTTP.Method
	case restToken:
		r.authorization = headerLines(map[string]string{"Authorization": e.AuthorizationToken}, nil, "Authorization")
		r.cookies, r.origins = nil, nil
	case webSocket:
		r.routeKey, r.method = e.RequestContext.RouteKey, "CONNECT"
		r.protocols = headerLines(e.Headers, e.MultiValueHeaders, "Sec-WebSocket-Protocol")
	default:
		r.routeKey = e.HTTPMethod + " " + e.Resource
		if e.Resource == "$default" {
			r.routeKey = e.Resource
		}
	}
	return r
}

// answerMethod answers every kind of event but the handshake of a WebSocket with
// an IAM policy for the whole API, so that the answer for one route is right for
// every other, for as long as the gateway keeps it.
func (a *Authorizer) answerMethod(ctx context.Context, e *event) ([]byte, error) {
	arn := e.MethodARN
	if e.kind() == httpAPI2 {
		arn = e.RouteARN
	}
	stage, called, err := parseARN(arn)
	if err != nil {
		return nil, err
	}
	var v verdict
	var fresh bool
	if r := e.request(); e.kind() == restToken {
		// The event does not say which route it is; the answer says it for all.
		fresh = a.c.Policy.FreshRequest(called)
		if v, err = a.authenticate(ctx, r, fresh); v.refusal != nil {
			a.note(ctx, v, "")
		}
	} else {
		fresh = a.c.Policy.Fresh(r.routeKey)
		v, err = a.judge(ctx, r)
	}
	switch {
	case err != nil:
		return nil, err
	case v.unauthenticated() && (e.Version == "" || a.c.UnauthorizedError):
		return nil, ErrUnauthorized
	case v.unauthenticated():
		return stage.answer(nobody, policy.Patterns{}).write()
	}
	return stage.answer(v.caller, a.c.Policy.Patterns(v.caller.who, fresh)).write()
}

// answerConnect answers the handshake of a WebSocket. The policy is for that
// alone: no other route of such an API asks an authorizer.
func (a *Authorizer) answerConnect(ctx context.Context, e *event) ([]byte, error) {
	stage, called, err := parseARN(e.MethodARN)
	if err != nil || called != "$connect" {
		return nil, errARN
	}
	v, err := a.judge(ctx, e.request())
	switch {
	case err != nil:
		return nil, err
	case v.unauthenticated():
		return nil, ErrUnauthorized
	case v.refusal != nil:
		return stage.answer(v.caller, policy.Patterns{}).write()
	}
	return stage.answer(v.caller, policy.Patterns{Allow: []string{"$connect"}}).write()
}

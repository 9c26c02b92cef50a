package authorizer

import (
	"context"
	"errors"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/warmup"
)

// errUnauthorized's text is what API Gateway compares: it answers 401 to exactly
// this, and 500 to any other.
type errUnauthorized struct{}

func (errUnauthorized) Error() string { return "Unauthorized" }

// ErrUnauthorized is the answer to REST and WebSocket APIs for a refused token.
var ErrUnauthorized error = errUnauthorized{}

var errUnknownKind = errors.New("the event is of no kind that an authorizer is asked about")

// Handle answers one event of API Gateway, in JSON. The shape of the event
// says its kind. An event that keeps the function warm has an empty answer. An
// error other than [ErrUnauthorized] is our own trouble, and has been logged; the
// gateway answers 500.
func (a *Authorizer) Handle(ctx context.Context, payload []byte) ([]byte, error) {
	out, err := a.handle(ctx, payload)
	if err != nil && !errors.Is(err, ErrUnauthorized) {
		a.logTrouble(ctx, err)
	}
	return out, err
}

func (a *Authorizer) handle(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	switch e.kind() {
	case httpAPI2:
		if a.c.IAM {
			return a.answerMethod(ctx, e, e.routeARN)
		}
		return a.answerSimply(ctx, e)
	case httpAPI1, restToken, restRequest:
		return a.answerMethod(ctx, e, e.methodARN)
	case webSocket:
		return a.answerConnect(ctx, e)
	}
	if warmup.Is(payload) {
		return warmup.Answer, nil
	}
	return nil, errUnknownKind
}

// answerSimply answers payload 2.0 of an HTTP API. A simple answer is right for
// one route only: the gateway may keep it if $context.routeKey is an identity
// source, or not at all.
func (a *Authorizer) answerSimply(ctx context.Context, e *event) ([]byte, error) {
	v, err := a.judge(ctx, e.request())
	switch {
	case err != nil:
		return nil, err
	case v.unauthenticated() && a.c.UnauthorizedError:
		return nil, ErrUnauthorized
	case v.refusal != nil:
		return []byte(`{"isAuthorized":false}`), nil
	}
	out := make([]byte, 0, 64+len(v.caller.context))
	out = append(out, `{"isAuthorized":true,"context":`...)
	out = append(out, v.caller.context...)
	return append(out, '}'), nil
}

// answerMethod answers every kind of event but the handshake of a WebSocket with
// an IAM policy for the whole API, so that the answer for one route is right for
// every other, for as long as the gateway caches it.
func (a *Authorizer) answerMethod(ctx context.Context, e *event, arn string) ([]byte, error) {
	stage, called, err := parseARN(arn)
	if err != nil {
		return nil, err
	}
	r := e.request()
	fresh := a.c.Policy.Fresh(r.routeKey)
	if e.kind() == restToken { // the event does not name its route
		fresh = a.c.Policy.FreshRequest(called)
	}
	v, err := a.authenticate(ctx, r, fresh)
	if err != nil {
		return nil, err
	}
	var allowed policy.Patterns
	if v.refusal == nil {
		allowed, v.refusal = a.patterns(v.caller, r.routeKey, called, fresh)
	}
	a.note(ctx, v, r.routeKey)
	switch {
	case v.unauthenticated() && (e.version == "" || a.c.UnauthorizedError):
		return nil, ErrUnauthorized
	case v.unauthenticated():
		return stage.answer(nobody, policy.Patterns{})
	}
	return stage.answer(v.caller, allowed)
}

// patterns returns what the caller can call, and the refusal of this request, if
// it is refused. Both agree: the gateway refuses the request by the patterns
// exactly if there is a refusal. A refusal leaves what other routes the caller can
// call in the answer, because the gateway can cache it; but a request whose path
// has two spellings gets an answer that allows nothing. The route key is "" if the
// event does not name its route.
func (a *Authorizer) patterns(caller *verified, routeKey, called string, fresh bool) (policy.Patterns, *refusal) {
	if !policy.Canonical(called) {
		return policy.Patterns{}, &refusal{reason: ReasonPath}
	}
	now := a.c.Now()
	allowed := a.c.Policy.Patterns(caller.who, fresh, now)
	permitted := allowed.Permits(called)
	if routeKey != "" {
		if refused := refusalFor(a.c.Policy.Decide(routeKey, caller.who, now)); refused != nil {
			if permitted { // the route key and the path of the event do not fit
				return policy.Patterns{}, refused
			}
			return allowed, refused
		}
	}
	if !permitted {
		return allowed, &refusal{reason: ReasonUnnamed}
	}
	return allowed, nil
}

// answerConnect answers the handshake of a WebSocket. The policy is for that
// alone: no other route of such an API asks an authorizer. A connection may
// outlive the token it was opened with: exp in the context says when to end it.
func (a *Authorizer) answerConnect(ctx context.Context, e *event) ([]byte, error) {
	stage, called, err := parseARN(e.methodARN)
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
		return stage.answer(v.caller, policy.Patterns{})
	}
	return stage.answer(v.caller, policy.Patterns{Allow: []string{"$connect"}})
}

// request returns what counts of e, for every kind of event.
func (e *event) request() request {
	r := request{
		method:        e.httpMethod,
		authorization: e.headers[authorization].all(),
		cookies:       append(e.headers[cookieHeader].all(), e.cookies...),
		origins:       e.headers[origin].all(),
	}
	switch e.kind() {
	case httpAPI2:
		r.routeKey, r.method = e.routeKey, e.context.method
	case restToken:
		r = request{authorization: []string{e.authorizationToken}}
	case webSocket:
		r.routeKey, r.method = e.context.routeKey, "CONNECT"
		r.protocols = e.headers[subprotocols].all()
	default:
		r.routeKey = e.httpMethod + " " + e.resource
		if e.resource == "$default" {
			r.routeKey = e.resource
		}
	}
	return r
}

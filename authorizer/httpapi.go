package authorizer

import "context"

// answerHTTPAPI answers payload 2.0 of an HTTP API. A simple answer is right for
// one route only: the gateway may keep it if $context.routeKey is an identity
// source, or not at all.
func (a *Authorizer) answerHTTPAPI(ctx context.Context, e *event) ([]byte, error) {
	if a.c.IAM {
		return a.answerMethod(ctx, e)
	}
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

// Package lambdahttp lets a net/http handler answer the events of API Gateway:
// REST APIs, and HTTP APIs with payload 1.0 and 2.0. The handler cannot tell the
// kinds apart, and sees the request as the client sent it, with what only the
// gateway knows in its context:
//
//   - identity.FromContext: who called, if an authorizer ran. It is read from the
//     request context of the event, which the gateway alone writes; no header
//     that a client sends can put anything there.
//   - httpx.RequestID: the gateway's id of the request.
//   - Request.RemoteAddr: the address of the client, with port 0.
//
// The path is without the name of the stage, and without the key of a custom
// domain's mapping. See file path.go for what percent-encoding survives.
package lambdahttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/warmup"
)

// ErrNotHTTP says that an event is none that API Gateway sends for a request.
var ErrNotHTTP = errors.New("not an HTTP event of API Gateway")

// Function is a Lambda function over raw JSON. It implements lambda.Handler, so
// that lambda.Start decodes and encodes nothing.
type Function func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke calls f.
func (f Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// Handler returns h as a Lambda function. It answers in the format
// of the event. An event that keeps the function warm has an empty answer. An error is one of the event and never holds any of its text; the
// gateway makes a 500 of it. A request that contradicts itself is answered 400
// and never reaches h.
func Handler(h http.Handler) Function {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var e event
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, ErrNotHTTP // encoding/json may quote the payload
		}
		if e.method() == "" || e.path() == "" {
			if warmup.Is(payload) {
				return warmup.Answer, nil
			}
			return nil, ErrNotHTTP
		}
		answer := &recorder{header: http.Header{}, method: e.method()}
		r, err := e.request(e.context(ctx))
		if err != nil {
			httpx.Problem(answer, new(http.Request).WithContext(ctx), &httpx.Error{
				Status: http.StatusBadRequest, Code: "bad_request", Detail: err.Error()})
		} else {
			h.ServeHTTP(answer, r)
		}
		out, err := json.Marshal(answer.response(e.Version == "2.0"))
		if err != nil {
			return nil, fmt.Errorf("encoding the answer: %w", err)
		}
		return out, nil
	}
}

// context adds to ctx what the gateway knows of the request. An identity that
// cannot be read is none: handlers refuse a caller they do not know.
func (e *event) context(ctx context.Context) context.Context {
	ctx = httpx.WithRequestID(ctx, e.RequestContext.RequestID)
	if who, err := identity.FromMap(e.authorizer()); err == nil {
		ctx = identity.NewContext(ctx, who)
	}
	return ctx
}

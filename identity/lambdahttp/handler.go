// Package lambdahttp lets a net/http handler answer the events of API Gateway
// (REST APIs, and HTTP APIs with payload 1.0 and 2.0), of function URLs and of
// load balancers:
//
//	lambda.Start(lambdahttp.Handler(mux))
//
// The handler cannot tell the kinds apart, and sees the request as the client sent
// it, with what only the gateway knows in its context:
//
//   - identity.FromContext: who called, if an authorizer ran. It is read from the
//     request context of the event, which the gateway alone writes; no header
//     that a client sends can put anything there. A function URL and a load
//     balancer have no authorizer: put authorizer.Guard in front of the handler.
//   - RequestID: the gateway's id of the request.
//   - Request.RemoteAddr: the address of the client, with port 0; ":0" behind a
//     load balancer, whose events do not say it.
//
// The path is without the name of the stage, and without the key of a custom
// domain's mapping. See file path.go for what percent-encoding survives.
//
// Part of Gatehouse's promised API.
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

// ErrNotHTTP says that an event is not one of an HTTP request.
var ErrNotHTTP = errors.New("not the event of an HTTP request")

// Function is a Lambda function over raw JSON. It implements lambda.Handler, so
// that lambda.Start decodes and encodes nothing.
type Function func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke calls f.
func (f Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// Handler returns h as a Lambda function. It responds in the format of the event.
// An event that keeps the function warm has an empty response. An error never
// holds any text of the event; the gateway makes a 500 of it. A request that
// contradicts itself is answered 400 and never reaches h.
//
// The caller is the one that [identity.FromEvent] finds.
func Handler(h http.Handler) Function { return handler(h, (*event).caller) }

// Strict is [Handler] for a function that must not run without revocation: it knows
// the callers of Gatehouse's authorizer alone. Behind an authorizer of API Gateway's
// own, there is no identity in the context.
func Strict(h http.Handler) Function { return handler(h, (*event).gatehouseCaller) }

// RequestID returns the gateway's id of the request, or "".
func RequestID(ctx context.Context) string { return httpx.RequestID(ctx) }

func handler(h http.Handler, caller func(*event) (identity.Identity, error)) Function {
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
		ctx = httpx.WithRequestID(ctx, e.RequestContext.RequestID)
		// An identity that cannot be read is none: handlers refuse a caller they do
		// not know.
		if who, err := caller(&e); err == nil {
			ctx = identity.NewContext(ctx, who)
		}
		answer := &recorder{header: http.Header{}, method: e.method()}
		r, err := e.request(ctx)
		if err != nil {
			httpx.Problem(answer, new(http.Request).WithContext(ctx), &httpx.Error{
				Status: http.StatusBadRequest, Code: "bad_request", Detail: err.Error()})
		} else {
			h.ServeHTTP(answer, r)
		}
		response, err := answer.response(e.format())
		if err != nil {
			return nil, err
		}
		out, err := json.Marshal(response)
		if err != nil {
			return nil, fmt.Errorf("encoding the response: %w", err)
		}
		return out, nil
	}
}

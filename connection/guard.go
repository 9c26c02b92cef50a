package connection

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// Handler is the function of a WebSocket API, as lambda.Start takes it. Behind a
// [Guard] it finds who sent the message with [identity.FromContext].
type Handler func(context.Context, events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error)

// Guard stands before the function of a WebSocket API: before its $connect, its
// $disconnect and every route for messages, whether they are one function or
// several. It is safe for concurrent use.
type Guard struct {
	Store  Store  // required
	Closer Closer // required

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default()
}

// Protect returns next behind g.
//
//   - $connect: next is called once the connection is remembered. Without an
//     identity whose token lives, or if the store cannot be had, the client gets
//     401 or 503, and there is no connection. If the client brought its token as
//     a subprotocol and next chose none, "bearer" is chosen, without which a
//     browser hangs up.
//   - a message: next is called if the token lives. Else the connection is closed
//     and the answer is 401; where closing fails, [Sweep] tries again.
//   - $disconnect: the connection is forgotten, and next is called, also when the
//     token has ended; if API Gateway does not say whose connection it was, the
//     context carries nobody.
func (g *Guard) Protect(next Handler) Handler {
	return func(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		who, err := identity.FromEvent(event)
		if err == nil {
			ctx = identity.NewContext(ctx, who)
		}
		c := Connection{
			ID: event.RequestContext.ConnectionID, ExpiresAt: who.ExpiresAt,
			Subject: who.Subject, SessionID: who.SessionID, OpenedAt: g.now().UTC().Truncate(time.Second),
		}
		// The type is API Gateway's word; the route can be the client's.
		switch event.RequestContext.EventType {
		case "CONNECT":
			return g.connect(ctx, c, next, event)
		case "DISCONNECT":
			g.forget(ctx, c)
			return next(ctx, event)
		}
		if c.ended(g.now()) {
			return g.refuse(ctx, c)
		}
		return next(ctx, event)
	}
}

func (g *Guard) connect(ctx context.Context, c Connection, next Handler, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	if c.ended(g.now()) {
		g.log().WarnContext(ctx, "connection refused", "reason", reason(c))
		return answer(http.StatusUnauthorized), nil
	}
	if err := g.Store.Remember(ctx, c); err != nil {
		// A connection that is not in the store would outlive its token.
		g.log().ErrorContext(ctx, "remembering a connection", "err", err)
		return answer(http.StatusServiceUnavailable), nil
	}
	out, err := next(ctx, event)
	switch {
	case err != nil || out.StatusCode >= 300:
		g.forget(ctx, c)
		return out, err
	case c.ended(g.now()): // it took its time
		g.forget(ctx, c)
		return answer(http.StatusUnauthorized), nil
	}
	return chooseBearer(out, event), nil
}

// refuse closes c, whose message is not to be read.
func (g *Guard) refuse(ctx context.Context, c Connection) (events.APIGatewayProxyResponse, error) {
	g.log().WarnContext(ctx, "message refused", "reason", reason(c))
	if err := end(ctx, g.Store, g.Closer, c); err != nil {
		g.log().ErrorContext(ctx, "closing a connection", "err", err)
	}
	return answer(http.StatusUnauthorized), nil
}

// reason is why nothing is taken from c any more, for the log.
func reason(c Connection) string {
	switch {
	case c.Subject == "":
		return "identity_missing"
	case c.ExpiresAt.IsZero():
		return "exp_missing"
	}
	return "expired"
}

// forget forgets c if it can: [Sweep] does it later, where it cannot.
func (g *Guard) forget(ctx context.Context, c Connection) {
	if c.ExpiresAt.IsZero() { // it never was remembered
		return
	}
	if err := g.Store.Forget(ctx, c); err != nil {
		g.log().WarnContext(ctx, "forgetting a connection", "err", err)
	}
}

func (g *Guard) now() time.Time {
	if g.Now == nil {
		return time.Now()
	}
	return g.Now()
}

func (g *Guard) log() *slog.Logger {
	if g.Log == nil {
		return slog.Default()
	}
	return g.Log
}

func answer(status int) events.APIGatewayProxyResponse {
	return events.APIGatewayProxyResponse{StatusCode: status}
}

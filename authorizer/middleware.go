package authorizer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// Guard puts the authorizer in front of next, for where no gateway asks it: a
// function URL, a load balancer, a container. The decision is the one that a
// gateway would get for the route key, such as "GET /notes/{id}". next finds the
// caller with [identity.FromContext].
func (a *Authorizer) Guard(routeKey string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := a.judge(r.Context(), fromHTTP(routeKey, r))
		switch {
		case err != nil:
			a.logTrouble(r.Context(), err)
			refuse(w, http.StatusInternalServerError, "Internal Server Error", "")
		case v.refusal == nil:
			next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), v.caller)))
		case v.refusal.reason == ReasonAuthAge: // RFC 9470, Section 3
			refuse(w, http.StatusUnauthorized, "Unauthorized", fmt.Sprintf(`Bearer error="insufficient_user_authentication", `+
				`error_description="A more recent sign-in is required", max_age="%d"`, int(v.refusal.maxAge.Seconds())))
		case !v.unauthenticated():
			refuse(w, http.StatusForbidden, "Forbidden", `Bearer error="insufficient_scope"`)
		case v.refusal.reason == ReasonTokenMissing:
			// "If the request lacks any authentication information […], the
			// resource server SHOULD NOT include an error code" (RFC 6750,
			// Section 3.1).
			refuse(w, http.StatusUnauthorized, "Unauthorized", "Bearer")
		default:
			refuse(w, http.StatusUnauthorized, "Unauthorized", `Bearer error="invalid_token"`)
		}
	})
}

// withCaller hands on a copy: what a handler does to it is its own affair.
func withCaller(ctx context.Context, caller *verified) context.Context {
	who := caller.who
	who.Roles, who.Scopes = slices.Clone(who.Roles), slices.Clone(who.Scopes)
	return identity.NewContext(ctx, who)
}

// refuse says what API Gateway says.
func refuse(w http.ResponseWriter, status int, message, challenge string) {
	h := w.Header()
	if challenge != "" {
		h.Set("WWW-Authenticate", challenge)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, `{"message":"`+message+`"}`)
}

// fromHTTP returns what counts of r.
func fromHTTP(routeKey string, r *http.Request) request {
	q := request{
		routeKey: routeKey, method: r.Method,
		authorization: r.Header.Values("Authorization"),
		cookies:       r.Header.Values("Cookie"),
		origins:       r.Header.Values("Origin"),
	}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		// The handshake of a WebSocket is a GET that any page may make.
		q.method = http.MethodConnect
		q.protocols = r.Header.Values("Sec-WebSocket-Protocol")
	}
	return q
}

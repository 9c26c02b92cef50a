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
// function URL, a load balancer, a container. next finds the caller with
// [identity.FromContext].
//
// The pattern is the one that next has at http.ServeMux, such as "GET /notes/{id}",
// "/hello", "GET /{$}" or "/static/", or a route key of API Gateway, such as "ANY
// /demo/{proxy+}". The decision is the one that a gateway would get for that route:
// the rule for it, or for the narrowest route around it, counts. A pattern without a
// method asks for the rules of each request's method; HEAD asks for those of GET. A
// rule for a narrower route that the request's path is in counts as well, because no
// narrower pattern has taken the request. A path with a part . or .., escaped or not, is
// in no route, and refused.
//
// Like http.ServeMux, Guard panics if the pattern is one that no rule could be for,
// such as one with a host, or one whose rule says that the route is public.
//
// A preflight carries no token (Fetch, CORS-preflight request), so next answers it
// without a caller. Of the response, only the status and the headers of CORS go out,
// and next sees no body: what looks like a preflight must not get at what is guarded.
// As with any OPTIONS request, next must change nothing.
func (a *Authorizer) Guard(patternText string, next http.Handler) http.Handler {
	p, err := a.parsePattern(patternText)
	if err != nil {
		panic(fmt.Sprintf("authorizer: pattern %q can match no rule: %v", patternText, err))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPreflight(r) {
			servePreflight(w, r, next)
			return
		}
		asked := fromHTTP(p, r)
		v, err := a.judge(r.Context(), asked)
		switch {
		case err != nil:
			a.logTrouble(r.Context(), err)
			refuse(w, http.StatusInternalServerError, "Internal Server Error", "")
		case v.refusal == nil:
			next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), v.caller)))
		case v.unauthenticated() || v.refusal.reason == ReasonAuthAge:
			refuse(w, http.StatusUnauthorized, "Unauthorized", a.challenge(asked, v))
		default:
			refuse(w, http.StatusForbidden, "Forbidden", a.challenge(asked, v))
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
func fromHTTP(p pattern, r *http.Request) request {
	q := request{
		routeKey: p.key(r.Method), exactKeys: p.exactKeys(r), method: r.Method,
		authorization: r.Header.Values("Authorization"),
		cookies:       r.Header.Values("Cookie"),
		origins:       r.Header.Values("Origin"),
	}
	if p.special == "" && leadsUp(r) {
		q.routeKey = "" // is no route
	}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		// The handshake of a WebSocket is a GET that any page may make.
		q.method = http.MethodConnect
		q.protocols = r.Header.Values("Sec-WebSocket-Protocol")
	}
	return q
}

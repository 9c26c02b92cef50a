package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Judge is what stands before a route: it asks an authorizer, as an API of its
// kind does, and says what the client gets. It is safe for concurrent use.
type Judge struct {
	Authorizer
	sources []source
	ask     Function
	now     func() time.Time
	cache   cache
}

// NewJudge returns what judges by the answers of ask; now may be nil.
func NewJudge(a Authorizer, ask Function, now func() time.Time) (*Judge, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	j := &Judge{Authorizer: a, ask: ask, now: now}
	for _, expression := range a.IdentitySources {
		s, err := parseSource(a.Kind, expression)
		if err != nil {
			return nil, err
		}
		j.sources = append(j.sources, s)
	}
	return j, nil
}

// Request is a request to judge, or the handshake of a WebSocket.
type Request struct {
	*http.Request
	// Route is the key of the route that was chosen: "GET /notes/{id}"; "$connect"
	// for a handshake.
	Route string
	// API is "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234".
	API   string
	Stage string // "prod"
}

// Judgement is what a [Judge] says of a request.
type Judgement struct {
	// Status is 200 for a request that may pass; else the client gets it.
	Status    int
	Principal string // "" where the answer was simple
	// Context is what the function is given, or nil.
	Context json.RawMessage
	Cached  bool   // the authorizer was not asked this time
	Asked   bool   // it said so now, or a moment ago
	Reason  string // why not, for people
	Err     error  // what the authorizer failed with, or nil

	jwt       *verifiedJWT // of a JWT authorizer
	challenge string       // the header WWW-Authenticate of a refusal
}

// Judge judges r.
func (j *Judge) Judge(ctx context.Context, r Request) Judgement {
	key := route{Route: Route{Key: r.Route}}
	c := newCall(r.Request, r.Stage, r.URL.EscapedPath(), key, nil, j.now())
	c.arn = r.API + "/" + r.Stage + "/" + r.Method + r.URL.EscapedPath()
	if j.Kind == WebSocket {
		c.arn = r.API + "/" + r.Stage + "/" + r.Route
	}
	return j.judge(ctx, c)
}

func (j *Judge) judge(ctx context.Context, c *call) Judgement {
	if j.Unverified != "" {
		return j.unverified()
	}
	values := make([]string, len(j.sources))
	for i, s := range j.sources {
		// "API Gateway returns a 401 without calling the Lambda function."
		if values[i] = s.value(j.Kind, c); values[i] == "" {
			refused := Judgement{Status: http.StatusUnauthorized, Reason: "no " + s.String()}
			if j.JWT != nil {
				refused.challenge = "Bearer"
			}
			return refused
		}
	}
	if j.JWT != nil {
		return j.JWT.judge(ctx, values[0], c.scopes, j.now())
	}
	if len(c.arn) > maxARN {
		return Judgement{Status: http.StatusRequestURITooLong, Reason: "an ARN over 1,600 bytes"}
	}
	v, cached, err := j.verdict(ctx, values, c)
	out := Judgement{Status: http.StatusOK, Cached: cached, Asked: true}
	switch {
	case err != nil && !j.Kind.http() && err.Error() == unauthorized:
		out.Status, out.Reason = http.StatusUnauthorized, unauthorized
	case err != nil:
		out.Status, out.Err = http.StatusInternalServerError, err
	case !v.allows(c.arn):
		out.Status, out.Reason = http.StatusForbidden, "deny"
		if v.reason != "" {
			out.Reason += " reason=" + v.reason
		}
	default:
		out.Principal, out.Context = v.principal, v.context
	}
	return out
}

// unauthorized is the one text of an error that REST and WebSocket APIs answer
// 401 to. HTTP APIs are not documented to.
const unauthorized = "Unauthorized"

// verdict returns what the authorizer says to these values: from the cache,
// where answers are cached, for every route; a policy is then evaluated again.
// Errors are not kept.
func (j *Judge) verdict(ctx context.Context, values []string, c *call) (v *verdict, cached bool, err error) {
	key := fmt.Sprintf("%q", values)
	if v, ok := j.cache.get(key, j.now()); ok {
		return v, true, nil
	}
	payload, err := json.Marshal(j.Kind.event(c, values))
	if err != nil {
		return nil, false, errors.New("the event cannot be written")
	}
	ctx, note := withNote(ctx)
	raw, err := invoke(ctx, j.ask, payload, authorizerTimeout)
	if err != nil {
		return nil, false, err
	}
	if v, err = j.parseVerdict(raw); err != nil {
		return nil, false, err
	}
	if reason := note(); reason != "" {
		v.reason = reason
	}
	if j.TTL > 0 {
		j.cache.put(key, v, j.now(), j.TTL)
	}
	return v, false, nil
}

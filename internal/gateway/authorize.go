package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// authorize asks a, or its answer of some moments ago, about the request that c
// describes. Unless it may pass, the answer has been written. What the
// authorizer hands on is then in c.
func (g *Gateway) authorize(w http.ResponseWriter, r *http.Request, a authorizer, c *call, x *Exchange) bool {
	values := make([]string, len(a.sources))
	for i, s := range a.sources {
		// "API Gateway returns a 401 without calling the Lambda function."
		if values[i] = s.value(c); values[i] == "" {
			refuse(w, x, http.StatusUnauthorized, "no "+a.IdentitySources[i])
			return false
		}
	}
	if len(c.arn) > maxARN {
		refuse(w, x, http.StatusRequestURITooLong, "an ARN over 1,600 bytes")
		return false
	}
	x.By = "authorizer"
	v, err := g.verdict(r.Context(), a, values, c, x)
	switch {
	case err != nil:
		x.Err = err
		refuse(w, x, http.StatusInternalServerError, "")
		return false
	case !v.allows(c.arn):
		reason := "deny"
		if v.reason != "" {
			reason += " reason=" + v.reason
		}
		refuse(w, x, http.StatusForbidden, reason)
		return false
	}
	c.RequestContext.Authorizer = &authorized{v.context}
	return true
}

// verdict returns what a says to these values: from the cache, where the
// template has one, whatever the route; a policy is then evaluated anew. Errors
// are not kept.
func (g *Gateway) verdict(ctx context.Context, a authorizer, values []string, c *call, x *Exchange) (*verdict, error) {
	key := cacheKey(a.Name, values)
	if v, ok := g.cache.get(key, g.cfg.Now()); ok {
		x.Cached = true
		return v, nil
	}
	payload, err := json.Marshal(authorizerEvent{call: c, Type: "REQUEST", RouteARN: c.arn, IdentitySource: values})
	if err != nil {
		return nil, errors.New("the event cannot be written")
	}
	ctx, note := withNote(ctx)
	raw, err := invoke(ctx, g.cfg.Functions[a.Function], payload, authorizerTimeout)
	if err != nil {
		return nil, err
	}
	v, err := parseVerdict(a.Simple, raw)
	if err != nil {
		return nil, err
	}
	if reason := note(); reason != "" {
		v.reason = reason
	}
	if a.TTL > 0 {
		g.cache.put(key, v, g.cfg.Now(), a.TTL)
	}
	return v, nil
}

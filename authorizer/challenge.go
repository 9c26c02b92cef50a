package authorizer

import (
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// challenge tells the client of a refused request what it lacks (RFC 6750, Section 3),
// and with [Config.Resource] where it learns how to get it (RFC 9728, Section 5.1).
func (a *Authorizer) challenge(r request, v verdict) string {
	var members []string
	add := func(name, value string) { members = append(members, fmt.Sprintf("%s=%q", name, value)) }
	switch {
	case v.refusal.reason == ReasonAuthAge: // RFC 9470, Section 3
		add("error", "insufficient_user_authentication")
		add("error_description", "A more recent sign-in is required")
		add("max_age", fmt.Sprint(int(v.refusal.maxAge.Seconds())))
	case v.refusal.reason == ReasonTokenMissing:
		// "If the request lacks any authentication information [...], the resource
		// server SHOULD NOT include an error code" (RFC 6750, Section 3.1).
	case v.unauthenticated():
		add("error", "invalid_token")
	default:
		add("error", "insufficient_scope")
	}
	if a.c.Resource != nil {
		if scopes := a.scopesFor(r); len(scopes) > 0 && (v.unauthenticated() || v.refusal.reason == ReasonScope) {
			add("scope", strings.Join(scopes, " "))
		}
		add("resource_metadata", a.c.Resource.URL())
	}
	if len(members) == 0 {
		return "Bearer"
	}
	return "Bearer " + strings.Join(members, ", ")
}

// scopesFor returns the scopes that a client should ask for to make r: those of the rule.
// Of scopes that stand for each other it is the first. Without any, it returns those of
// the resource.
func (a *Authorizer) scopesFor(r request) []string {
	rule := a.decide(r, identity.Identity{}).Rule
	if rule == nil || len(rule.Scopes)+len(rule.AllScopes) == 0 {
		if a.c.Resource == nil {
			return nil
		}
		return a.c.Resource.Scopes
	}
	scopes := rule.AllScopes
	if len(rule.Scopes) > 0 {
		scopes = append(rule.Scopes[:1:1], scopes...)
	}
	return scopes
}

package authorizer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// Explanation is what the authorizer would answer, and why. It is for the person
// who owns the token and the API; a client is never told.
type Explanation struct {
	Route   string            `json:"route"`
	Allowed bool              `json:"allowed"`
	Reason  Reason            `json:"reason,omitempty"` // "" if allowed
	Detail  string            `json:"detail"`           // a sentence
	Rule    *policy.Rule      `json:"rule,omitempty"`   // that guards the route; nil if none does
	Caller  map[string]any    `json:"caller,omitempty"` // what the function would see; nil for a token that is not trusted
	who     identity.Identity // of Caller
}

// Explain decides about a token and a route as it would for a request, and says
// why. The error is our own trouble. It writes nothing to the log.
func (a *Authorizer) Explain(ctx context.Context, rawToken, routeKey string) (Explanation, error) {
	e := Explanation{Route: routeKey}
	v, err := a.authenticate(ctx, request{authorization: []string{"Bearer " + rawToken}}, a.c.Policy.Fresh(routeKey))
	if err != nil {
		return e, err
	}
	if v.caller != nil {
		e.who = v.caller.who
		e.Caller = e.who.Map()
		d := a.c.Policy.Decide(routeKey, e.who)
		e.Rule, v.refusal = d.Rule, refusalFor(d)
	}
	if v.refusal == nil {
		e.Allowed = true
		e.Detail = "the token is genuine and current, and " + e.allowed()
		return e, nil
	}
	e.Reason = v.refusal.Reason
	e.Detail = e.refused(v.refusal)
	return e, nil
}

func (e *Explanation) allowed() string {
	if e.Rule == nil {
		return "no rule asks for more"
	}
	if asks := asked(e.Rule); asks != "" {
		return fmt.Sprintf("the rule for %q asks for %s, which it has", e.Rule.Route, asks)
	}
	return fmt.Sprintf("the rule for %q asks for no more", e.Rule.Route)
}

func (e *Explanation) refused(r *Refusal) string {
	switch r.Reason {
	case ReasonRole, ReasonScope:
		return fmt.Sprintf("the rule for %q asks for %s; the token has the roles [%s] and the scopes [%s]",
			e.Rule.Route, asked(e.Rule), strings.Join(e.who.Roles, " "), strings.Join(e.who.Scopes, " "))
	case token.ReasonClaimMissing, token.ReasonClaimType:
		return fmt.Sprintf(sentences()[r.Reason], r.Claim)
	case token.ReasonExpired, token.ReasonNotYetValid:
		return fmt.Sprintf(sentences()[r.Reason], r.By.Round(time.Second))
	}
	return sentences()[r.Reason]
}

// asked says what a rule asks for, and "" if it asks for nothing.
func asked(r *policy.Rule) string {
	var asks []string
	say := func(what string, words []string) {
		if len(words) > 0 {
			asks = append(asks, what+" "+strings.Join(words, ", "))
		}
	}
	say("one of the roles", r.Roles)
	say("all of the roles", r.AllRoles)
	say("one of the scopes", r.Scopes)
	say("all of the scopes", r.AllScopes)
	return strings.Join(asks, " and ")
}

// Reasons is every reason for which a request can be refused, in alphabetical
// order.
func Reasons() []Reason {
	var all []Reason
	for reason := range sentences() {
		all = append(all, reason)
	}
	slices.Sort(all)
	return all
}

// sentences says what each reason means. It is the closed set of reasons.
func sentences() map[Reason]string {
	return map[Reason]string{
		ReasonTokenMissing: "there is no token",
		ReasonTokenDoubled: "there is more than one token; a request must bring exactly one",
		ReasonScheme:       `the Authorization header does not begin with "Bearer "`,
		ReasonOrigin:       "the token came in a cookie, with a request that is not safe, from a page that is not one of the configured origins",
		ReasonRevoked:      "the token was revoked: its session was ended, or its user was suspended, deleted or given other roles",
		ReasonRole:         "the user lacks a role",
		ReasonScope:        "the token lacks a scope",
		ReasonRoute:        `this is no route key; want a method, one space and a path, such as "GET /users/{id}"`,

		token.ReasonTooLarge:     fmt.Sprintf("the token is longer than %d bytes", token.MaxSize),
		token.ReasonMalformed:    "this is no token: want three segments of base64url, of which the first two hold JSON objects",
		token.ReasonDuplicate:    "a name appears twice in the header or the payload",
		token.ReasonAlgorithm:    "alg is not RS256, the only way in which we sign",
		token.ReasonCritical:     "the header has crit: it asks for an extension that we do not have",
		token.ReasonHeader:       "the header brings a key, an address or an encoding of its own (jwk, jku, x5u, x5c, zip, enc, b64)",
		token.ReasonType:         `typ is not "at+jwt": this is no access token; an ID token is for the app, not for the API`,
		token.ReasonKeyIDMissing: "the header has no kid, so that nobody knows which key signed",
		token.ReasonKeyUnknown:   "the issuer publishes no key with this kid: the token comes from somewhere else, or its key was retired",
		token.ReasonSignature:    "the signature does not fit: the token was changed, or another key signed it",
		token.ReasonClaimType:    "the claim %s has another type than it should",
		token.ReasonClaimMissing: "the claim %s is missing or empty",
		token.ReasonIssuer:       "the token is from another issuer than GATEHOUSE_ISSUER",
		token.ReasonAudience:     "the token is for another audience than GATEHOUSE_AUDIENCE",
		token.ReasonNotYetValid:  "the token begins in the future, by %v beyond the leeway",
		token.ReasonExpired:      "the token has expired, by %v beyond the leeway",
	}
}

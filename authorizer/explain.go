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

// Explanation is the decision about a token at a route, and the reason for it. It
// is for the person who owns the token and the API; a client is never told.
type Explanation struct {
	Route    string         `json:"route,omitempty"` // "": a route without a rule
	Status   int            `json:"status"`          // of an HTTP API: 403 if refused; 200 stands for the function's own
	Allowed  bool           `json:"allowed"`
	Reason   Reason         `json:"reason,omitempty"`   // "" if allowed
	Detail   string         `json:"detail"`             // the reason as a sentence
	Rule     *policy.Rule   `json:"rule,omitempty"`     // the rule that decided; nil if none did
	Identity map[string]any `json:"identity,omitempty"` // what the function sees; nil for a token that is not trusted
	// MaxAge is the max_age in seconds with which the client must send the user to
	// sign in again (RFC 9470, Section 4); 0 unless the sign-in is too old.
	MaxAge int `json:"max_age,omitempty"`
}

// Explain decides about a token and a route as it would for a request, and says
// why. An empty route key stands for a route that has no rule. The error is our
// own trouble. It writes nothing to the log.
func (a *Authorizer) Explain(ctx context.Context, rawToken, routeKey string) (Explanation, error) {
	e := Explanation{Route: routeKey, Status: 403}
	rules := a.c.Policy
	if routeKey == "" {
		rules, routeKey = nil, "GET /"
	}
	if rule := rules.PublicRule(routeKey); rule != nil {
		e.Allowed, e.Status, e.Rule = true, 200, rule
		e.Detail = fmt.Sprintf("the rule for %q says public: no authorizer is asked, and anyone can call the route", rule.Route)
		return e, nil
	}
	v, err := a.authenticate(ctx, request{authorization: []string{"Bearer " + rawToken}}, rules.Fresh(routeKey))
	if err != nil {
		return e, err
	}
	var who identity.Identity
	if v.caller != nil {
		who = v.caller.who
		d := rules.Decide(routeKey, who, a.c.Now())
		e.Identity, e.Rule, v.refusal = who.Map(), d.Rule, refusalFor(d)
	}
	if v.refusal == nil {
		e.Allowed, e.Status, e.Detail = true, 200, "the token is valid, and "+granted(e.Rule)
		return e, nil
	}
	e.Reason, e.Detail, e.MaxAge = v.refusal.reason, v.refusal.sentence(e.Rule, who), int(v.refusal.maxAge.Seconds())
	return e, nil
}

// granted says why a valid token is enough.
func granted(rule *policy.Rule) string {
	switch {
	case rule == nil:
		return "the route has no rule"
	case requirement(rule) == "":
		return fmt.Sprintf("the rule for %q requires nothing else", rule.Route)
	}
	return fmt.Sprintf("the rule for %q requires %s, which it has", rule.Route, requirement(rule))
}

// sentence says what the refusal means, and how to correct it where that helps.
func (r *refusal) sentence(rule *policy.Rule, who identity.Identity) string {
	text := sentences()[r.reason]
	switch {
	case r.reason == ReasonAuthAge:
		return fmt.Sprintf("the rule for %q requires a sign-in of the last %v: sign in again with max_age=%d",
			rule.Route, r.maxAge, int(r.maxAge.Seconds()))
	case r.reason == ReasonRole || r.reason == ReasonScope:
		return fmt.Sprintf("the rule for %q requires %s; the token has the roles [%s] and the scopes [%s]",
			rule.Route, requirement(rule), strings.Join(who.Roles, " "), strings.Join(who.Scopes, " "))
	case r.claim != "":
		return fmt.Sprintf(text, r.claim)
	case r.by != 0:
		return fmt.Sprintf(text, r.by.Round(time.Second))
	}
	return text
}

// requirement says what a rule requires, and "" if it requires nothing.
func requirement(r *policy.Rule) string {
	var all []string
	say := func(one, many string, words []string) {
		switch len(words) {
		case 0:
		case 1:
			all = append(all, one+" "+words[0])
		default:
			all = append(all, many+" "+strings.Join(words, ", "))
		}
	}
	say("the role", "one of the roles", r.Roles)
	say("the role", "all of the roles", r.AllRoles)
	say("the scope", "one of the scopes", r.Scopes)
	say("the scope", "all of the scopes", r.AllScopes)
	if r.MaxAuthAge > 0 {
		all = append(all, fmt.Sprintf("a sign-in of the last %v", r.MaxAuthAge))
	}
	return strings.Join(all, " and ")
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
		ReasonTokenDoubled: "there is more than one token; a request must have exactly one",
		ReasonScheme:       `the Authorization header does not begin with "Bearer "`,
		ReasonOrigin:       "the token came in a cookie, with a request that can change something, from a page that is not one of the configured origins",
		ReasonRevoked:      "the token was revoked: its session was ended, or its user was suspended, deleted or given other roles",
		ReasonRole:         "the user lacks a role",
		ReasonScope:        "the token lacks a scope",
		ReasonFirstParty:   "the token is of a machine or of a third-party client: it needs a rule that names a scope which it has",
		ReasonAuthAge:      "the user signed in too long ago: sign in again with max_age",
		ReasonPath:         "the path can be read in two ways, and an IAM policy compares its text: send it without needless escapes, empty parts and dots",
		ReasonUnnamed:      "no rule names the route, and an IAM policy allows only what a rule names: give the route a rule",
		ReasonRoute:        `this is not a route key; want a method, one space and a path, such as "GET /users/{id}"`,

		token.ReasonTooLarge:     fmt.Sprintf("the token is longer than %d bytes", token.MaxSize),
		token.ReasonMalformed:    "this is not a token: want three parts of base64url, the first two with JSON objects in them; was all of it copied?",
		token.ReasonDuplicate:    "a name appears twice in the header or the payload",
		token.ReasonAlgorithm:    "alg is not RS256",
		token.ReasonCritical:     "the header has crit: it asks for an extension that we do not support",
		token.ReasonContentType:  "the header has cty: the payload would be another token",
		token.ReasonConfirmation: "the token is bound to a key (cnf), and a bearer does not prove to have it",
		token.ReasonHeader:       "the header has a key, an address or an encoding of its own (jwk, jku, x5u, x5c, zip, enc, b64)",
		token.ReasonType:         `typ is not "at+jwt": this is not an access token; an ID token tells a client who signed in, and opens no API`,
		token.ReasonKeyIDMissing: "the header has no kid, so the key that signed it cannot be found",
		token.ReasonKeyUnknown:   "the issuer publishes no key with this kid: another issuer signed the token, or the key was retired",
		token.ReasonSignature:    "the signature does not match: the token was changed, or another key signed it",
		token.ReasonClaimType:    "the claim %s has the wrong type",
		token.ReasonClaimMissing: "the claim %s is missing or empty",
		token.ReasonIssuer:       "another issuer issued it (iss)",
		token.ReasonAudience:     "it is for another API (aud)",
		token.ReasonKind:         "the claim %s says that this is not an access token but another kind of token of this issuer",
		token.ReasonTooOld:       "it was issued longer ago than max_age of its issuer allows, by %v: get a new one",
		token.ReasonNotYetValid:  "it becomes valid in %v: are the clocks right?",
		token.ReasonExpired:      "it expired, and the leeway ended %v ago: get a new one",
	}
}

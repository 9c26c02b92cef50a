// Package explain says what the authorizer answers for a token and a route, and
// why: the part that a client never hears. It asks the authorizer itself, so that
// the two cannot differ.
package explain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// Question is a token at a route.
type Question struct {
	RawToken string
	Route    string // its key: "GET /users"; "" is some route without a rule

	Issuer, Audience string
	Keys             token.KeyFunc
	Revocations      *authorizer.Feed // nil: nothing is revoked
	Policy           *policy.Policy
	Now              func() time.Time // nil: time.Now
}

// Answer is what the authorizer says.
type Answer struct {
	Route   string `json:"route,omitempty"`
	Status  int    `json:"status"` // that an HTTP API answers: 200 stands for the function's own
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason,omitempty"` // of the closed set, if not allowed
	Because string `json:"because"`          // the same for people

	Rule     *policy.Rule   `json:"rule,omitempty"`     // the route's, if it has one
	Identity map[string]any `json:"identity,omitempty"` // what the function is told, if allowed

	// What the token says of itself, whether or not it is to be believed.
	UnverifiedHeader map[string]any `json:"unverified_header,omitempty"`
	UnverifiedClaims map[string]any `json:"unverified_claims,omitempty"`
}

// Ask asks the authorizer. An error says that it could not be asked, or has
// trouble of its own; a refusal is an answer.
func Ask(ctx context.Context, q Question) (*Answer, error) {
	said, routeKey := &refusal{}, q.Route
	if routeKey == "" {
		routeKey, q.Policy = "GET /", nil
	}
	a, err := authorizer.New(authorizer.Config{
		Issuer: q.Issuer, Audience: q.Audience, Keys: q.Keys, Policy: q.Policy, Revocations: q.Revocations, Now: q.Now, Log: slog.New(said),
	})
	if err != nil {
		return nil, err
	}
	answer := &Answer{Route: q.Route, Rule: ruleOf(q)}
	answer.UnverifiedHeader, answer.UnverifiedClaims = unverified(q.RawToken)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+q.RawToken)
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, _ := identity.FromContext(r.Context())
		answer.Allowed, answer.Identity = true, who.Map()
	})
	w := &response{}
	a.Guard(routeKey, next).ServeHTTP(w, r)
	switch {
	case w.status >= 500:
		return nil, fmt.Errorf("the authorizer has trouble of its own: %w", said.trouble())
	case answer.Allowed:
		answer.Status, answer.Because = http.StatusOK, "the token is good, and the route lets its bearer in"
	default:
		answer.Status, answer.Reason, answer.Because = http.StatusForbidden, said.reason, said.because(answer)
	}
	return answer, nil
}

// ruleOf returns the rule that decides about the route, or nil.
func ruleOf(q Question) *policy.Rule {
	if q.Policy == nil {
		return nil
	}
	return q.Policy.Decide(q.Route, identity.Identity{}).Rule
}

// response is an http.ResponseWriter that keeps the status.
type response struct {
	header http.Header
	status int
}

func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *response) WriteHeader(status int) { w.status = status }

func (w *response) Write(p []byte) (int, error) { return io.Discard.Write(p) }

// refusal is a slog.Handler that keeps what the authorizer says about a refusal.
type refusal struct {
	reason, claim string
	by            time.Duration
	err           string
}

func (*refusal) Enabled(context.Context, slog.Level) bool { return true }
func (r *refusal) WithAttrs([]slog.Attr) slog.Handler     { return r }
func (r *refusal) WithGroup(string) slog.Handler          { return r }

func (r *refusal) Handle(_ context.Context, rec slog.Record) error {
	rec.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "reason":
			r.reason = a.Value.String()
		case "claim":
			r.claim = a.Value.String()
		case "by":
			r.by = a.Value.Duration()
		case "err":
			r.err = a.Value.String()
		}
		return true
	})
	return nil
}

func (r *refusal) trouble() error {
	if r.err == "" {
		return errors.New("it does not say which")
	}
	return errors.New(r.err)
}

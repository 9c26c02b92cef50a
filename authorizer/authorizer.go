// Package authorizer decides at the gateway: it verifies a token, knows the
// issuer's keys, asks the route policy, and answers each kind of API Gateway
// event, or stands before an http.Handler.
//
// What it promises:
//
//   - A token is trusted only as package token says: ours, for this API, now.
//     There is exactly one place it may come from, and exactly one token there.
//   - Keys come from the configured address and from nowhere else; nothing in a
//     token makes the authorizer ask anybody.
//   - A refusal is an answer, with one [Reason] in the log; what the caller hears
//     is the same for all of them. An error is trouble of our own.
//   - The gateway can cache an answer and use it for another route. So an IAM
//     policy names every route that the caller can call, and no other; it comes
//     from the rules and never from the request at hand. Where the path of the
//     request has two spellings, it allows nothing.
//   - No token, nor a part of one, is ever in a log line, an error or a context.
//   - Nothing is shared between two requests but keys, policy and clock.
//
// With a gateway that keeps answers for a time t, a token is accepted at the
// latest until its exp + leeway + t.
//
// Part of Gatehouse's promised API.
package authorizer

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// ErrKeyUnknown says that the issuer publishes no key with the id.
var ErrKeyUnknown = token.ErrKeyUnknown

// Config is what an Authorizer needs to know.
type Config struct {
	Issuer   string // required: iss of every token that is accepted
	Audience string // required: the API that this authorizer guards
	// Keys returns the issuer's public key with the id; see [KeySource.Key]. It
	// returns an error that wraps [ErrKeyUnknown], or no key and no error, if there
	// is none. Any other error says nothing about the token. Required.
	Keys   func(ctx context.Context, keyID string) (*rsa.PublicKey, error)
	Policy *policy.Policy // nil: every route admits the users of first-party clients

	// Revocations is asked about every token; nil: a token lives until it
	// expires. Required by a policy that marks a route fresh.
	Revocations *Feed
	// FreshOnly asks Revocations on routes marked fresh alone: elsewhere a token lives
	// until it expires, also after its user was suspended.
	FreshOnly bool

	// Issuers are others whose tokens are accepted. The claim iss picks one by
	// exact comparison, before anything else of a token is read.
	Issuers []Issuer

	// Resource describes the API to clients; nil: nothing does. [Authorizer.Guard] names
	// its document, and the scopes that a request needs, in each challenge.
	Resource *ResourceMetadata

	Now    func() time.Time // nil: time.Now
	Leeway time.Duration    // for clocks that differ; 0: 30 seconds; negative: none
	// Log gets one line for each refusal; nil: slog.Default(). With a
	// handler that embeds metrics (package metric), also how many were allowed.
	Log *slog.Logger

	// IAM answers payload 2.0 of an HTTP API with an IAM policy instead of
	// isAuthorized. All other events have IAM policies anyway. With it, New
	// refuses a policy that IAM cannot say.
	IAM bool
	// Cookie is the name of a cookie that may hold the token instead of the
	// Authorization header; "" means none may. Then the gateway must not have an
	// identity source, nor keep answers.
	Cookie string
	// Origins are the origins, such as "https://app.example.com", whose pages may
	// send requests with that cookie that are not safe. Required with Cookie.
	Origins []string
	// UnauthorizedError lets a refused token on an HTTP API end in the error
	// "Unauthorized" instead of a refusal. It is reported, but not documented,
	// that the client then sees 401 instead of 403.
	UnauthorizedError bool
}

// Authorizer answers events. It is safe for concurrent use.
type Authorizer struct {
	c     Config
	cache cache
	tally *tally // nil: nobody reads it

	foreign map[string]*foreign // other issuers, by iss
}

// New returns an authorizer. It does no I/O.
func New(c Config) (*Authorizer, error) {
	var mistakes []error
	require := func(there bool, mistake string) {
		if !there {
			mistakes = append(mistakes, errors.New(mistake))
		}
	}
	// An issuer or an audience that is not compared lets in everyone's tokens.
	require(c.Issuer != "", "Issuer is empty: any issuer's tokens would be accepted")
	require(c.Audience != "", "Audience is empty: tokens for any API would be accepted")
	require(c.Keys != nil, "Keys is nil")
	require(c.Revocations != nil || !c.Policy.HasFresh(), "Policy marks a route fresh, and Revocations is nil")
	require(c.Cookie == "" || len(c.Origins) > 0, "Cookie without Origins: any page could send requests in its visitors' names")
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		require(err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && origin == u.Scheme+"://"+u.Host,
			fmt.Sprintf("Origins: %q: want a scheme and a host as browsers write them, such as https://app.example.com", origin))
	}
	others, err := newForeign(c.Issuer, c.Issuers)
	mistakes = append(mistakes, err)
	if c.IAM {
		mistakes = append(mistakes, c.Policy.CheckIAM())
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, fmt.Errorf("authorizer: %w", err)
	}
	c.Now, c.Log = orNow(c.Now), orDefaultLog(c.Log)
	switch {
	case c.Leeway == 0:
		c.Leeway = 30 * time.Second
	case c.Leeway < 0:
		c.Leeway = 0
	}
	a := &Authorizer{c: c, foreign: others}
	if metric.Embedded(c.Log.Handler()) {
		a.tally = &tally{}
	}
	return a, nil
}

// verdict is what is known about a caller after the request has been judged.
type verdict struct {
	caller  *verified // nil unless the token is to be trusted
	refusal *refusal  // nil: allowed
}

// unauthenticated tells whether the caller is not known, as opposed to known and
// not permitted.
func (v verdict) unauthenticated() bool { return v.caller == nil }

// judge decides whether r may go on to its route, and notes it. The error is our
// own trouble.
func (a *Authorizer) judge(ctx context.Context, r request) (verdict, error) {
	v, err := a.authenticate(ctx, r, a.c.Policy.Fresh(r.routeKey) || slices.ContainsFunc(r.exactKeys, a.c.Policy.Fresh))
	if err != nil {
		return verdict{}, err
	}
	if v.refusal == nil {
		v.refusal = refusalFor(a.decide(r, v.caller.who))
	}
	a.note(ctx, v, r.routeKey)
	return v, nil
}

// decide asks the rules about r. A rule for its path alone decides where the route has
// none, and decides as well where it has one.
func (a *Authorizer) decide(r request, who identity.Identity) policy.Decision {
	now := a.c.Now()
	d := a.c.Policy.Decide(r.routeKey, who, now)
	if d.Rule != nil && !d.Allowed || d.Missing == policy.MissingRoute {
		return d
	}
	decision := d
	for _, key := range r.exactKeys {
		if decision = a.c.Policy.Decide(key, who, now); decision.Rule == nil {
			decision = d
		}
		if !decision.Allowed {
			break
		}
	}
	return decision
}

// authenticate finds out who sent r. With fresh, the issuer judges the token now.
func (a *Authorizer) authenticate(ctx context.Context, r request, fresh bool) (verdict, error) {
	given := a.credentials(r)
	if given.refusal != nil {
		return verdict{refusal: given.refusal}, nil
	}
	ctx = withBudget(ctx)
	caller, err := a.verify(ctx, given.rawToken)
	if r := refused(err); r != nil {
		return verdict{refusal: r}, nil
	}
	if err != nil {
		return verdict{}, err
	}
	if fresh && caller.issuer != nil { // the login service does not know its users
		return verdict{refusal: &refusal{reason: token.ReasonIssuer}}, nil
	}
	if a.c.Revocations != nil && (fresh || !a.c.FreshOnly) {
		why, err := a.c.Revocations.judge(ctx, caller, fresh)
		if err != nil {
			return verdict{}, err
		}
		if !fresh {
			a.countFeed()
		}
		if why != "" {
			return verdict{refusal: &refusal{reason: why}}, nil
		}
	}
	return verdict{caller: caller}, nil
}

// budget is how long an answer may take, whatever has to be fetched for it.
const budget = 900 * time.Millisecond

// firstBudget is the same as long as there is no key: the issuer may be starting
// as well.
const firstBudget = 2500 * time.Millisecond

// budgeted is a context whose deadline only fetches look at; it starts no timer.
type budgeted struct {
	context.Context
	began time.Time
	spend time.Duration // budget or firstBudget
}

func withBudget(ctx context.Context) context.Context {
	return &budgeted{ctx, time.Now(), budget}
}

// extendBudget gives the request that ctx belongs to the longer budget.
func extendBudget(ctx context.Context) {
	if b, ok := ctx.(*budgeted); ok {
		b.spend = firstBudget
	}
}

func (b *budgeted) Deadline() (time.Time, bool) {
	end := b.began.Add(b.spend)
	if deadline, ok := b.Context.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return end, true
}

// refusalFor returns the refusal that a decision is, or nil.
func refusalFor(d policy.Decision) *refusal {
	switch {
	case d.Allowed:
		return nil
	case d.Missing == policy.MissingRoute:
		return &refusal{reason: ReasonRoute}
	}
	r := &refusal{reason: Reason(d.Missing)}
	if r.reason == ReasonAuthAge {
		r.maxAge = time.Duration(d.Rule.MaxAuthAge)
	}
	return r
}

// note counts a verdict, and writes the line for a refusal.
func (a *Authorizer) note(ctx context.Context, v verdict, routeKey string) {
	if v.refusal == nil {
		a.countAllowed(ctx)
		return
	}
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs, slog.String("reason", string(v.refusal.reason)), slog.String("route", routeKey))
	if v.refusal.claim != "" {
		attrs = append(attrs, slog.String("claim", v.refusal.claim))
	}
	if v.refusal.by != 0 {
		attrs = append(attrs, slog.Duration("by", v.refusal.by))
	}
	if v.caller != nil {
		attrs = append(attrs, slog.String("sub", v.caller.who.Subject), slog.String("client_id", v.caller.who.ClientID))
	}
	a.c.Log.LogAttrs(ctx, slog.LevelInfo, "refused", a.countRefused(attrs)...)
}

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
//   - An answer may be kept by the gateway and used for another route. So IAM
//     policies are compiled from the route policy for the whole API, never from
//     the request at hand, and nothing that a request brings is copied into one.
//   - No token, nor a part of one, is ever in a log line, an error or a context.
//   - Nothing is shared between two requests but keys, policy and clock.
//
// With a gateway that keeps answers for a time t, a token is accepted at the
// latest until its exp + leeway + t.
package authorizer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// Config is what an Authorizer needs to know.
type Config struct {
	Issuer   string         // required: iss of every token that is accepted
	Audience string         // required: the API that this authorizer guards
	Keys     token.KeyFunc  // required: see [KeySource]
	Policy   *policy.Policy // nil: every route needs a valid token and nothing more

	Now    func() time.Time // nil: time.Now
	Leeway time.Duration    // for clocks that differ; 0: 30 seconds; negative: none
	Log    *slog.Logger     // nil: slog.Default(); one line for each refusal

	// IAM answers payload 2.0 of an HTTP API with an IAM policy instead of
	// isAuthorized. All other events have IAM policies anyway. With it, New
	// refuses a policy that IAM cannot say.
	IAM bool
	// UnauthorizedError lets a refused token on an HTTP API end in the error
	// "Unauthorized" instead of a refusal. It is reported, but not documented,
	// that the client then sees 401 instead of 403.
	UnauthorizedError bool
}

// Authorizer answers events. It is safe for concurrent use.
type Authorizer struct {
	c Config
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
	if c.IAM {
		mistakes = append(mistakes, c.Policy.CheckIAM())
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, fmt.Errorf("authorizer: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	switch {
	case c.Leeway == 0:
		c.Leeway = 30 * time.Second
	case c.Leeway < 0:
		c.Leeway = 0
	}
	return &Authorizer{c}, nil
}

// verdict is what is known about a caller after the token has been judged.
type verdict struct {
	who     identity.Identity
	refusal *Refusal // nil: who is trusted
}

// authenticate judges the credentials that a request brought. The error is our
// own trouble.
func (a *Authorizer) authenticate(ctx context.Context, given credentials) (verdict, error) {
	if given.refusal != nil {
		return verdict{refusal: given.refusal}, nil
	}
	access, err := token.VerifyAccess(ctx, given.rawToken, a.c.Keys, token.Expect{
		Issuer: a.c.Issuer, Audience: a.c.Audience, Now: a.c.Now(), Leeway: a.c.Leeway,
	})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return verdict{refusal: refusal}, nil
	}
	if err != nil {
		return verdict{}, err
	}
	return verdict{who: identity.Identity{
		Subject: access.Subject, Email: access.Email, Name: access.Name,
		Roles: access.Roles, Scopes: access.Scopes,
		ClientID: access.ClientID, SessionID: access.SessionID,
		AuthTime: access.AuthTime, ExpiresAt: access.ExpiresAt,
	}}, nil
}

// authorize adds to a verdict what the route asks for.
func (a *Authorizer) authorize(v verdict, routeKey string) verdict {
	if v.refusal != nil {
		return v
	}
	d := a.c.Policy.Decide(routeKey, v.who)
	switch {
	case d.Allowed:
		return v
	case d.Missing == policy.MissingRole:
		v.refusal = &Refusal{Reason: ReasonRole}
	case d.Missing == policy.MissingScope:
		v.refusal = &Refusal{Reason: ReasonScope}
	default:
		v.refusal = &Refusal{Reason: ReasonRoute}
	}
	return v
}

// note writes the line for a refusal, and none for anything else.
func (a *Authorizer) note(ctx context.Context, v verdict, routeKey string) {
	if v.refusal == nil {
		return
	}
	attrs := make([]slog.Attr, 0, 6)
	attrs = append(attrs, slog.String("reason", string(v.refusal.Reason)), slog.String("route", routeKey))
	if v.refusal.Claim != "" {
		attrs = append(attrs, slog.String("claim", v.refusal.Claim))
	}
	if v.refusal.By != 0 {
		attrs = append(attrs, slog.Duration("by", v.refusal.By))
	}
	if v.who.Subject != "" {
		attrs = append(attrs, slog.String("sub", v.who.Subject), slog.String("client_id", v.who.ClientID))
	}
	a.c.Log.LogAttrs(ctx, slog.LevelInfo, "refused", attrs...)
}

package authorizer

import (
	"errors"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// Reason says why a request was refused. It is for logs, metrics and [Explanation];
// a client is never told. [Reasons] lists every one.
type Reason string

// The reasons that are not about the content of a token.
const (
	ReasonTokenMissing Reason = "token_missing" // the request has no token
	ReasonTokenDoubled Reason = "token_doubled" // more than one header, place or token
	ReasonScheme       Reason = "scheme"        // an Authorization header that is not Bearer
	ReasonOrigin       Reason = "origin"        // a token in a cookie, sent by a page of another origin
	ReasonRevoked      Reason = "revoked"       // the session was ended, or the user suspended, deleted or given other roles
	ReasonForgotten    Reason = "forgotten"     // the token is older than the revocation feed remembers: the client is to renew it
	ReasonRole         Reason = "role"          // the caller lacks a role that the route requires
	ReasonScope        Reason = "scope"         // the token lacks a scope that the route requires
	ReasonFirstParty   Reason = "first_party"   // a machine or a third-party client, where no rule names a scope
	ReasonAuthAge      Reason = "auth_age"      // the user signed in too long ago for the route
	ReasonRoute        Reason = "route"         // this is not a route key
	ReasonPath         Reason = "path"          // an IAM policy is asked for a path that has two spellings
	ReasonUnnamed      Reason = "unnamed"       // an IAM policy is asked for a route that no rule names
)

// refusal is a refused request.
type refusal struct {
	reason Reason
	claim  string        // which claim, if the reason is about one
	by     time.Duration // how far out of time, beyond the leeway, if the reason is about time
	maxAge time.Duration // of a sign-in, if this one is too old for the route
}

// refused returns the refusal that err is, or nil if err is trouble of our own.
func refused(err error) *refusal {
	r, ok := errors.AsType[*token.Refusal](err)
	if !ok {
		return nil
	}
	return &refusal{reason: Reason(r.Reason), claim: r.Claim, by: r.By}
}

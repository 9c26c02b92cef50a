package authorizer

import "github.com/gatehouse-auth/gatehouse/internal/token"

// Reason says why a request was refused: one of the closed set of package token,
// about the token, or one of those below. It is for us; the caller hears the same
// whatever it is.
type Reason = token.Reason

// Refusal is a refused request.
type Refusal = token.Refusal

// Reasons that are not about what a token says.
const (
	ReasonTokenMissing Reason = "token_missing" // there is none where one may be
	ReasonTokenDoubled Reason = "token_doubled" // more than one header, place or token
	ReasonScheme       Reason = "scheme"        // an Authorization header that is not Bearer
	ReasonOrigin       Reason = "origin"        // a token in a cookie, sent by a page that is not ours
	ReasonRevoked      Reason = "revoked"       // the session was ended, or the user suspended, deleted or given other roles
	ReasonRole         Reason = "role"          // the caller lacks a role that the route asks for
	ReasonScope        Reason = "scope"         // the token lacks a scope that the route asks for
	ReasonRoute        Reason = "route"         // what was asked for is no route
)

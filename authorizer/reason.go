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
	ReasonTokenMissing Reason = "token_missing" // no Authorization header
	ReasonTokenDoubled Reason = "token_doubled" // more than one header, or more than one token in it
	ReasonScheme       Reason = "scheme"        // not Bearer
	ReasonRole         Reason = "role"          // the caller lacks a role that the route asks for
	ReasonScope        Reason = "scope"         // the token lacks a scope that the route asks for
	ReasonRoute        Reason = "route"         // what was asked for is no route
)

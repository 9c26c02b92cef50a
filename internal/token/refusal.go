package token

import (
	"errors"
	"fmt"
	"time"
)

// Reason says why a token was refused. It is for logs, metrics and explain
// pages; a client must not hear it.
type Reason string

// Every reason there is. They are looked for in this order, so that a token with
// several faults has the first. The payload is not read before the signature:
// only of a token that we signed is it said what is wrong with its claims.
const (
	ReasonTooLarge     Reason = "too_large"        // more than [MaxSize] bytes
	ReasonMalformed    Reason = "malformed"        // not three segments of canonical base64url that hold JSON objects
	ReasonDuplicate    Reason = "duplicate_member" // a name appears twice in the header or the payload
	ReasonAlgorithm    Reason = "alg"              // alg is not RS256
	ReasonCritical     Reason = "crit"             // the header has crit, in any shape
	ReasonHeader       Reason = "header"           // the header brings its own key, or a change of encoding
	ReasonType         Reason = "typ"              // another kind of token
	ReasonKeyIDMissing Reason = "kid_missing"      // kid is absent, empty or not a string
	ReasonKeyUnknown   Reason = "key_unknown"      // no published key has this kid
	ReasonSignature    Reason = "signature"        // the key did not sign this
	ReasonClaimType    Reason = "claim_type"       // a claim has another type than it should; see Refusal.Claim
	ReasonClaimMissing Reason = "claim_missing"    // a required claim is absent or empty; see Refusal.Claim
	ReasonIssuer       Reason = "issuer"           // another issuer
	ReasonAudience     Reason = "audience"         // for another API or client
	ReasonNotYetValid  Reason = "not_yet_valid"    // nbf or iat lies in the future; see Refusal.By
	ReasonExpired      Reason = "expired"          // see Refusal.By
)

// Refusal is the error for a token that must not be trusted. It holds nothing
// that came with the token but the name of a claim from our own list.
type Refusal struct {
	Reason Reason
	Claim  string        // which claim, for claim_type and claim_missing
	By     time.Duration // how far out of time, beyond the leeway, for expired and not_yet_valid
}

func (r *Refusal) Error() string {
	switch {
	case r.Claim != "":
		return fmt.Sprintf("token refused: %s (%s)", r.Reason, r.Claim)
	case r.By != 0:
		return fmt.Sprintf("token refused: %s (by %v)", r.Reason, r.By)
	}
	return "token refused: " + string(r.Reason)
}

// ErrKeyUnknown is what a [KeyFunc] returns, wrapped or not, when no key in use
// has the id: the token is refused. Any other error is the caller's own trouble
// and says nothing about the token.
var ErrKeyUnknown = errors.New("no key in use has this id")

func refuse(reason Reason) error { return &Refusal{Reason: reason} }

func refuseClaim(reason Reason, claim string) error {
	return &Refusal{Reason: reason, Claim: claim}
}

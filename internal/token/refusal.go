package token

import (
	"errors"
	"fmt"
	"time"
)

// Reason says why a token was refused. It is for logs, metrics and explain
// pages; a client must not hear it.
type Reason string

// Every reason, in the order in which the checks run: a token with several faults
// has the first. The payload is not read before the signature has been verified.
// The constants have no type, so that they are reasons of package authorizer, too.
const (
	ReasonTooLarge     = "too_large"        // more than [MaxSize] bytes
	ReasonMalformed    = "malformed"        // not three segments of canonical base64url that hold JSON objects
	ReasonDuplicate    = "duplicate_member" // a name appears twice in the header or the payload
	ReasonAlgorithm    = "alg"              // alg is not RS256
	ReasonCritical     = "crit"             // the header has crit, in any shape
	ReasonContentType  = "cty"              // the header says that the payload is something else than claims
	ReasonHeader       = "header"           // the header brings its own key, or a change of encoding
	ReasonType         = "typ"              // another kind of token
	ReasonKeyIDMissing = "kid_missing"      // kid is absent, empty or not a string
	ReasonKeyUnknown   = "key_unknown"      // no published key has this kid
	ReasonSignature    = "signature"        // the key did not sign this
	ReasonClaimType    = "claim_type"       // a claim has another type than it should; see Refusal.Claim
	ReasonClaimMissing = "claim_missing"    // a required claim is absent or empty; see Refusal.Claim
	ReasonConfirmation = "cnf"              // the token is bound to a key that its sender must prove to have
	ReasonIssuer       = "issuer"           // another issuer
	ReasonAudience     = "audience"         // for another API or client
	ReasonKind         = "kind"             // another kind of token of the same issuer; see Refusal.Claim
	ReasonTooOld       = "too_old"          // of another issuer, and older than max_age; see Refusal.By
	ReasonNotYetValid  = "not_yet_valid"    // nbf or iat lies in the future; see Refusal.By
	ReasonExpired      = "expired"          // see Refusal.By
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

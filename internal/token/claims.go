package token

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
)

// registered is the claims that both kinds of token have.
type registered struct {
	issuer, subject     string
	audience            []string
	issuedAt, expiresAt time.Time
	notBefore           time.Time // zero if absent
	bound               bool      // cnf names a key that the sender must prove to have
}

// readClaims reads the claims of a payload. Those that are not registered are
// given to other, which reports whether the value has the type that the name wants.
func readClaims(payload []byte, other func(name, value string) (ok bool)) (registered, error) {
	var r registered
	err := members(payload, func(name, value string) error {
		own, ok := r.read(name, value)
		if !own {
			ok = other(name, value)
		}
		if !ok {
			return refuseClaim(ReasonClaimType, name)
		}
		return nil
	})
	return r, err
}

// read takes in one claim. It reports whether the claim was one of its own, and
// whether its value has the right type.
func (r *registered) read(name, value string) (own, ok bool) {
	switch name {
	case "iss":
		r.issuer, ok = text(value)
	case "sub":
		r.subject, ok = text(value)
	case "aud":
		// "the 'aud' value is an array of case-sensitive strings […]. In the
		// special case when the JWT has one audience, the 'aud' value MAY be a
		// single case-sensitive string" (RFC 7519, Section 4.1.3).
		if value[0] == '[' {
			r.audience, ok = list(value)
		} else {
			r.audience = make([]string, 1)
			r.audience[0], ok = text(value)
		}
	case "exp":
		r.expiresAt, ok = instant(value)
	case "iat":
		r.issuedAt, ok = instant(value)
	case "cnf":
		r.bound, ok = true, true
	case "nbf":
		r.notBefore, ok = instant(value)
	default:
		return false, false
	}
	return true, ok
}

// check compares r with what is expected. Each comparison is of exact strings.
func (r *registered) check(want Expect) error {
	if err := required(
		claim{"iss", r.issuer != ""},
		claim{"sub", r.subject != ""},
		claim{"aud", len(r.audience) > 0},
		claim{"exp", !r.expiresAt.IsZero()},
		claim{"iat", !r.issuedAt.IsZero()},
	); err != nil {
		return err
	}
	// A subject is handed on in headers, logs and lists, as one word.
	if !oneWord(r.subject) {
		return refuseClaim(ReasonClaimType, "sub")
	}
	if r.issuer != want.Issuer {
		return refuse(ReasonIssuer)
	}
	if !want.InsecureAnyAudience && !slices.Contains(r.audience, want.Audience) {
		return refuse(ReasonAudience)
	}
	now := want.Now
	if now.IsZero() {
		now = time.Now()
	}
	err := lifetime{r.notBefore, r.issuedAt, r.expiresAt}.check(now, want.Leeway)
	if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.Reason == ReasonExpired && want.InsecureAllowExpired {
		return nil
	}
	return err
}

func oneWord(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// lifetime is when a token may be used.
type lifetime struct{ notBefore, issuedAt, expiresAt time.Time }

func (l lifetime) check(now time.Time, leeway time.Duration) error {
	for _, begin := range []time.Time{l.notBefore, l.issuedAt} {
		if begin = begin.Add(-leeway); now.Before(begin) {
			return &Refusal{Reason: ReasonNotYetValid, By: begin.Sub(now)}
		}
	}
	// "The current date/time MUST be before the expiration date/time listed in
	// the 'exp' claim" (RFC 7519, Section 4.1.4).
	if end := l.expiresAt.Add(leeway); !now.Before(end) {
		return &Refusal{Reason: ReasonExpired, By: now.Sub(end)}
	}
	return nil
}

// CheckTime returns the [*Refusal] that [VerifyAccess] would have for a at
// another time, or nil. It is for who keeps what was verified before.
func (a Access) CheckTime(now time.Time, leeway time.Duration) error {
	return lifetime{a.NotBefore, a.IssuedAt, a.ExpiresAt}.check(now, leeway)
}

// claim is a claim that must be there.
type claim struct {
	name  string
	there bool
}

func required(claims ...claim) error {
	for _, c := range claims {
		if !c.there {
			return refuseClaim(ReasonClaimMissing, c.name)
		}
	}
	return nil
}

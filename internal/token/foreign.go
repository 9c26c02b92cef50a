package token

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Foreign is an issuer other than ours, and what of its tokens is accepted.
type Foreign struct {
	Issuer    string
	Profile   *Profile
	Audiences []string      // the claim that names the API must have one of them
	MaxAge    time.Duration // since iat
	// RolesClaim is where the roles stand; "": where the profile says. RoleNames
	// translates them into ours: what it does not name is no role.
	RolesClaim string
	RoleNames  map[string]string
}

// Verify returns the content of rawToken if it is an access token of the issuer
// that is to be trusted now. Its subject is the issuer's address, "#" and the claim
// sub, so that it is never one of ours. Roles is nil for a client that acts for
// itself. Errors are those of [VerifyAccess].
func (f *Foreign) Verify(ctx context.Context, rawToken string, key KeyFunc, now time.Time, leeway time.Duration) (Access, error) {
	p := f.Profile
	payload, err := verifySignature(ctx, rawToken, key, p.types...)
	if err != nil {
		return Access{}, err
	}
	c := claims{}
	if err := members(payload, func(name, value string) error { c[name] = value; return nil }); err != nil {
		return Access{}, err
	}
	if err := p.check(c); err != nil {
		return Access{}, err
	}
	a, err := f.read(c)
	if err != nil {
		return Access{}, err
	}
	if err := f.checkAudience(c); err != nil {
		return Access{}, err
	}
	if err := a.CheckTime(now, leeway); err != nil {
		return Access{}, err
	}
	return a, f.CheckAge(a, now)
}

// CheckAge returns the [*Refusal] of a token that is older than the issuer's
// revocations are kept, or nil.
func (f *Foreign) CheckAge(a Access, now time.Time) error {
	if over := now.Sub(a.IssuedAt) - f.MaxAge; over >= 0 {
		return &Refusal{Reason: ReasonTooOld, By: over}
	}
	return nil
}

// check compares the claims with the table.
func (p *Profile) check(c claims) error {
	if c.has("cnf") {
		return refuse(ReasonConfirmation)
	}
	for _, name := range p.absent {
		if c.has(name) {
			return refuseClaim(ReasonKind, name)
		}
	}
	for name, want := range p.equal {
		if !c.has(name) {
			return refuseClaim(ReasonClaimMissing, name)
		}
		if c.text(name) != want {
			return refuseClaim(ReasonKind, name)
		}
	}
	for name, want := range p.prefix {
		if !strings.HasPrefix(c.text(name), want) || c.text(name) == want {
			return refuseClaim(ReasonKind, name)
		}
	}
	for _, name := range p.present {
		if c.text(name) == "" {
			return refuseClaim(ReasonClaimMissing, name)
		}
	}
	if len(p.grants) > 0 && !slices.ContainsFunc(p.grants, func(name string) bool {
		words, ok := c.words(name)
		return ok && len(words) > 0
	}) {
		return refuseClaim(ReasonClaimMissing, p.grants[0])
	}
	return nil
}

// read takes what counts of the claims.
func (f *Foreign) read(c claims) (Access, error) {
	p := f.Profile
	issuer := c.text("iss")
	if issuer != f.Issuer {
		return Access{}, refuse(ReasonIssuer)
	}
	if p.tenant != "" {
		if group := p.issuer().FindStringSubmatch(issuer); len(group) < 2 || group[1] != c.text(p.tenant) {
			return Access{}, refuse(ReasonIssuer)
		}
	}
	a := Access{Issuer: issuer, ID: c.text("jti")}
	for _, date := range []struct {
		name     string
		into     *time.Time
		required bool
	}{{"iat", &a.IssuedAt, true}, {"exp", &a.ExpiresAt, true}, {"nbf", &a.NotBefore, false}, {"auth_time", &a.AuthTime, false}} {
		value, has := c[date.name]
		if !has {
			if date.required {
				return Access{}, refuseClaim(ReasonClaimMissing, date.name)
			}
			continue
		}
		at, ok := p.instant(value)
		if !ok {
			return Access{}, refuseClaim(ReasonClaimType, date.name)
		}
		*date.into = at
	}
	for _, name := range p.client {
		if a.ClientID = c.text(name); a.ClientID != "" {
			break
		}
		if c.has(name) {
			return Access{}, refuseClaim(ReasonClaimType, name)
		}
	}
	switch subject, ok := text(c["sub"]); {
	case !c.has("sub") || ok && subject == "":
		return Access{}, refuseClaim(ReasonClaimMissing, "sub")
	case !ok || !oneWord(subject):
		return Access{}, refuseClaim(ReasonClaimType, "sub")
	case a.ClientID == "":
		return Access{}, refuseClaim(ReasonClaimMissing, p.client[len(p.client)-1])
	default:
		a.Subject = f.Issuer + "#" + subject
	}
	return a, f.readRights(c, &a)
}

// readRights takes scopes, roles, name and address.
func (f *Foreign) readRights(c claims, a *Access) error {
	p := f.Profile
	machine := p.machine(c)
	scopes := p.scopes
	if machine && p.roles != "" && slices.Contains(p.grants, p.roles) {
		scopes = append(slices.Clone(scopes), p.roles) // an app's roles are what it may do
	}
	for _, name := range scopes {
		words, ok := c.words(name)
		if !ok {
			return refuseClaim(ReasonClaimType, name)
		}
		for _, scope := range words {
			if !slices.Contains(a.Scopes, scope) {
				a.Scopes = append(a.Scopes, scope)
			}
		}
	}
	if machine {
		return nil
	}
	a.Roles = []string{}
	claim := p.roles
	if f.RolesClaim != "" {
		claim = f.RolesClaim
	}
	named, ok := c.words(claim)
	if !ok {
		return refuseClaim(ReasonClaimType, claim)
	}
	for _, name := range named {
		if role := f.RoleNames[name]; role != "" && !slices.Contains(a.Roles, role) {
			a.Roles = append(a.Roles, role)
		}
	}
	a.Name = c.text("name")
	if c["email_verified"] == "true" {
		a.Email = c.text("email")
	}
	return nil
}

// checkAudience compares what names the API. A token with an aud is for that
// alone, also where another claim names the client that it is for.
func (f *Foreign) checkAudience(c claims) error {
	for _, name := range slices.Compact([]string{f.Profile.audience, "aud"}) {
		value, has := c[name]
		if !has && name != f.Profile.audience {
			continue
		}
		var named []string
		ok := has
		switch {
		case !has:
			return refuseClaim(ReasonClaimMissing, name)
		case strings.HasPrefix(value, "["):
			named, ok = list(value)
		default:
			named = make([]string, 1)
			named[0], ok = text(value)
		}
		if !ok {
			return refuseClaim(ReasonClaimType, name)
		}
		if !slices.ContainsFunc(named, func(a string) bool { return a != "" && slices.Contains(f.Audiences, a) }) {
			return refuse(ReasonAudience)
		}
	}
	return nil
}

// instant reads a date. A fraction of a second is cut off, where the issuer can
// write one.
func (p *Profile) instant(value string) (time.Time, bool) {
	if whole, fraction, has := strings.Cut(value, "."); has && p.fraction && value[0] != '-' {
		if _, err := strconv.ParseUint(fraction, 10, 64); err != nil || len(fraction) > 9 {
			return time.Time{}, false
		}
		value = whole
	}
	return instant(value)
}

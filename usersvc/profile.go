package usersvc

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc/email"
)

// Profile is what a provider says about a person, from a verified ID token.
type Profile struct {
	Issuer, Subject string // together, who it is; never changes
	Provider        string // the provider's id in gatehouse.yml
	Email           string // "" if unknown
	EmailVerified   bool   // the claim was exactly the boolean true
	Name, Picture   string
}

// The greatest sizes, in bytes, of what comes from outside into a row.
const (
	maxIssuer, maxSubject = 512, 255 // OpenID Connect Core 1.0, Section 2: sub
	maxName, maxPicture   = 256, 2048
	maxUserAgent          = 256
)

// check refuses a profile that does not say who it is. An issuer is a URL
// without a fragment, so that "#" ends it in a key.
func (p Profile) check() error {
	switch {
	case p.Issuer == "" || len(p.Issuer) > maxIssuer || strings.Contains(p.Issuer, "#") || !utf8.ValidString(p.Issuer):
		return fmt.Errorf("%w: issuer", ErrBadProfile)
	case p.Subject == "" || len(p.Subject) > maxSubject || !utf8.ValidString(p.Subject):
		return fmt.Errorf("%w: subject", ErrBadProfile)
	}
	return nil
}

// clean returns p with only what a row can hold: no hidden characters, nothing
// beyond its size, no picture but by https.
func (p Profile) clean() Profile {
	p.Name = text(p.Name, maxName)
	if canonical := p.canonicalEmail(); canonical == "" {
		p.Email, p.EmailVerified = "", false
	}
	if u, err := url.Parse(p.Picture); err != nil || u.Scheme != "https" || u.Host == "" || len(p.Picture) > maxPicture {
		p.Picture = ""
	}
	return p
}

// canonicalEmail returns the form of the address to compare, or "".
func (p Profile) canonicalEmail() string {
	canonical, _ := email.Canonical(p.Email)
	return canonical
}

// key is the row that makes the identity unique.
func (p Profile) key() table.Key {
	return schema.Identity(p.Issuer, p.Subject)
}

// text returns s as a row can hold it: without hidden characters, and cut to at
// most limit bytes at the end of a character.
func text(s string, limit int) string { return plaintext.Cut(plaintext.Strip(s), limit) }

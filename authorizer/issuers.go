package authorizer

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// Issuer is another issuer whose access tokens are accepted, beside our own. Its
// users count as users of a first-party client. Their subjects are written
// "ISSUER#SUB", so that none is a subject of ours.
type Issuer struct {
	URL       string   // required: the claim iss, letter for letter
	Profile   string   // required: one of [Profiles]
	Audiences []string // required: the API, as the issuer names it; for cognito the ids of app clients

	// Keys returns the issuer's public keys, as Config.Keys does. Required.
	Keys func(ctx context.Context, keyID string) (*rsa.PublicKey, error)

	MaxAge     time.Duration     // the greatest age of a token; 0: 1 hour
	RolesClaim string            // where roles stand, "cognito:groups" or "realm_access.roles"; "": where the profile says
	Roles      map[string]string // from the issuer's names to ours; what is not in it is no role
}

// maxIssuers bounds what a start of the authorizer reads.
const maxIssuers = 10

// Profiles returns the names of the kinds of issuer whose tokens can be accepted.
func Profiles() []string { return token.ProfileNames() }

// KeysURL returns where issuers of the profile publish their keys, or "" if there is
// no such profile.
func KeysURL(profile, issuer string) string {
	if p := token.FindProfile(profile); p != nil {
		return p.KeysURL(issuer)
	}
	return ""
}

// foreign is an issuer that is ready to verify its tokens.
type foreign struct {
	token.Foreign
	keys token.KeyFunc
}

// CheckIssuers returns an error for every mistake in the issuers, beside the
// missing keys. own is our issuer.
func CheckIssuers(own string, issuers []Issuer) error {
	var mistakes []error
	for i, one := range issuers {
		wrong := func(format string, args ...any) {
			mistakes = append(mistakes, fmt.Errorf("issuer %d, %q: "+format, append([]any{i + 1, one.URL}, args...)...))
		}
		profile := token.FindProfile(one.Profile)
		switch {
		case profile == nil:
			wrong("profile %q: want one of %s", one.Profile, strings.Join(Profiles(), ", "))
		case profile.CheckIssuer(one.URL) != nil:
			wrong("%w", profile.CheckIssuer(one.URL))
		case len(one.Audiences) == 0 || slices.Contains(one.Audiences, ""):
			wrong("audiences: want the names of the API in its tokens, or tokens for any API would be accepted")
		case one.Profile == "keycloak" && slices.Contains(one.Audiences, "account"):
			wrong("audiences: every token of a realm can be for %q: name your API", "account")
		}
		if one.URL == own || slices.ContainsFunc(issuers[:i], func(other Issuer) bool { return other.URL == one.URL }) {
			wrong("there are two issuers with this address")
		}
		if one.MaxAge < 0 || one.MaxAge > 24*time.Hour {
			wrong("max_age: want at most 24h, not %v: revocations are kept that long", one.MaxAge)
		}
	}
	if len(issuers) > maxIssuers {
		mistakes = append(mistakes, fmt.Errorf("%d issuers: want at most %d", len(issuers), maxIssuers))
	}
	return errors.Join(mistakes...)
}

// newForeign makes issuers ready, by their addresses.
func newForeign(own string, issuers []Issuer) (map[string]*foreign, error) {
	err := CheckIssuers(own, issuers)
	found := make(map[string]*foreign, len(issuers))
	for _, one := range issuers {
		if one.Keys == nil {
			err = errors.Join(err, fmt.Errorf("issuer %q: Keys is nil", one.URL))
		}
		maxAge := one.MaxAge
		if maxAge == 0 {
			maxAge = time.Hour
		}
		found[one.URL] = &foreign{token.Foreign{
			Issuer: one.URL, Profile: token.FindProfile(one.Profile), Audiences: one.Audiences, MaxAge: maxAge,
			RolesClaim: one.RolesClaim, RoleNames: one.Roles,
		}, one.Keys}
	}
	return found, err
}

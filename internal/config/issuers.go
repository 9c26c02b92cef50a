package config

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/issuers"
)

// LongestToken is how long the longest access token lives that the team's API
// accepts: a revocation is remembered for that time.
func (c *Config) LongestToken() time.Duration {
	longest := c.Lifetimes.AccessToken
	for _, i := range c.Issuers {
		if i.MaxAge == 0 {
			i.MaxAge = policy.Span(time.Hour)
		}
		longest = max(longest, time.Duration(i.MaxAge))
	}
	return longest
}

func readIssuer(m *mapping) issuers.Issuer {
	var i issuers.Issuer
	m.string("issuer", &i.Issuer)
	m.string("profile", &i.Profile)
	m.strings("audiences", &i.Audiences)
	m.string("jwks_uri", &i.JWKSURI)
	m.span("max_age", (*time.Duration)(&i.MaxAge))
	m.string("roles_claim", &i.RolesClaim)
	m.under("roles", func(m *mapping) {
		i.Roles = map[string]string{}
		for _, name := range m.order {
			var role string
			m.string(name, &role)
			i.Roles[name] = role
		}
	})
	return i
}

// checkIssuers refuses what is known to be wrong without the profiles, which the
// authorizer has.
func (c *Config) checkIssuers(d *document) {
	seen := map[string]string{c.Issuer: "issuer"}
	for n, i := range c.Issuers {
		at := fmt.Sprintf("issuers[%d]", n+1)
		switch other := seen[i.Issuer]; {
		case i.Issuer == "":
			d.refuse(at+".issuer", "not set: copy issuer from its discovery document, letter for letter")
		case other != "":
			d.refuse(at+".issuer", "is the address of %s as well: take one of the two out", other)
		}
		seen[i.Issuer] = at
		if i.Profile == "" {
			d.refuse(at+".profile", "not set: say what kind of issuer it is, such as cognito, auth0, entra-v2, okta, keycloak or rfc9068")
		}
		if len(i.Audiences) == 0 {
			d.refuse(at+".audiences", "not set: name the API as its tokens do, or tokens for any API would be accepted")
		}
		if i.MaxAge < 0 || time.Duration(i.MaxAge) > 24*time.Hour {
			d.refuse(at+".max_age", "want at most 24h, not %v: revocations are kept that long", i.MaxAge)
		}
		for _, name := range slices.Sorted(maps.Keys(i.Roles)) {
			if role := i.Roles[name]; role != "" && !slices.Contains(c.roleNames(), role) {
				d.refuse(at+".roles."+name, "unknown role %q%s", role, suggest(role, c.roleNames()))
			}
		}
	}
	if len(c.Issuers) > 10 {
		d.refuse("issuers", "are %d: want at most 10", len(c.Issuers))
	}
}

package upstream

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
)

// apply fills what c leaves open from its preset.
func (c *Config) apply() error {
	if c.Preset == "" {
		c.Preset = "oidc"
	}
	known, ok := preset.All[c.Preset]
	if !ok {
		return fmt.Errorf("preset %q: unknown", c.Preset)
	}
	c.preset = known
	if c.Preset == "microsoft" && c.Issuer == "" {
		c.Issuer = preset.MicrosoftIssuer(c.Tenant)
	}
	fill := func(value *string, standard string) {
		if *value == "" {
			*value = standard
		}
	}
	fill(&c.Issuer, known.Issuer)
	fill(&c.Name, known.Name)
	fill(&c.Name, c.ID)
	fill(&c.ResponseMode, known.ResponseMode)
	fill(&c.ClientAuth, known.ClientAuth)
	fill(&c.EmailVerified, preset.VerifiedByClaim)
	c.NonceOff = c.NonceOff || known.NonceOff
	if len(c.Scopes) == 0 {
		c.Scopes = known.Scopes
	}
	if c.Preset == "github" {
		api := c.Issuer + "/api/v3" // GitHub Enterprise Server
		if c.Issuer == known.Issuer {
			api = "https://api.github.com"
		}
		c.AuthURL, c.TokenURL, c.UserInfoURL = c.Issuer+"/login/oauth/authorize", c.Issuer+"/login/oauth/access_token", api+"/user"
		c.emailsURL = api + "/user/emails"
	}
	if known.OAuth2 {
		for _, e := range []struct{ name, url string }{{"authorization_url", c.AuthURL}, {"token_url", c.TokenURL}, {"userinfo_url", c.UserInfoURL}} {
			if err := checkEndpoint(e.url, c.Issuer); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
	return nil
}

// claim returns the name of one of our claims at the provider.
func (c *Config) claim(ours string) string {
	if theirs := c.Claims[ours]; theirs != "" {
		return theirs
	}
	if theirs := c.preset.Claims[ours]; theirs != "" {
		return theirs
	}
	return ours
}

// microsoftTemplate is the issuer that Entra's documents for several tenants name.
const microsoftTemplate = preset.Microsoft + "{tenantid}/v2.0"

// personalTenant is the tenant of all personal Microsoft accounts.
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// issuerOf returns the issuer that verified claims name, if it is the provider's.
// For several tenants it is the template with the tenant of the claim tid.
func (p *Provider) issuerOf(c claims) (string, error) {
	issuer, tenant := c.text("iss"), c.text("tid")
	if !p.config.several() {
		if issuer != p.config.Issuer {
			return "", refused("iss is another issuer")
		}
		return issuer, nil
	}
	switch {
	case !preset.GUID.MatchString(tenant), issuer != strings.Replace(p.template(), "{tenantid}", tenant, 1):
		return "", refused("iss is not the issuer of the tenant in tid")
	case strings.HasSuffix(p.config.Issuer, "/organizations/v2.0") && tenant == personalTenant:
		return "", fmt.Errorf("%w: a personal account", ErrNotAllowed)
	case strings.HasSuffix(p.config.Issuer, "/consumers/v2.0") && tenant != personalTenant:
		return "", fmt.Errorf("%w: not a personal account", ErrNotAllowed)
	}
	return issuer, nil
}

// several tells whether the issuer stands for several tenants. A provider on this
// machine is a test's.
func (c *Config) several() bool {
	if c.Preset != "microsoft" {
		return false
	}
	u, err := url.Parse(c.Issuer)
	return err == nil && (preset.SeveralTenants(c.Issuer) || u.Scheme == "http" && preset.SeveralTenants(preset.Microsoft+strings.TrimPrefix(u.Path, "/")))
}

// template is the issuer that the discovery document for several tenants names.
func (p *Provider) template() string {
	u, err := url.Parse(p.config.Issuer)
	if err != nil || u.Scheme == "https" {
		return microsoftTemplate
	}
	return u.Scheme + "://" + u.Host + "/{tenantid}/v2.0"
}

// allows refuses a person who is not one of those that Config.Require lets in.
func (p *Provider) allows(c claims) error {
	for name, want := range p.config.Require {
		if got, ok := c.plain(name); !ok || got != want {
			return fmt.Errorf("%w: claim %s is another or missing", ErrNotAllowed, name)
		}
	}
	return nil
}

var errNoKey = errors.New("private key: want the text of the .p8 file that Apple gave you")

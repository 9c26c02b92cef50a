package config

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
)

// read fills c from the file and from the variables it names.
func (c *Config) read(m *mapping, getenv func(string) string) {
	m.string("issuer", &c.Issuer)
	m.string("audience", &c.Audience)
	m.under("brand", func(m *mapping) {
		m.string("name", &c.Brand.Name)
		m.string("accent", &c.Brand.Accent)
		m.string("background", &c.Brand.Background)
		m.string("text", &c.Brand.Text)
	})
	m.each("providers", func(m *mapping) { c.Providers = append(c.Providers, readProvider(m, getenv)) })
	m.strings("scopes", &c.Scopes)
	if m.values["roles"] != nil {
		c.Roles = nil
		if m.values["default_roles"] == nil {
			c.DefaultRoles = nil
		}
	}
	m.each("roles", func(m *mapping) {
		var r Role
		m.string("name", &r.Name)
		m.strings("scopes", &r.Scopes)
		c.Roles = append(c.Roles, r)
	})
	m.strings("default_roles", &c.DefaultRoles)
	m.strings("admins", &c.Admins)
	m.each("routes", func(m *mapping) { c.Routes = append(c.Routes, readRule(m)) })
	m.each("issuers", func(m *mapping) { c.Issuers = append(c.Issuers, readIssuer(m)) })
	m.each("clients", func(m *mapping) { c.Clients = append(c.Clients, readClient(m, getenv)) })
	m.each("resources", func(m *mapping) { c.Resources = append(c.Resources, readResource(m)) })
	m.under("self_registration", func(m *mapping) {
		m.strings("documents", &c.SelfRegistration.Documents)
		m.bool("dynamic", &c.SelfRegistration.Dynamic)
	})
	m.under("lifetimes", func(m *mapping) {
		m.span("access_token", &c.Lifetimes.AccessToken)
		m.span("code", &c.Lifetimes.Code)
		m.span("session", &c.Lifetimes.Session)
		m.span("session_idle", &c.Lifetimes.SessionIdle)
		m.span("refresh_token", &c.Lifetimes.RefreshToken)
		m.span("refresh_idle", &c.Lifetimes.RefreshIdle)
	})
	m.span("refresh_grace", &c.RefreshGrace)
	m.bool("legacy_login", &c.LegacyLogin)
	m.under("proxy", func(m *mapping) {
		m.string("address_header", &c.Proxy.AddressHeader)
		m.string("secret_header", &c.Proxy.SecretHeader)
		m.string("secret_env", &c.Proxy.SecretEnv)
		if c.Proxy.SecretEnv != "" {
			c.Proxy.Secret = client.Secret(getenv(c.Proxy.SecretEnv))
		}
	})
	m.under("doctor", func(m *mapping) {
		m.under("ignore", func(m *mapping) { c.Doctor.Ignore = m.texts() })
	})
	m.done()

	if issuer := getenv("GATEHOUSE_ISSUER"); issuer != "" {
		c.Issuer = issuer
	}
	if audience := getenv("GATEHOUSE_AUDIENCE"); audience != "" {
		c.Audience = audience
	}
	if c.Audience == "" {
		c.Audience = c.Issuer + "/api"
	}
}

func readProvider(m *mapping, getenv func(string) string) Provider {
	var p Provider
	m.string("id", &p.ID)
	m.string("preset", &p.Preset)
	m.string("tenant", &p.Tenant)
	known := preset.All[p.Kind()]
	p.Name, p.Issuer = known.Name, known.Issuer
	if p.Kind() == "microsoft" && p.Tenant != "" {
		p.Issuer = preset.MicrosoftIssuer(p.Tenant)
	}
	m.string("name", &p.Name)
	m.string("issuer", &p.Issuer)
	m.string("client_id", &p.ClientID)
	m.string("client_id_env", &p.ClientIDEnv)
	m.string("client_secret_env", &p.ClientSecretEnv)
	m.strings("scopes", &p.Scopes)
	m.bool("trust_email", &p.TrustEmail)
	m.string("hosted_domain", &p.HostedDomain)
	m.under("claims", func(m *mapping) { p.Claims = m.pairs() })
	m.string("email_verified", &p.EmailVerified)
	m.under("require", func(m *mapping) { p.Require = m.pairs() })
	m.string("prompt", &p.Prompt)
	m.under("parameters", func(m *mapping) { p.Parameters = m.pairs() })
	m.string("response_mode", &p.ResponseMode)
	m.string("nonce", &p.Nonce)
	m.string("client_auth", &p.ClientAuth)
	m.span("timeout", &p.Timeout)
	m.string("authorization_url", &p.AuthorizationURL)
	m.string("token_url", &p.TokenURL)
	m.string("userinfo_url", &p.UserinfoURL)
	m.string("team_id", &p.TeamID)
	m.string("key_id", &p.KeyID)
	m.string("private_key_env", &p.PrivateKeyEnv)
	if p.PrivateKeyEnv != "" {
		p.PrivateKey = client.Secret(getenv(p.PrivateKeyEnv))
	}
	if p.Name == "" {
		p.Name = p.ID
	}
	if p.ClientID == "" && p.ClientIDEnv != "" {
		p.ClientID = getenv(p.ClientIDEnv)
	}
	if p.ClientSecretEnv != "" {
		p.ClientSecret = client.Secret(getenv(p.ClientSecretEnv))
	}
	return p
}

func readRule(m *mapping) policy.Rule {
	var r policy.Rule
	m.string("route", &r.Route)
	m.names("roles", &r.Roles)
	m.names("all_roles", &r.AllRoles)
	m.names("scopes", &r.Scopes)
	m.names("all_scopes", &r.AllScopes)
	m.bool("fresh", &r.Fresh)
	m.span("max_auth_age", (*time.Duration)(&r.MaxAuthAge))
	m.bool("public", &r.Public)
	return r
}

func readClient(m *mapping, getenv func(string) string) client.Client {
	var c client.Client
	var secret string
	m.string("id", &c.ID)
	m.string("name", &c.Name)
	m.string("secret", &secret)
	m.string("secret_env", &c.SecretEnv)
	m.strings("redirect_uris", &c.RedirectURIs)
	m.strings("post_logout_redirect_uris", &c.PostLogoutRedirectURIs)
	m.strings("origins", &c.Origins)
	m.strings("grants", &c.Grants)
	m.strings("scopes", &c.Scopes)
	m.strings("audiences", &c.Audiences)
	m.strings("serves", &c.Serves)
	m.under("lifetimes", func(m *mapping) {
		m.span("access_token", &c.Lifetimes.AccessToken)
		m.span("refresh_token", &c.Lifetimes.RefreshToken)
		m.span("refresh_idle", &c.Lifetimes.RefreshIdle)
	})
	m.bool("third_party", &c.ThirdParty)
	for _, e := range client.All() {
		var values []string
		m.strings(e.Key, &values)
		if err := e.Set(&c.Exceptions, values); err != nil {
			m.doc.refuse(m.at(e.Key), "%v", err)
		}
	}
	c.Secret = client.Secret(secret)
	if secret != "" && c.SecretEnv != "" {
		m.doc.refuse(m.at("secret"), "the secret is in %s already: take one of the two out", c.SecretEnv)
	} else if c.SecretEnv != "" {
		c.Secret = client.Secret(getenv(c.SecretEnv))
	}
	return c
}

package doctor

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// configuration reads gatehouse.yml and looks for what is spelt right and will
// disappoint. It returns nil if the file cannot be used.
func (r *Report) configuration(name string, text []byte, getenv func(string) string) *config.Config {
	c, err := config.Parse(name, text, func(key string) string {
		value := getenv(key)
		if key == "GATEHOUSE_ISSUER" && value == "" && !declaresIssuer(text) {
			return undecided // AWS gives the API its address
		}
		return value
	})
	if mistakes, ok := errors.AsType[config.Mistakes](err); ok {
		for _, m := range mistakes {
			r.wrong("config", name, "%s", strings.TrimPrefix(m.String(), name+":"))
		}
		return nil
	}
	if err != nil {
		r.wrong("config", name, "%v", err)
		return nil
	}
	for _, weak := range c.WeakSecrets() {
		r.wrong("secret-weak", name, "%v", weak)
	}
	for _, advice := range c.Advice() {
		r.remark("client-scope", name, "%s", advice)
	}
	r.people(name, c)
	r.apps(name, c)
	r.providers(name, c)
	r.issuer(name, c)
	return c
}

const undecided = "https://issuer.invalid"

func declaresIssuer(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "issuer:") {
			return true
		}
	}
	return false
}

// people looks for rights that nobody ever gets.
func (r *Report) people(name string, c *config.Config) {
	if len(c.Admins) > 0 {
		return
	}
	for _, role := range c.Roles {
		wanted := slices.ContainsFunc(c.Rules(), func(rule policy.Rule) bool {
			return slices.Contains(rule.Roles, role.Name) || slices.Contains(rule.AllRoles, role.Name)
		})
		if wanted && !slices.Contains(c.DefaultRoles, role.Name) {
			r.remark("role-never", name, "the role %q is never granted: routes want it, and nobody is an admin who could give it: name one under admins", role.Name)
		}
	}
}

func (r *Report) apps(name string, c *config.Config) {
	if len(c.Clients) == 0 {
		r.remark("client-none", name, "there are no clients: no app of yours can send people here: add one under clients")
	}
	r.graces(name, c)
	for _, app := range c.Clients {
		for _, e := range client.All() {
			if values := e.Get(app.Exceptions); len(values) > 0 && e.Risk != "" {
				r.remark("client-exception", name, "client %s has %s: %s: %s. Take it out if the app can do without", app.ID, e.Key, strings.Join(values, " "), e.Risk)
			}
		}
		for _, uri := range app.RedirectURIs {
			if u, err := url.Parse(uri); err == nil && u.Hostname() == "localhost" {
				r.remark("redirect-localhost", name, "client %s has the redirect URI %s: in production, whatever runs on somebody's own machine could be sent their code: give development a client of its own", app.ID, uri)
			}
		}
	}
}

// graces looks for graces that are long beside the life of an access token. A thief
// of a refresh token is not seen inside the grace, and has used up an access token
// before the next renewal shows the theft.
func (r *Report) graces(name string, c *config.Config) {
	tell := func(whose string, grace, life time.Duration) {
		if most := life / 5; grace > most {
			r.remark("refresh-grace", name, "%s: a renewal can be repeated for %v, more than a fifth of the %v that an access token lives: a thief of a refresh token is not seen in that time. Set refresh_grace to %v or less", whose, grace, life, most)
		}
	}
	tell("all clients", c.RefreshGrace, c.Lifetimes.AccessToken)
	for _, app := range c.Clients {
		life := app.Lifetimes.Within(client.Lifetimes{AccessToken: c.Lifetimes.AccessToken}).AccessToken
		if own := app.RefreshGrace != 0 || life != c.Lifetimes.AccessToken; own && app.MayUse(client.GrantRefresh) {
			tell("client "+app.ID, app.Grace(c.RefreshGrace), life)
		}
	}
}

func (r *Report) providers(name string, c *config.Config) {
	seen := make(map[string]string)
	for _, p := range c.Providers {
		if other := seen[p.Issuer]; other != "" {
			r.wrong("provider-twice", name, "providers %s and %s have the issuer %s: the same person would be found under both: keep one", other, p.ID, p.Issuer)
		}
		seen[p.Issuer] = p.ID
		if p.TrustEmail && p.HostedDomain == "" && p.ID != "google" {
			r.remark("provider-email", name, "provider %s has trust_email: a person who can register an address there becomes the user who has it here: leave it out unless the provider proves addresses", p.ID)
		}
	}
	if len(c.Providers) == 0 {
		r.wrong("provider-none", name, "there are no providers: nobody can sign in: add google, or another OpenID provider")
	}
}

func (r *Report) issuer(name string, c *config.Config) {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || c.Issuer == undecided:
		r.remark("issuer-undecided", name, "the issuer is the address that AWS gives the API: a new API would sign everybody out and break every app: set issuer to a host of your own before people rely on it")
	case strings.Contains(u.Host, ".execute-api."):
		r.remark("issuer-undecided", name, "the issuer %s belongs to one API: set a host of your own before people rely on it", c.Issuer)
	case u.Scheme != "https":
		r.wrong("issuer-url", name, "the issuer %s is not https: a deployment is never reached so", c.Issuer)
	case u.Path != "":
		r.remark("issuer-path", name, "the issuer has the path %s: with GATEHOUSE_CERTIFICATE the API is mapped there; whatever else stands before it must also pass on what RFC 8414 has at the root of the host, %s", u.Path, u.Scheme+"://"+u.Host+"/.well-known/oauth-authorization-server"+u.Path)
	}
}

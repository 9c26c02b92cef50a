package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// grants are those a client in the file can be registered for.
var grants = []string{client.GrantCode, client.GrantRefresh, client.GrantClientCredentials}

func (c *Config) checkClients(d *document) {
	seen := map[string]string{}
	for i, app := range c.Clients {
		at := fmt.Sprintf("clients[%d]", i+1)
		checkName(d, at+".id", app.ID, seen)
		c.checkSecret(d, at, app)
		checkRedirects(d, at, app)
		for j, grant := range app.Grants {
			if !slices.Contains(grants, grant) {
				d.refuse(fmt.Sprintf("%s.grants[%d]", at, j+1), "unknown grant %q%s", grant, suggest(grant, grants))
			}
		}
		if app.Public() && app.MayUse(client.GrantClientCredentials) {
			d.refuse(at+".grants", "a client that acts for itself has to prove who it is: give it a secret_env") // RFC 6749, Section 4.4
		}
		for j, origin := range app.Origins {
			if why := checkOrigin(origin); why != "" {
				d.refuse(fmt.Sprintf("%s.origins[%d]", at, j+1), "%s", why)
			}
		}
		if len(app.Origins) > 0 && !app.Public() {
			d.refuse(at+".origins", "a client with a secret has no business in a browser: take out origins, or the secret")
		}
	}
}

func (c *Config) checkSecret(d *document, at string, app client.Client) {
	if app.SecretEnv == "" && app.Secret != "" && strings.HasPrefix(c.Issuer, "https://") {
		d.refuse(at+".secret", "a secret in a file is for a laptop; the issuer is on https: put it into a variable and name that in secret_env")
	}
}

func checkRedirects(d *document, at string, app client.Client) {
	if len(app.RedirectURIs) == 0 && app.MayUse(client.GrantCode) {
		d.refuse(at+".redirect_uris", "not set: say where %s may be sent with a code", app.DisplayName())
	}
	check := func(key string, uris []string) {
		for i, uri := range uris {
			if err := client.CheckRedirectURI(uri); err != nil {
				d.refuse(fmt.Sprintf("%s.%s[%d]", at, key, i+1), "%v", err)
			}
		}
	}
	check("redirect_uris", app.RedirectURIs)
	check("post_logout_redirect_uris", app.PostLogoutRedirectURIs)
}

// checkOrigin tells what is wrong with an origin as browsers send it (RFC 6454,
// Section 6.2): scheme, host and port, and nothing after them.
func checkOrigin(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host || origin != strings.ToLower(origin) {
		return fmt.Sprintf("want an origin such as https://app.example.com, without a path, not %q", origin)
	}
	if err := env.CheckURL(origin); err != nil {
		return err.Error()
	}
	return ""
}

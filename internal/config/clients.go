package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func (c *Config) checkClients(d *document) {
	seen, limits := map[string]string{}, c.Limits()
	for i, app := range c.Clients {
		at := fmt.Sprintf("clients[%d]", i+1)
		if err := client.CheckID(app.ID); err != nil {
			d.refuse(at+".id", "%v", err)
		} else if seen[app.ID] != "" {
			d.refuse(at+".id", "%q is taken by %s", app.ID, seen[app.ID])
		}
		seen[app.ID] = at + ".id"
		c.checkSecret(d, at, app)
		for _, p := range app.Problems(limits) {
			text := p.Text
			if p.Known != nil {
				text += suggest(p.Word, p.Known)
			}
			d.refuse(at+"."+p.Field, "%s", text)
		}
	}
	c.checkAudiences(d)
}

// Limits is what the file lets clients have: those in it, and those in the table.
func (c *Config) Limits() client.Limits {
	return client.Limits{
		Scopes: c.KnownScopes(), Issuer: c.Issuer, Audience: c.Audience,
		Lifetimes: client.Lifetimes{
			AccessToken: c.Lifetimes.AccessToken, RefreshToken: c.Lifetimes.RefreshToken, RefreshIdle: c.Lifetimes.RefreshIdle,
		},
	}
}

// checkAudiences refuses an API that is called like a client: where types of
// tokens are not compared, the client's ID tokens would be good there.
func (c *Config) checkAudiences(d *document) {
	for i, app := range c.Clients {
		for j, audience := range app.Audiences {
			taken := slices.ContainsFunc(c.Clients, func(other client.Client) bool { return other.ID == audience })
			if taken && audience != app.ID {
				d.refuse(fmt.Sprintf("clients[%d].audiences[%d]", i+1, j+1), "is the id of a client, which its ID tokens are for: give the API another name")
			}
		}
	}
}

func (c *Config) checkSecret(d *document, at string, app client.Client) {
	if app.SecretEnv == "" && app.Secret != "" && strings.HasPrefix(c.Issuer, "https://") {
		d.refuse(at+".secret", "a secret in a file is for a laptop; the issuer is on https: put it into a variable and name that in secret_env")
	}
}

// minSecret is the length, in characters, from which the secret of a client is
// beyond guessing.
const minSecret = 32

// WeakSecrets returns an error for each client, and for the proxy, whose secret_env
// names a variable with fewer than 32 characters. It tells nothing of the secret but its length. A
// laptop can go on with such a secret; a deployment must not.
func (c *Config) WeakSecrets() []error {
	var found []error
	for _, app := range c.Clients {
		if n := utf8.RuneCountInString(string(app.Secret)); app.SecretEnv != "" && n > 0 && n < minSecret {
			found = append(found, fmt.Errorf("client %s: the secret in %s has %d characters, want at least %d: set it to the output of `openssl rand -base64 32`", app.ID, app.SecretEnv, n, minSecret))
		}
	}
	if n := utf8.RuneCountInString(string(c.Proxy.Secret)); n > 0 && n < minSecret {
		found = append(found, fmt.Errorf("proxy: the secret in %s has %d characters, want at least %d: set it to the output of `openssl rand -base64 32`", c.Proxy.SecretEnv, n, minSecret))
	}
	return found
}

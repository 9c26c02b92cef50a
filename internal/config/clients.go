package config

import (
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func (c *Config) checkClients(d *document) {
	seen, known := map[string]string{}, c.KnownScopes()
	for i, app := range c.Clients {
		at := fmt.Sprintf("clients[%d]", i+1)
		checkName(d, at+".id", app.ID, seen)
		c.checkSecret(d, at, app)
		for _, p := range app.Problems(known) {
			text := p.Text
			if p.Known != nil {
				text += suggest(p.Word, p.Known)
			}
			d.refuse(at+"."+p.Field, "%s", text)
		}
	}
}

func (c *Config) checkSecret(d *document, at string, app client.Client) {
	if app.SecretEnv == "" && app.Secret != "" && strings.HasPrefix(c.Issuer, "https://") {
		d.refuse(at+".secret", "a secret in a file is for a laptop; the issuer is on https: put it into a variable and name that in secret_env")
	}
}

package config

import (
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// Advice returns what is allowed in the file and probably a slip, for people.
func (c *Config) Advice() []string {
	var out []string
	for _, app := range c.Clients {
		if slices.Contains(app.Scopes, "offline_access") && !app.MayUse(client.GrantRefresh) {
			out = append(out, fmt.Sprintf("client %s: the scope offline_access gives it nothing without the grant refresh_token: add it to grants, or take the scope out", app.ID))
		}
	}
	return out
}

// UnsetSecrets returns the clients whose secret_env names a variable that is not
// set, for people.
func (c *Config) UnsetSecrets() []string {
	var out []string
	for _, app := range c.Clients {
		if app.SecretEnv != "" && app.Secret == "" {
			out = append(out, fmt.Sprintf("client %s: %s is not set: the client cannot sign in until it is", app.ID, app.SecretEnv))
		}
	}
	return out
}

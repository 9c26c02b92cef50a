package server

import (
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// The confidential client of every `gatehouse dev`. Its secret is no secret: it
// opens nothing but a server on this machine.
const (
	WebClientID     = "demo-web"
	WebClientSecret = "demo-web-secret"
)

// withDemoClients returns the team's clients and those that scripts, tests and
// the tour use.
func withDemoClients(c *config.Config) (client.List, error) {
	scopes := slices.Concat([]string{"openid", "profile", "email", "offline_access", client.ScopeAccount, client.ScopeAdmin}, c.Scopes)
	grants := []string{client.GrantCode, client.GrantRefresh}
	demo := client.List{
		{
			ID: tour.ClientID, Name: "Demo app", Grants: grants, Scopes: scopes,
			RedirectURIs:           []string{"http://127.0.0.1/callback", c.Issuer + "/"},
			PostLogoutRedirectURIs: []string{"http://127.0.0.1/", c.Issuer + "/"},
			Origins:                []string{c.Issuer},
		},
		{
			ID: WebClientID, Name: "Demo web app", Secret: WebClientSecret, Grants: grants, Scopes: scopes,
			RedirectURIs:           []string{"http://127.0.0.1/callback"},
			PostLogoutRedirectURIs: []string{"http://127.0.0.1/"},
		},
	}
	for _, own := range c.Clients {
		if slices.ContainsFunc(demo, func(d client.Client) bool { return d.ID == own.ID }) {
			return nil, fmt.Errorf("client %q: gatehouse dev has one of that id: choose another", own.ID)
		}
	}
	return append(demo, c.Clients...), nil
}

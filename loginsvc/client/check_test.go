package client_test

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func TestProblems(t *testing.T) {
	scopes := []string{"openid", "orders:read"}
	right := client.Client{ID: "shop", RedirectURIs: []string{"https://shop.test/cb"}, Scopes: []string{"orders:read"}}
	for _, tt := range []struct {
		name   string
		change func(*client.Client)
		want   string // "" for none
	}{
		{"none", func(*client.Client) {}, ""},
		{"origins of a page", func(c *client.Client) {
			c.Origins = []string{"https://shop.test", "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:1"}
		}, ""},
		{"a machine", func(c *client.Client) {
			*c = client.Client{ID: "m", SecretHashes: []string{"h"}, Grants: []string{client.GrantClientCredentials}}
		}, ""},
		{"a machine without a secret", func(c *client.Client) { c.Grants = []string{client.GrantClientCredentials} },
			"grants: a client that acts for itself has to prove who it is: give it a secret_env"},
		{"nowhere to send a code", func(c *client.Client) { c.RedirectURIs = nil }, "redirect_uris: not set: say where shop may be sent with a code"},
		{"a redirect URI", func(c *client.Client) { c.RedirectURIs = append(c.RedirectURIs, "http://shop.test/cb") },
			"redirect_uris[2]: http is only for 127.0.0.1, [::1] and localhost: use https"},
		{"where to after a logout", func(c *client.Client) { c.PostLogoutRedirectURIs = []string{"https://a.test/#x"} },
			"post_logout_redirect_uris[1]: a redirect URI has no fragment (RFC 6749, Section 3.1.2)"},
		{"a grant", func(c *client.Client) { c.Grants = []string{client.GrantCode, "password"} },
			`grants[2]: unknown grant "password"; known: authorization_code, refresh_token, client_credentials, urn:ietf:params:oauth:grant-type:device_code`},
		{"a scope", func(c *client.Client) { c.Scopes = []string{"orders:write"} }, `scopes[1]: unknown scope "orders:write"; known: openid, orders:read`},
		{"an origin with a path", func(c *client.Client) { c.Origins = []string{"https://a.test/"} },
			`origins[1]: want an origin such as https://app.example.com, without a path, not "https://a.test/"`},
		{"an origin in capitals", func(c *client.Client) { c.Origins = []string{"https://A.test"} },
			`origins[1]: want an origin such as https://app.example.com, without a path, not "https://A.test"`},
		{"an origin with a user", func(c *client.Client) { c.Origins = []string{"https://u@a.test"} },
			`origins[1]: want an origin such as https://app.example.com, without a path, not "https://u@a.test"`},
		{"an origin without TLS", func(c *client.Client) { c.Origins = []string{"http://127.0.0.1.a.test"} },
			`origins[1]: want https; plain http is only for this machine: write "https://127.0.0.1.a.test"`},
		{"an origin of another kind", func(c *client.Client) { c.Origins = []string{"ftp://a.test"} }, `origins[1]: want https, not "ftp"`},
		{"an origin beside a secret", func(c *client.Client) { c.Origins, c.Secret = []string{"https://a.test"}, "s" },
			"origins: a client with a secret has no business in a browser: take out origins, or the secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := right
			tt.change(&c)
			got := c.Problems(scopes)
			if tt.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].Error() != tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}

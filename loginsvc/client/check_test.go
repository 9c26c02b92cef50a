package client_test

import (
	"slices"
	"strings"
	"testing"
	"time"

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
		{"a name of our own", func(c *client.Client) { c.ID = client.HouseID },
			`id: "gatehouse" stands for the login service itself in tokens: choose another`},
		{"a machine without a secret", func(c *client.Client) { c.Grants = []string{client.GrantClientCredentials} },
			"grants: a client that acts for itself has to prove who it is: give it a secret_env"},
		{"nowhere to send a code", func(c *client.Client) { c.RedirectURIs = nil }, "redirect_uris: not set: say where shop may be sent with a code"},
		{"a redirect URI", func(c *client.Client) { c.RedirectURIs = append(c.RedirectURIs, "http://shop.test/cb") },
			"redirect_uris[2]: http is only for localhost, an address of 127.0.0.0/8, or ::1: use https"},
		{"where to after a logout", func(c *client.Client) { c.PostLogoutRedirectURIs = []string{"https://a.test/#x"} },
			"post_logout_redirect_uris[1]: a redirect URI has no fragment (RFC 6749, Section 3.1.2)"},
		{"a grant", func(c *client.Client) { c.Grants = []string{client.GrantCode, "password"} },
			`grants[2]: unknown grant "password"; known: authorization_code, refresh_token, client_credentials, urn:ietf:params:oauth:grant-type:device_code`},
		{"a scope", func(c *client.Client) { c.Scopes = []string{"orders:write"} }, `scopes[1]: unknown scope "orders:write"; known: openid, orders:read`},
		{"an origin with a path", func(c *client.Client) { c.Origins = []string{"https://a.test/"} },
			`origins[1]: no browser sends "https://a.test/": write "https://a.test"`},
		{"an origin in capitals", func(c *client.Client) { c.Origins = []string{"https://A.test"} },
			`origins[1]: no browser sends "https://A.test": write "https://a.test"`},
		{"an origin with a user", func(c *client.Client) { c.Origins = []string{"https://u@a.test"} },
			`origins[1]: no browser sends "https://u@a.test": write "https://a.test"`},
		{"an origin without TLS", func(c *client.Client) { c.Origins = []string{"http://127.0.0.1.a.test"} },
			`origins[1]: want https; plain http is only for this machine: write "https://127.0.0.1.a.test"`},
		{"an origin of another kind", func(c *client.Client) { c.Origins = []string{"ftp://a.test"} }, `origins[1]: no browser sends an origin with the scheme "ftp": use https, or one of capacitor, ionic, tauri, chrome-extension`},
		{"an origin beside a secret", func(c *client.Client) { c.Origins, c.Secret = []string{"https://a.test"}, "s" },
			"origins: a client with a secret has no business in a browser: take out origins, or the secret"},
		{"APIs and shorter lives", func(c *client.Client) {
			c.Audiences = []string{"https://api.test", "orders"}
			c.Lifetimes = client.Lifetimes{AccessToken: time.Minute, RefreshToken: 24 * time.Hour, RefreshIdle: time.Hour}
		}, ""},
		{"the issuer as an API", func(c *client.Client) { c.Audiences = []string{"orders", "https://auth.test"} },
			"audiences[2]: is the issuer: a token for your API would be one for the login service: want another name, such as https://api.example.com"},
		{"the issuer spelt with a slash", func(c *client.Client) { c.Audiences = []string{"https://auth.test/"} },
			"audiences[1]: is the issuer: a token for your API would be one for the login service: want another name, such as https://api.example.com"},
		{"itself as an API", func(c *client.Client) { c.Audiences = []string{"shop"} },
			"audiences[1]: is the client's own id, which its ID tokens are for: give the API another name"},
		{"called like the API", func(c *client.Client) { c.ID = "https://api.test" },
			"id: is the name of the API: ID tokens for the client would pass for access tokens where types are not compared"},
		{"called like the issuer", func(c *client.Client) { c.ID = "https://auth.test/" },
			"id: is the issuer: ID tokens for the client would be for the login service: choose another"},
		{"an API with a space", func(c *client.Client) { c.Audiences = []string{"a b"} },
			`audiences[1]: want a name or URL without spaces, such as https://api.example.com, not "a b"`},
		{"an API with a fragment", func(c *client.Client) { c.Audiences = []string{"https://a.test/#x"} },
			`audiences[1]: want a URL without a fragment, not "https://a.test/#x"`},
		{"an API that asks about tokens", func(c *client.Client) {
			*c = client.Client{ID: "orders", SecretHashes: []string{"h"}, Serves: []string{"https://orders.test"}}
		}, ""},
		{"an API that proves nothing", func(c *client.Client) { c.Serves = []string{"https://orders.test"} },
			"serves: an API has to prove who it is, or anybody could try tokens in its name: give it a secret_env"},
		{"too many APIs", func(c *client.Client) { c.Audiences = strings.Fields("a b c d e f g h i j k") }, "audiences: want 10 at most"},
		{"tokens that outlive those of gatehouse.yml", func(c *client.Client) { c.Lifetimes.AccessToken = 11 * time.Minute },
			"lifetimes.access_token: is longer than the 10m0s that all clients have: want 10m0s at most, or raise lifetimes.access_token in gatehouse.yml"},
		{"refresh tokens that outlive those of gatehouse.yml", func(c *client.Client) { c.Lifetimes.RefreshToken = 25 * time.Hour },
			"lifetimes.refresh_token: is longer than the 24h0m0s that all clients have: want 24h0m0s at most, or raise lifetimes.refresh_token in gatehouse.yml"},
		{"an idle time beyond the whole", func(c *client.Client) { c.Lifetimes.RefreshToken, c.Lifetimes.RefreshIdle = 30*time.Minute, time.Hour },
			"lifetimes.refresh_idle: is longer than the whole life of 30m0s"},
		{"a life of seconds", func(c *client.Client) { c.Lifetimes.RefreshIdle = 59 * time.Second },
			"lifetimes.refresh_idle: want 1m0s at least, not 59s"},
		{"a life of less than nothing", func(c *client.Client) { c.Lifetimes.AccessToken = -time.Hour },
			"lifetimes.access_token: want 1m0s at least, not -1h0m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := right
			tt.change(&c)
			got := c.Problems(client.Limits{
				Scopes: scopes, Issuer: "https://auth.test", Audience: "https://api.test",
				Lifetimes: client.Lifetimes{AccessToken: 10 * time.Minute, RefreshToken: 24 * time.Hour, RefreshIdle: time.Hour},
			})
			if tt.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].Error() != tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestHiddenCharactersInNames(t *testing.T) {
	for _, name := range []string{"Shop\u202e", "\u200bShop", "Sh\u2066op", "Shop\ufeff", "Shop\n", "Shop\xff"} {
		c := client.Client{ID: "shop", Name: name, RedirectURIs: []string{"https://shop.test/cb"}}
		if got := c.Problems(client.Limits{}); !slices.ContainsFunc(got, func(p client.Problem) bool { return p.Field == "name" }) {
			t.Errorf("%+q is registered: %v", name, got)
		}
		if got := c.DisplayName(); got != "Shop" {
			t.Errorf("%+q is shown as %+q", name, got)
		}
	}
	if got := (client.Client{ID: "shop", Name: "Café 🏠", RedirectURIs: []string{"https://shop.test/cb"}}).Problems(client.Limits{}); slices.ContainsFunc(got, func(p client.Problem) bool { return p.Field == "name" }) {
		t.Error(got)
	}
}

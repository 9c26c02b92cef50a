package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

const whole = `
issuer: https://auth.example.com
audience: https://api.example.com
brand:
  name: Shop
  accent: "#1f6feb"
providers:
  - id: google
    client_id_env: GOOGLE_CLIENT_ID
    client_secret_env: GOOGLE_CLIENT_SECRET
    hosted_domain: example.com
  - id: corp
    name: Corporate
    issuer: https://tenant.auth0.example/
    client_id: abc
    scopes: [openid, email]
    trust_email: true
scopes: [orders:read, orders:write]
roles:
  - name: user
    scopes: [orders:read]
  - name: admin
    scopes: [orders:read, orders:write]
default_roles: user
admins: [ada@example.com]
routes:
  - route: GET /orders
    scopes: orders:read
  - route: DELETE /orders/{id}
    roles: [admin]
    all_scopes: [orders:read, orders:write]
    fresh: true
clients:
  - id: shop-spa
    name: Shop
    redirect_uris: [https://shop.example.com/callback]
    post_logout_redirect_uris: [https://shop.example.com/]
    origins: [https://shop.example.com]
    grants: [authorization_code, refresh_token]
    scopes: [openid, profile, email, offline_access, orders:read, orders:write]
  - id: shop-web
    secret_env: SHOP_WEB_SECRET
    redirect_uris: [https://shop.example.com/callback]
    audiences: [https://api.example.com, https://stock.example.com]
    lifetimes: {access_token: 2m, refresh_token: 12h, refresh_idle: 1h}
refresh_grace: 90s
lifetimes:
  access_token: 5m
  session: 90d
  refresh_token: 60d
`

func variables(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

func TestParse(t *testing.T) {
	got, err := config.Parse("gatehouse.yml", []byte(whole), variables(map[string]string{
		"GOOGLE_CLIENT_ID": "id-from-google", "GOOGLE_CLIENT_SECRET": "s3cret", "SHOP_WEB_SECRET": "hush",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Issuer: "https://auth.example.com", Audience: "https://api.example.com",
		Brand: config.Brand{Name: "Shop", Accent: "#1f6feb"},
		Providers: []config.Provider{
			{ID: "google", Name: "Google", Issuer: "https://accounts.google.com", ClientID: "id-from-google", ClientIDEnv: "GOOGLE_CLIENT_ID",
				ClientSecret: "s3cret", ClientSecretEnv: "GOOGLE_CLIENT_SECRET", HostedDomain: "example.com"},
			{ID: "corp", Name: "Corporate", Issuer: "https://tenant.auth0.example/", ClientID: "abc", Scopes: []string{"openid", "email"}, TrustEmail: true},
		},
		Roles: []config.Role{
			{Name: "user", Scopes: []string{"orders:read"}},
			{Name: "admin", Scopes: []string{"orders:read", "orders:write"}},
		},
		DefaultRoles: []string{"user"},
		Scopes:       []string{"orders:read", "orders:write"},
		Admins:       []string{"ada@example.com"},
		Routes: []policy.Rule{
			{Route: "GET /orders", Scopes: []string{"orders:read"}},
			{Route: "DELETE /orders/{id}", Roles: []string{"admin"}, AllScopes: []string{"orders:read", "orders:write"}, Fresh: true},
		},
		Clients: []client.Client{
			{ID: "shop-spa", Name: "Shop", RedirectURIs: []string{"https://shop.example.com/callback"},
				PostLogoutRedirectURIs: []string{"https://shop.example.com/"}, Origins: []string{"https://shop.example.com"},
				Grants: []string{"authorization_code", "refresh_token"},
				Scopes: []string{"openid", "profile", "email", "offline_access", "orders:read", "orders:write"}},
			{ID: "shop-web", Secret: "hush", SecretEnv: "SHOP_WEB_SECRET", RedirectURIs: []string{"https://shop.example.com/callback"},
				Audiences: []string{"https://api.example.com", "https://stock.example.com"},
				Lifetimes: client.Lifetimes{AccessToken: 2 * time.Minute, RefreshToken: 12 * time.Hour, RefreshIdle: time.Hour}},
		},
		Lifetimes: config.Lifetimes{AccessToken: 5 * time.Minute, Code: time.Minute, Session: 90 * 24 * time.Hour, SessionIdle: 7 * 24 * time.Hour,
			RefreshToken: 60 * 24 * time.Hour, RefreshIdle: 7 * 24 * time.Hour},
		RefreshGrace: 90 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOurs loads the file at the top of the repository as a deployment would.
func TestOurs(t *testing.T) {
	c, err := config.Load("../../gatehouse.yml", variables(map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Audience != "https://auth.example.com/api" {
		t.Errorf("audience %q", c.Audience)
	}
	if diff := cmp.Diff([]string{"GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"}, c.Providers[0].Missing()); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing yet\n", "---\n", "null"} {
		c, err := config.Parse("f.yml", []byte(text), variables(map[string]string{"GATEHOUSE_ISSUER": "http://localhost:8787"}))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if c.Lifetimes.AccessToken != 10*time.Minute || c.Roles[1].Name != config.AdminRole {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func TestTooLarge(t *testing.T) {
	_, err := config.Parse("f.yml", []byte("# "+strings.Repeat("x", 1<<20)), variables(map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}))
	if err == nil || err.Error() != "f.yml:1: the file is larger than 1 MB" {
		t.Errorf("%v", err)
	}
}

func TestUnreadable(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "absent.yml"), variables(nil))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// A secret whose variable is not set leaves a confidential client confidential.
func TestSecretNotSet(t *testing.T) {
	c, err := config.Parse("f.yml", []byte(whole), variables(nil))
	if err != nil {
		t.Fatal(err)
	}
	if app := c.Clients[1]; app.Public() || app.HasSecret("") {
		t.Errorf("%+v", app)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("a: &x [*x]\n<<: *x\n")
	f.Add("clients: [{id: a, id: b}]\n---\n")
	for _, m := range mistakes {
		f.Add(m.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse("f.yml", []byte(text), variables(nil))
		var all config.Mistakes
		if (c == nil) != (err != nil) || err != nil && (!errors.As(err, &all) || len(all) == 0) {
			t.Errorf("config %v, error %v", c, err)
		}
	})
}

func TestWeakSecrets(t *testing.T) {
	t.Parallel()
	for secret, weak := range map[string]bool{
		"":                      false, // not set: the client stays confidential
		"hush":                  true,
		strings.Repeat("x", 31): true,
		strings.Repeat("x", 32): false,
		strings.Repeat("é", 31): true, // 62 bytes
	} {
		c, err := config.Parse("f.yml", []byte(whole), variables(map[string]string{"SHOP_WEB_SECRET": secret}))
		if err != nil {
			t.Fatal(err)
		}
		found := c.WeakSecrets()
		if (len(found) == 1) != weak {
			t.Errorf("%q: %v", secret, found)
		}
		if weak && (strings.Contains(found[0].Error(), secret) || !strings.Contains(found[0].Error(), "SHOP_WEB_SECRET")) {
			t.Errorf("%q: %v", secret, found)
		}
	}
}

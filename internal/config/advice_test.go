package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/config"
)

func TestAdvice(t *testing.T) {
	t.Parallel()
	c, err := config.Parse("f.yml", []byte(`
issuer: https://auth.example.com
scopes: ['orders:sync']
clients:
  - {id: forgetful, redirect_uris: [https://a.example/], grants: [authorization_code], scopes: [openid, offline_access]}
  - {id: spa, redirect_uris: [https://a.example/], grants: [authorization_code, refresh_token], scopes: [openid, offline_access]}
  - {id: robot, secret_env: ROBOT_SECRET, grants: [client_credentials], scopes: ['orders:sync']}
  - {id: web, secret_env: WEB_SECRET, redirect_uris: [https://a.example/]}
`), func(name string) string {
		return map[string]string{"WEB_SECRET": "0123456789abcdef0123456789abcdef0123456789abcdef"}[name]
	})
	if err != nil {
		t.Fatal(err) // a scope that only machines use is allowed
	}
	if diff := cmp.Diff([]string{"client forgetful: the scope offline_access gives it nothing without the grant refresh_token: add it to grants, or take the scope out"}, c.Advice()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"client robot: ROBOT_SECRET is not set: the client cannot sign in until it is"}, c.UnsetSecrets()); diff != "" {
		t.Error(diff)
	}
}

func TestSlips(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"brand:\n  accent: #2f5d50\n":                              "f.yml:2: brand.accent: want a colour such as \"#1f6feb\" (in quotes, because # begins a comment), not \"\"",
		"roles:\n  - name: admin\n\tscopes: []\n":                  "f.yml:3: not YAML: a tab in the indentation: indent with spaces",
		"clients:\n  - id: a\n    redirect_uris: [/cb]\n":          "f.yml:3: clients[1].redirect_uris[1]: want a whole URI, with scheme and host, such as https://app.example.com/callback",
		"clients:\n  - id: a\n    redirect_uris: [cb]\n":           "f.yml:3: clients[1].redirect_uris[1]: want a whole URI, with scheme and host, such as https://app.example.com/callback",
		"clients:\n  - id: a\n    redirect_uris: [//a.example/]\n": "f.yml:3: clients[1].redirect_uris[1]: want a whole URI, with scheme and host, such as https://app.example.com/callback",
	} {
		_, err := config.Parse("f.yml", []byte(text), func(name string) string {
			return map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}[name]
		})
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n%v\n%s", text, err, want)
		}
	}
}

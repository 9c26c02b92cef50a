package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/config"
)

// TestPresetMistakes has keys of one preset refused at another, and those wanted that
// a preset cannot do without.
func TestPresetMistakes(t *testing.T) {
	t.Parallel()
	const (
		apple  = "{id: apple, client_id: a, team_id: T, key_id: K, private_key_env: APPLE_KEY"
		oauth2 = "{id: old, preset: oauth2, issuer: 'https://old.example', client_id: a, client_secret_env: S, authorization_url: 'https://a.example/a', token_url: 'https://a.example/t'"
	)
	for _, tc := range []struct{ name, provider, want string }{
		{"a tenant of Google", "{id: google, client_id: a, tenant: common}", "providers[1].tenant: is a key of preset: microsoft, and this is google"},
		{"a key id at Google", "{id: google, client_id: a, key_id: K}", "providers[1].key_id: is a key of preset: apple"},
		{"Apple without a team", "{id: apple, client_id: a, key_id: K, private_key_env: APPLE_KEY}", "want team_id"},
		{"Apple without a key", "{id: apple, client_id: a, team_id: T, key_id: K}", "want private_key_env"},
		{"Apple with a secret", apple + ", client_secret_env: S}", "Apple's secret is made from the key: take it out"},
		{"OAuth without a UserInfo endpoint", oauth2 + ", claims: {sub: id}}", "want userinfo_url"},
		{"OAuth without TLS", oauth2 + ", userinfo_url: 'http://a.example/u', claims: {sub: id}}", "providers[1].userinfo_url: "},
		{"OAuth without a subject", oauth2 + ", userinfo_url: 'https://a.example/u'}", "want claims with sub"},
		{"Microsoft without a tenant", "{id: microsoft, client_id: a}", "want tenant"},
		{"Microsoft by domain", "{id: microsoft, client_id: a, tenant: example.com}", "a domain is not the issuer of its tenant"},
		{"Microsoft with an issuer", "{id: microsoft, client_id: a, tenant: common, issuer: 'https://a.example'}", "comes from tenant: take one of the two out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse("f.yml", []byte("providers:\n  - "+tc.provider+"\n"), issuerSet)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	parse(t, "providers:\n  - "+apple+"}\n  - "+oauth2+", userinfo_url: 'https://a.example/u', claims: {sub: id}}\n"+
		"  - {id: microsoft, client_id: a, tenant: common}\n  - {id: corp, issuer: 'https://a.example', client_id: a, hosted_domain: example.com}\n")
}

func TestCallback(t *testing.T) {
	t.Parallel()
	if got := parse(t, "{}").Callback("google"); got != "https://auth.example.com/callback/google" {
		t.Error(got)
	}
}

// TestWaived wants a reason for each finding that a team accepts.
func TestWaived(t *testing.T) {
	t.Parallel()
	c := parse(t, "doctor:\n  ignore:\n    rule-unused: the route is in another stack\n")
	if diff := cmp.Diff(map[string]string{"rule-unused": "the route is in another stack"}, c.Doctor.Ignore); diff != "" {
		t.Error(diff)
	}
	_, err := config.Parse("f.yml", []byte("doctor:\n  ignore:\n    rule-unused: \" \"\n"), issuerSet)
	if err == nil || !strings.Contains(err.Error(), "has no reason") {
		t.Errorf("without a reason: %v", err)
	}
}

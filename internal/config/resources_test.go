package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// issuerSet is an environment that names the issuer.
var issuerSet = variables(map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"})

// parse reads a text that has no mistake. The issuer is set already.
func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("f.yml", []byte(text), issuerSet)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTerms reads what a client may have that registers itself.
func TestTerms(t *testing.T) {
	t.Parallel()
	c := parse(t, "scopes: [notes:read, notes:write]\nroles: [{name: user, scopes: [notes:read, notes:write]}]\nresources:\n"+
		"  - {resource: 'https://api.example.com/mcp', scopes: [notes:read]}\n"+
		"  - {resource: 'https://api.example.com/other', scopes: [notes:read, notes:write]}\n")
	want := client.Client{
		ThirdParty: true, Scopes: []string{"openid", "profile", "email", "offline_access", "notes:read", "notes:write"},
		Audiences: []string{"https://api.example.com/mcp", "https://api.example.com/other"},
	}
	if diff := cmp.Diff(want, c.Terms()); diff != "" {
		t.Error(diff)
	}
}

// TestResourceMistakes has each mistake in an API's address refused with its fix.
func TestResourceMistakes(t *testing.T) {
	t.Parallel()
	eleven := ""
	for i := range 11 {
		eleven += fmt.Sprintf("  - {resource: 'https://api.example.com/%d'}\n", i)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"no scheme", "resources:\n  - {resource: api.example.com}\n", "want the address of the API, such as https://api.example.com/mcp"},
		{"without TLS", "resources:\n  - {resource: 'http://api.example.com'}\n", "want the address of the API"},
		{"a password", "resources:\n  - {resource: 'https://me:secret@api.example.com'}\n", "want the address of the API"},
		{"a query", "resources:\n  - {resource: 'https://api.example.com/mcp?a=b'}\n", "without a query or a fragment"},
		{"an empty fragment", "resources:\n  - {resource: 'https://api.example.com/mcp#'}\n", "without a query or a fragment"},
		{"a slash at the end", "resources:\n  - {resource: 'https://api.example.com/mcp/'}\n", `without the slash at its end, "https://api.example.com/mcp"`},
		{"upper case", "resources:\n  - {resource: 'https://API.example.com/mcp'}\n", "in lower case"},
		{"the issuer", "resources:\n  - {resource: 'https://auth.example.com'}\n", "issuer"},
		{"one twice", "resources:\n  - {resource: 'https://a.example'}\n  - {resource: 'https://a.example'}\n", "is that of resources[1] as well"},
		{"an unknown scope", "scopes: [notes:read]\nresources:\n  - {resource: 'https://a.example', scopes: [notes:raed]}\n", `unknown scope "notes:raed"; did you mean "notes:read"?`},
		{"eleven", "resources:\n" + eleven, "are 11: want at most 10"},
		{"a document's address for its host", "self_registration: {documents: ['https://claude.ai/oauth']}\n", "want the host of metadata documents"},
		{"any host and another", "self_registration: {documents: [any, claude.ai]}\n", "stands for all hosts"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse("f.yml", []byte(tc.text), issuerSet)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	parse(t, "resources:\n  - {resource: 'http://127.0.0.1:8080/mcp', name: Notes}\n  - {resource: 'https://api.example.com'}\n")
}

// TestLongestToken counts the tokens of other issuers, an hour where nothing is said.
func TestLongestToken(t *testing.T) {
	t.Parallel()
	const issuer = "issuers:\n  - {issuer: 'https://a.test/', profile: auth0, audiences: [a]%s}\n"
	for _, tc := range []struct {
		text string
		want time.Duration
	}{
		{"lifetimes: {access_token: 5m}\n", 5 * time.Minute},
		{fmt.Sprintf(issuer, ""), time.Hour},
		{fmt.Sprintf(issuer, ", max_age: 20m"), 20 * time.Minute},
		{fmt.Sprintf(issuer, ", max_age: 2m"), 10 * time.Minute},
	} {
		if got := parse(t, tc.text).LongestToken(); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.text, got, tc.want)
		}
	}
}

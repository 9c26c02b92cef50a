package stacktest

import (
	"encoding/json"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

type object = map[string]any

// Padding stands on a stack at the end of every client's secret: a deployment
// refuses the short ones of `gatehouse dev`.
const Padding = "-and-what-makes-it-long-enough"

// configuration is what text says, with what every stack has. Secrets go into the
// variables of the functions, where a deployment has them in SSM.
func (s *Stack) configuration(t testing.TB, text string) []byte {
	t.Helper()
	in := object{}
	if err := yaml.Unmarshal([]byte(text), &in); err != nil {
		t.Fatal(err)
	}
	add := func(name string, more ...any) {
		there, _ := in[name].([]any)
		in[name] = append(more, there...)
	}
	add("providers", object{"id": "demo", "name": "Demo", "issuer": s.Demo, "client_id": "gatehouse", "client_secret_env": "DEMO_SECRET"})
	add("clients", app("demo-spa"), app("demo-web"))
	add("admins", "ada@example.com")
	s.secrets = map[string]string{"DEMO_SECRET": demoSecret, "DEMO_WEB": "demo-web-secret" + Padding}
	for _, c := range in["clients"].([]any) {
		c, _ := c.(object)
		id, _ := c["id"].(string)
		variable := strings.ToUpper(strings.ReplaceAll(id, "-", "_"))
		if secret, ok := c["secret"].(string); ok {
			s.secrets[variable] = secret + Padding
			delete(c, "secret")
		}
		if s.secrets[variable] != "" {
			c["secret_env"] = variable
		}
	}
	out, err := yaml.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func app(id string) object {
	return object{
		"id": id, "name": "An app", "redirect_uris": []string{"http://127.0.0.1/callback"},
		"post_logout_redirect_uris": []string{"http://127.0.0.1/"}, "grants": []string{"authorization_code", "refresh_token"},
		"scopes": []string{"openid", "profile", "email", "offline_access", "admin"},
	}
}

func (s *Stack) parse(t testing.TB, configuration []byte) *config.Config {
	t.Helper()
	c, err := config.Parse("gatehouse.yml", configuration, func(name string) string {
		if name == "GATEHOUSE_ISSUER" {
			return s.Issuer
		}
		return s.secrets[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// compiled are the route rules as the build puts them beside the authorizer.
func compiled(t testing.TB, c *config.Config) []byte {
	t.Helper()
	rules, err := policy.Compile(c.Rules())
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// seed makes sure that Sam is there, and suspended, as in `gatehouse dev`.
func (s *Stack) seed(t testing.TB, c *config.Config) {
	t.Helper()
	users := setup.Users(c, dynamotable.New(dynamotest.Client(s.table, nil), tableName))
	for _, p := range demoidp.People() {
		if p.ID != "sam" {
			continue
		}
		profile := usersvc.Profile{
			Issuer: s.Demo, Subject: p.Subject, Provider: "demo", Email: p.Email, EmailVerified: p.EmailVerified, Name: p.Name,
		}
		if _, err := users.EnsureUser(t.Context(), profile, usersvc.Suspended); err != nil {
			t.Fatal(err)
		}
	}
}

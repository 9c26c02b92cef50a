package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// Every guarded route of the user API has a built-in rule, and a route whose answers
// are not cached exactly if its rule is fresh.
func TestOwnRules(t *testing.T) {
	c, err := config.Parse("f.yml", []byte("issuer: https://auth.example.com\n"), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Compile(c.Rules())
	if err != nil {
		t.Fatal(err)
	}
	template, err := gateway.ReadTemplate("../../serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	guarded := 0
	for _, route := range template.Routes {
		if route.Function != "usersvc" || route.Authorizer == "" {
			continue
		}
		guarded++
		if !slices.ContainsFunc(c.Rules(), func(r policy.Rule) bool { return r.Route == route.Key }) {
			t.Errorf("%s has no built-in rule", route.Key)
		}
		if fresh := rules.Fresh(route.Key); fresh != (route.Authorizer == "fresh") {
			t.Errorf("%s: fresh is %v, and its authorizer %s", route.Key, fresh, route.Authorizer)
		}
	}
	if guarded != len(c.Rules()) {
		t.Errorf("%d guarded routes, %d rules", guarded, len(c.Rules()))
	}
	// A team's wide rule does not reach them.
	c, err = config.Parse("f.yml", []byte("issuer: https://auth.example.com\nroutes: [{route: 'ANY /{proxy+}', roles: [user]}]\n"), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if rules, err = policy.Compile(c.Rules()); err != nil {
		t.Fatal(err)
	}
	if d := rules.Decide("GET /users", identity.Identity{Subject: "u_1", Roles: []string{"user"}}, time.Now()); d.Allowed || !strings.Contains(d.Rule.Route, "/users") {
		t.Errorf("%+v", d)
	}
}

package config_test

import (
	"errors"
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

// A rule for one of Gatehouse's own routes is for an API that does not have them: it
// changes nothing where they are, and is a mistake if the file is for that API.
func TestRulesOfAnotherAPI(t *testing.T) {
	c, err := config.Parse("f.yml", []byte("issuer: https://auth.example.com\nroutes:\n  - {route: GET /users, roles: [user]}\n"+
		"  - {route: 'GET /users/{name}', public: true}\n  - {route: DELETE /me}\n  - {route: GET /orders}\n"), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Compile(c.Routes); err != nil || len(c.Routes) != 4 {
		t.Errorf("an API of the team: %v, %v", c.Routes, err)
	}
	rules, err := policy.Compile(c.Rules())
	if err != nil {
		t.Fatal(err)
	}
	user := identity.Identity{Subject: "u_1", Roles: []string{"user"}}
	for route, allowed := range map[string]bool{"GET /users": false, "GET /users/{id}": false, "GET /orders": true} {
		if d := rules.Decide(route, user, time.Now()); d.Allowed != allowed {
			t.Errorf("%s: %+v", route, d)
		}
	}
	if rules.Public("GET /users/{id}") || !rules.Fresh("DELETE /me") {
		t.Error("a rule of the file changes Gatehouse's own")
	}
	mistakes, _ := errors.AsType[config.Mistakes](c.CheckOwn())
	if len(mistakes) != 3 || mistakes[0].String() != `f.yml:3: routes[1].route: "GET /users" is a route of Gatehouse's own user API, whose rule is built in: take it out, or give your API a stack of its own` ||
		mistakes[1].Line != 4 || mistakes[2].Line != 5 {
		t.Errorf("%v", mistakes)
	}
	if c, err = config.Parse("f.yml", []byte("issuer: https://auth.example.com\nroutes: [{route: GET /user}, {route: 'ANY /users/{proxy+}'}]\n"), func(string) string { return "" }); err != nil || c.CheckOwn() != nil {
		t.Errorf("%v, %v", err, c.CheckOwn())
	}
}

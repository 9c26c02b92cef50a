// Package adopt tests the example stacks: each guards its routes as the rules of
// gatehouse.yml say.
package adopt

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// guard is what stands before a route.
type guard struct {
	sources []string
	ttl     time.Duration
	simple  bool
}

// TestRoutesAreGuarded reads the stacks of Serverless, SAM and plain CloudFormation.
func TestRoutesAreGuarded(t *testing.T) {
	t.Parallel()
	want := map[string]guard{
		"GET /orders":         {[]string{"$request.header.Authorization", "$context.routeKey"}, time.Minute, true},
		"DELETE /orders/{id}": {[]string{"$request.header.Authorization"}, 0, true},
	}
	for _, path := range []string{"serverless/serverless.yml", "sam/template.yaml", "plain/template.json"} {
		p, err := project.Parse(path, read(t, path), project.Options{Getenv: func(string) string { return "eu-west-3" }})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		authorizers := make(map[string]gateway.Authorizer)
		for _, a := range p.HTTP.Authorizers {
			authorizers[a.Name] = a
		}
		got := make(map[string]guard)
		for _, r := range p.HTTP.Routes {
			a := authorizers[r.Authorizer]
			got[r.Key] = guard{a.IdentitySources, a.TTL, a.Simple}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(guard{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", path, diff)
		}
	}
}

// TestPlainIsJudged holds the plain template to the rules of doctor.
func TestPlainIsJudged(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse(read(t, "plain/template.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Check(func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	cfg, err := config.Load("gatehouse.yml", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Compile(cfg.Routes)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.CheckFresh(rules.Fresh); err != nil {
		t.Error(err)
	}
	guarded, _, open := parsed.RouteKeys()
	if err := rules.CheckRoutes(guarded, open...); err != nil {
		t.Error(err)
	}
}

package template_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
)

// TestAPI reads the API twice: from serverless.yml, and from what it became.
func TestAPI(t *testing.T) {
	template, err := template.Parse(osls.Packaged(t, os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	got, err := template.API()
	if err != nil {
		t.Fatal(err)
	}
	want, err := gateway.ReadTemplate(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, api := range []*gateway.Template{got, want} {
		slices.SortFunc(api.Routes, func(a, b gateway.Route) int { return strings.Compare(a.Key, b.Key) })
	}
	logical := map[string]string{"": "", "gatehouse": "HttpApiAuthorizerGatehouse", "fresh": "HttpApiAuthorizerFresh"}
	for i, r := range want.Routes {
		want.Routes[i].Authorizer = logical[r.Authorizer]
	}
	for i, a := range want.Authorizers {
		want.Authorizers[i].Name = logical[a.Name]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFunctions(t *testing.T) {
	parsed, err := template.Parse(osls.Packaged(t, os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	functions := make(map[string]template.Function)
	for _, f := range parsed.Functions() {
		functions[f.Name] = f
	}
	login := functions["loginsvc"]
	if functions["authorizer"].Timeout != 3*time.Second || login.Memory != 256 {
		t.Fatalf("functions %+v", functions)
	}
	ref := func(name, attribute string) string { return "<" + name + attribute + ">" }
	for name, want := range map[string]string{
		"GATEHOUSE_ISSUER":     "https://<HttpApi>.execute-api.<AWS::Region>.<AWS::URLSuffix>",
		"GATEHOUSE_AUDIENCE":   "https://<HttpApi>.execute-api.<AWS::Region>.<AWS::URLSuffix>/api",
		"GATEHOUSE_TABLE":      "<Table>",
		"GATEHOUSE_KMS_KEY":    "<SigningKeyArn>",
		"GATEHOUSE_PARAMETERS": "/gatehouse/prod",
	} {
		if got := login.Env[name].Resolve(ref); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAPIRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"Resources":{"R":{"Type":"AWS::ApiGatewayV2::Route","Properties":{"RouteKey":"GET /a"}}}}`:      "leads to no integration",
		`{"Resources":{"A":{"Type":"AWS::ApiGatewayV2::Authorizer","Properties":{"AuthorizerUri":"x"}}}}`: "calls no function",
	} {
		parsed, err := template.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsed.API(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
}

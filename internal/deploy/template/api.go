package template

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// API returns the HTTP API that the template makes, for a gateway of this
// machine. Functions bear the names of their zips.
func (t *Template) API() (*gateway.Template, error) {
	out := &gateway.Template{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		p := t.Resources[name].Properties
		switch t.Resources[name].Type {
		case "AWS::ApiGatewayV2::Authorizer":
			function, err := t.called(p.At("AuthorizerUri"))
			errs = append(errs, err)
			out.Authorizers = append(out.Authorizers, gateway.Authorizer{
				Name: name, Function: function, IdentitySources: p.At("IdentitySource").Strings(),
				TTL:    time.Duration(p.At("AuthorizerResultTtlInSeconds").Number()) * time.Second,
				Simple: p.At("EnableSimpleResponses").Is(true),
			})
		case "AWS::ApiGatewayV2::Route":
			function, err := t.target(p)
			errs = append(errs, err)
			out.Routes = append(out.Routes, gateway.Route{
				Key: p.At("RouteKey").String(), Function: function, Authorizer: p.At("AuthorizerId", "Ref").text(),
				Payload1: t.payload1(p),
			})
		}
	}
	return out, errors.Join(errs...)
}

// target returns the name of the function of a route.
func (t *Template) target(route Value) (string, error) {
	integration := t.integration(route)
	if integration == nil {
		return "", fault.New("integration-kind", "%s: leads to no integration", route.At("RouteKey"))
	}
	return t.called(integration.Properties.At("IntegrationUri"))
}

// payload1 tells whether a route sends its function payload 1.0.
func (t *Template) payload1(route Value) bool {
	integration := t.integration(route)
	return integration != nil && integration.Properties.At("PayloadFormatVersion").Is("1.0")
}

// integration returns the integration of a route, or nil.
func (t *Template) integration(route Value) *Resource {
	for _, part := range append(route.At("Target").parts(), route.At("Target")) {
		for name, r := range t.Resources {
			if r.Type == "AWS::ApiGatewayV2::Integration" && part.Refers(name) {
				return r
			}
		}
	}
	return nil
}

// called returns the name of the function that an URI calls.
func (t *Template) called(uri Value) (string, error) {
	if r := t.function(uri); r != nil {
		return zipOf(r), nil
	}
	return "", fault.New("integration-kind", "%s calls no function of this template", uri)
}

// Function is a Lambda function of the template.
type Function struct {
	Name    string // of its zip, without the .zip
	Ours    bool   // not a team's
	Timeout time.Duration
	Memory  int // MB
	Env     map[string]Value

	Compiled     bool   // it starts a program called bootstrap
	Architecture string // "arm64" or "x86_64"
}

// Functions returns the functions by name.
func (t *Template) Functions() []Function {
	var out []Function
	for _, r := range t.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		p := r.Properties
		f := Function{Name: zipOf(r), Timeout: time.Duration(p.At("Timeout").Number()) * time.Second,
			Memory: int(p.At("MemorySize").Number()), Env: make(map[string]Value),
			Ours: t.ours(r), Compiled: strings.HasPrefix(p.At("Runtime").text(), "provided"), Architecture: "x86_64"}
		if a := p.At("Architectures").Strings(); len(a) == 1 {
			f.Architecture = a[0]
		}
		variables, _ := p.At("Environment", "Variables").v.(map[string]any)
		for name, value := range variables {
			f.Env[name] = Value{value}
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func zipOf(function *Resource) string {
	return strings.TrimSuffix(path.Base(function.Properties.At("Code", "S3Key").Resolve(placeholder)), ".zip")
}

// ProtectsTable tells whether the deletion protection of the login stack's table is on, as
// far as the template says: a parameter can turn it on.
func (t *Template) ProtectsTable() bool {
	protected := t.Resources[t.named("GATEHOUSE_TABLE")]
	if protected == nil || protected.Properties.At("DeletionProtectionEnabled").String() != switchedProtection {
		return true // or it has no such switch, which is a finding
	}
	return t.Conditions["ProtectsTable"].String() != `{"Fn::Equals":["","on"]}`
}

// Reserves tells whether concurrency is reserved for a function.
func (t *Template) Reserves(function string) bool {
	for _, r := range t.Resources {
		if r.Type != "AWS::Lambda::Function" || zipOf(r) != function {
			continue
		}
		reserved := r.Properties.At("ReservedConcurrentExecutions")
		if choice := reserved.At("Fn::If").List(); len(choice) == 3 {
			reserved = choice[1]
		}
		return reserved.positive() || reserved.text() != ""
	}
	return false
}

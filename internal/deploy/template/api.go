package template

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

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
			})
		}
	}
	return out, errors.Join(errs...)
}

// target returns the function of a route.
func (t *Template) target(route Value) (string, error) {
	for _, part := range route.At("Target").parts() {
		if r := t.Resources[part.At("Ref").text()]; r != nil && r.Type == "AWS::ApiGatewayV2::Integration" {
			if !r.Properties.At("PayloadFormatVersion").Is("2.0") {
				return "", fmt.Errorf("%s: want payload 2.0", route.At("RouteKey"))
			}
			return t.called(r.Properties.At("IntegrationUri"))
		}
	}
	return "", fmt.Errorf("%s: leads to no integration", route.At("RouteKey"))
}

// called returns the function that an URI calls.
func (t *Template) called(uri Value) (string, error) {
	for _, part := range append(uri.parts(), uri) {
		for name, r := range t.Resources {
			if r.Type == "AWS::Lambda::Function" && part.Refers(name) {
				return zipOf(r), nil
			}
		}
	}
	return "", fmt.Errorf("%s calls no function of this template", uri)
}

// Function is a Lambda function of the template.
type Function struct {
	Name    string // of its zip, without the .zip
	Timeout time.Duration
	Memory  int // MB
	Env     map[string]Value
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
			Memory: int(p.At("MemorySize").Number()), Env: make(map[string]Value)}
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
	return strings.TrimSuffix(path.Base(function.Properties.At("Code", "S3Key").text()), ".zip")
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

// Package template judges the CloudFormation template that serverless.yml becomes.
// It finds what no validator can know: a route that somebody forgot to guard, a
// role that may more than its function does, a table that a mistyped command
// deletes with everybody's accounts in it.
package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// Template is a packaged template: .serverless/cloudformation-template-update-stack.json.
type Template struct {
	Resources  map[string]*Resource
	Outputs    map[string]struct{ Value Value }
	Parameters map[string]Value
	Conditions map[string]Value
}

// Resource is one resource of a template, by its logical name.
type Resource struct {
	Type                string
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           Value
	Properties          Value
}

// Parse reads a packaged template.
func Parse(raw []byte) (*Template, error) {
	t := &Template{}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("reading the packaged template: %w", err)
	}
	return t, nil
}

// Check returns everything in the template that must not be deployed. It holds our
// functions, and a login stack, to our rules. Of other functions it refuses only
// what is certain to fail or to open a route, the accounts or the signing keys.
// public tells of a route key whether a rule declares it public.
func (t *Template) Check(public func(routeKey string) bool) error {
	errs := []error{t.checkAny(), t.checkRoutes(public), t.checkIntegrations(), t.checkAuthorizers(), t.checkFunctions(), t.checkVPC(), t.checkPermissions()}
	if t.IsLogin() {
		errs = append(errs, t.checkRoles(), t.checkTable(), t.checkKey(), t.checkPlaces(), t.checkSettings(), t.checkStage(), t.checkDomain(), t.checkOutputs())
	}
	return errors.Join(errs...)
}

// each calls f for every resource of a type, in the order of their names, and
// joins what it finds wrong. A login stack must have one.
func (t *Template) each(kind string, f func(name string, r *Resource) error) error {
	var errs []error
	found := !t.IsLogin()
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		if r := t.Resources[name]; r.Type == kind {
			found = true
			for _, err := range fault.Unwrapped(f(name, r)) {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	if !found {
		errs = append(errs, fault.New("resource-missing", "no resource is a %s", kind))
	}
	return errors.Join(errs...)
}

// retained refuses a resource that goes away with the stack, or with a change
// that makes CloudFormation replace it.
func (r *Resource) retained() error {
	if r.DeletionPolicy != "Retain" && r.DeletionPolicy != "RetainExceptOnCreate" || r.UpdateReplacePolicy != "Retain" {
		return fault.New("resource-retained", "want DeletionPolicy RetainExceptOnCreate (or Retain) and UpdateReplacePolicy Retain: it holds what cannot be made again")
	}
	return nil
}

var certificate = regexp.MustCompile(`arn:aws[a-z-]*:acm:[a-z0-9-]+:`)

// checkPlaces refuses resources of ours that work in one partition or Region alone.
func (t *Template) checkPlaces() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[name]
		if r.Type == "AWS::IAM::Role" && allowed[name] == nil || r.Type == "AWS::Lambda::Function" && !t.ours(r) {
			continue
		}
		raw := certificate.ReplaceAllString(r.Properties.String(), "") // which is given, and is where it is
		for _, word := range []string{"arn:aws:", "arn:aws-", ".amazonaws.com/", "us-east-1", "eu-west-1"} {
			if strings.Contains(raw, word) {
				errs = append(errs, fault.New("partition", "%s: %q stands in the template: take AWS::Partition, AWS::Region and AWS::URLSuffix", name, word))
			}
		}
	}
	return errors.Join(errs...)
}

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
)

// Template is a packaged template: .serverless/cloudformation-template-update-stack.json.
type Template struct {
	Resources map[string]*Resource
	Outputs   map[string]struct{ Value Value }
	raw       string
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
	t := &Template{raw: string(raw)}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("reading the packaged template: %w", err)
	}
	return t, nil
}

// Check returns everything in the template that must not be deployed.
func (t *Template) Check() error {
	return errors.Join(
		t.checkRoutes(), t.checkIntegrations(), t.checkAuthorizers(), t.checkFunctions(), t.checkRoles(),
		t.checkTable(), t.checkKey(), t.checkPlaces(), t.checkSettings(), t.checkStage(), t.checkDomain(), t.checkOutputs(),
	)
}

// each calls f for every resource of a type, in the order of their names, and
// joins what it finds wrong.
func (t *Template) each(kind string, f func(name string, r *Resource) error) error {
	var errs []error
	found := false
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		if r := t.Resources[name]; r.Type == kind {
			found = true
			for _, err := range mistakesOf(f(name, r)) {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	if !found {
		errs = append(errs, fmt.Errorf("no resource is a %s", kind))
	}
	return errors.Join(errs...)
}

// mistakesOf takes apart what was joined, so that each bears the name of its
// resource.
func mistakesOf(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		errs = append(errs, mistakesOf(err)...)
	}
	return errs
}

// retained refuses a resource that goes away with the stack, or with a change
// that makes CloudFormation replace it.
func (r *Resource) retained() error {
	if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
		return errors.New("DeletionPolicy and UpdateReplacePolicy must be Retain: it holds what cannot be made again")
	}
	return nil
}

var certificate = regexp.MustCompile(`arn:aws[a-z-]*:acm:[a-z0-9-]+:`)

// checkPlaces refuses a template that works in one partition or region alone.
func (t *Template) checkPlaces() error {
	var errs []error
	raw := certificate.ReplaceAllString(t.raw, "") // which is given, and is where it is
	for _, word := range []string{"arn:aws:", "arn:aws-", ".amazonaws.com/", "us-east-1", "eu-west-1"} {
		if strings.Contains(raw, word) {
			errs = append(errs, fmt.Errorf("%q stands in the template: take AWS::Partition, AWS::Region and AWS::URLSuffix", word))
		}
	}
	return errors.Join(errs...)
}

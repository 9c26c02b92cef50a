package project

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// stack is a CloudFormation template while it is read.
type stack struct {
	*Project
	*evaluator
}

// readCloudFormation reads a template: plain, what CDK synthesizes, what Serverless
// packages, or what SAM takes.
func (p *Project) readCloudFormation(document *yaml.Node, o Options) error {
	e := &evaluator{
		resources: member(document, "Resources"), parameters: member(document, "Parameters"),
		conditions: member(document, "Conditions"), mappings: member(document, "Mappings"),
		origin: o.Origin, note: p.note,
	}
	e.stage = cmp.Or(o.Stage, "dev")
	s := &stack{p, e}
	if e.resources.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: Resources: want a mapping, with a resource under each name", e.resources.Line)
	}
	for _, r := range s.ofType("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment", "AWS::ApiGatewayV2::Stage", "AWS::Serverless::Api") {
		if name := e.value(member(r, "Properties", "StageName")); name != "" && name != "$default" && o.Stage == "" {
			e.stage = name
		}
	}
	p.Stage = e.stage
	var errs []error
	for name, r := range s.ofType("AWS::Lambda::Function") {
		errs = append(errs, s.addFunction(name, r, member(r, "Properties", "Code", "S3Key"), ""))
	}
	errs = append(errs, s.readSAM(document), s.readHTTPAPI(), s.readREST())
	for name, r := range members(e.resources) {
		switch kind := text(r, "Type"); {
		case kind == "AWS::Serverless::Application", kind == "AWS::CloudFormation::Stack":
			errs = append(errs, fmt.Errorf("line %d: %s is a stack of its own: name its template with --template", r.Line, name))
		case strings.HasPrefix(name, "Fn::"):
			p.note("line %d: %s: dev does not run it: what it makes is left out", r.Line, name)
		case kind == "":
			errs = append(errs, fmt.Errorf("line %d: %s: want a mapping with a Type", r.Line, name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p.HTTP.AddIAM()
	if p.REST != nil {
		p.REST.AddIAM()
	}
	return p.HTTP.Check()
}

// ofType ranges over the resources of some types, in the order of the template.
func (s *stack) ofType(kinds ...string) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for name, r := range members(s.resources) {
			if s.leftOut(name, r) {
				continue
			}
			for _, kind := range kinds {
				if text(r, "Type") == kind && !yield(name, r) {
					return
				}
			}
		}
	}
}

// leftOut tells whether the condition of a resource does not hold here, and notes it
// of what dev would run.
func (s *stack) leftOut(name string, r *yaml.Node) bool {
	condition := text(r, "Condition")
	if condition == "" || s.holds(member(s.conditions, condition)) {
		return false
	}
	if kind := text(r, "Type"); strings.HasPrefix(kind, "AWS::ApiGateway") || strings.HasPrefix(kind, "AWS::Serverless") || kind == "AWS::Lambda::Function" {
		s.Project.note("line %d: %s is left out: its condition %s does not hold here", r.Line, name, condition)
	}
	return true
}

// addFunction adds a function by its logical name. zip names its package.
func (s *stack) addFunction(name string, r, zip *yaml.Node, source string) error {
	p := member(r, "Properties")
	out := Function{Name: name, Line: r.Line, Env: map[string]string{}, Runtime: s.value(member(p, "Runtime")), Handler: s.value(member(p, "Handler")),
		Artifact: artifactOf(s.value(zip)), Source: cmp.Or(text(r, "Metadata", "aws:asset:path"), source)}
	if s.value(member(p, "PackageType")) == "Image" {
		s.Project.note("line %d: function %s is a container image: run it yourself, with --upstream", r.Line, name)
	}
	if len(items(member(p, "Layers"))) > 0 {
		s.Project.note("line %d: function %s: dev runs it without its layers", r.Line, name)
	}
	var err error
	if out.Timeout, err = seconds(cmp.Or(s.value(member(p, "Timeout")), "3")); err != nil {
		return fmt.Errorf("line %d: function %s: Timeout: %w", r.Line, name, err)
	}
	out.Memory, _ = strconv.Atoi(cmp.Or(s.value(member(p, "MemorySize")), "128"))
	for variable, value := range members(member(p, "Environment", "Variables")) {
		out.Env[variable] = s.text(value)
	}
	s.Functions = append(s.Functions, out)
	return nil
}

// called returns the function that an URI, an ARN or a name leads to; "" is one
// of another stack.
func (s *stack) called(uri *yaml.Node) string {
	for _, name := range referred(uri) {
		r := member(s.resources, name)
		switch text(r, "Type") {
		case "AWS::Lambda::Function", "AWS::Serverless::Function":
			return name
		case "AWS::Lambda::Alias", "AWS::Lambda::Version":
			return s.called(member(r, "Properties", "FunctionName"))
		}
	}
	return ""
}

// referred returns every name that n refers to, however deep.
func referred(n *yaml.Node) []string {
	n = deref(n)
	if n == nil {
		return nil
	}
	var out []string
	for name, argument := range members(n) {
		list := items(argument)
		switch {
		case name == "Ref" || name == "Fn::GetAtt" && argument.Kind == yaml.ScalarNode:
			resource, _, _ := strings.Cut(argument.Value, ".")
			out = append(out, resource)
		case name == "Fn::GetAtt" && len(list) > 0:
			out = append(out, list[0].Value)
		case name == "Fn::Sub" && len(list) > 0:
			for _, found := range placeholder.FindAllString(list[0].Value, -1) {
				resource, _, _ := strings.Cut(found[2:len(found)-1], ".")
				out = append(out, resource)
			}
		}
	}
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		for _, c := range n.Content {
			out = append(out, referred(c)...)
		}
	}
	return out
}

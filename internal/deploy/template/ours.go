package template

import (
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// Zips are the names of our zips.
var Zips = []string{"authorizer", "loginsvc", "usersvc", "rotator"}

// ours tells whether a function is one of ours, by the name of its zip. Some tools
// rename zips: in a team's template, a compiled program behind an authorizer is ours.
func (t *Template) ours(function *Resource) bool {
	if slices.Contains(Zips, zipOf(function)) {
		return true
	}
	if t.IsLogin() || !function.Properties.At("Handler").Is("bootstrap") {
		return false
	}
	for _, r := range t.Resources {
		if (r.Type == "AWS::ApiGatewayV2::Authorizer" || r.Type == "AWS::ApiGateway::Authorizer") && t.function(r.Properties.At("AuthorizerUri")) == function {
			return true
		}
	}
	return false
}

// IsLogin tells whether the template is that of the login service, with or without
// functions of a team. Any other template has the authorizer at most.
func (t *Template) IsLogin() bool {
	for _, r := range t.Resources {
		if r.Type == "AWS::Lambda::Function" && slices.Contains(Zips[1:], zipOf(r)) {
			return true
		}
	}
	return false
}

// checkAny refuses a template in which there is nothing to judge: it is another file
// than was meant.
func (t *Template) checkAny() error {
	for _, r := range t.Resources {
		if r.Type == "AWS::Lambda::Function" || strings.HasPrefix(r.Type, "AWS::ApiGateway") {
			return nil
		}
	}
	return fault.New("resource-missing", "no resource is a function or an API: is this the template of your stack?")
}

// function returns the function that an URI, an ARN or a name leads to, also by
// way of an alias or a version, and nil if it is of another stack.
func (t *Template) function(uri Value) *Resource {
	for _, part := range append(uri.parts(), uri) {
		for name, r := range t.Resources {
			switch {
			case !part.Refers(name) && !strings.Contains(part.At("Fn::Sub").text(), "${"+name+".Arn}") && !strings.Contains(part.At("Fn::Sub").text(), "${"+name+"}"):
			case r.Type == "AWS::Lambda::Function":
				return r
			case r.Type == "AWS::Lambda::Alias", r.Type == "AWS::Lambda::Version":
				return t.function(r.Properties.At("FunctionName"))
			}
		}
	}
	return nil
}

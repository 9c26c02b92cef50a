package stack

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// secretWords are in the names of variables that must not stand in a template:
// whoever may look at the function would read them.
var secretWords = []string{"SECRET", "PASSWORD", "TOKEN", "PRIVATE"}

// checkFunctions wants the runtime that the zips are built for, a role for each
// function alone, a log that ends, and no secret in the environment.
func (t *Template) checkFunctions() error {
	roles := make(map[string]string) // role to function
	return t.each("AWS::Lambda::Function", func(name string, r *Resource) error {
		p := r.Properties
		role := p.At("Role", "Fn::GetAtt").List()
		var errs []error
		if !p.At("Runtime").Is("provided.al2023") || p.At("Architectures").String() != `["arm64"]` || !p.At("Handler").Is("bootstrap") {
			errs = append(errs, errors.New("want runtime provided.al2023, architecture arm64 and handler bootstrap"))
		}
		if len(role) != 2 || !t.has(role[0].String(), "AWS::IAM::Role") {
			errs = append(errs, errors.New("want a role of this template"))
		} else if other, taken := roles[role[0].String()]; taken {
			errs = append(errs, fmt.Errorf("has the role of %s: give it one of its own", other))
		} else {
			roles[role[0].String()] = name
		}
		variables, _ := p.At("Environment", "Variables").v.(map[string]any)
		for variable := range variables {
			if slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(variable, w) }) {
				errs = append(errs, fmt.Errorf("%s in the environment: a secret belongs into SSM", variable))
			}
		}
		if !p.At("LoggingConfig", "LogFormat").Is("JSON") {
			errs = append(errs, errors.New("want LoggingConfig LogFormat JSON: name it under resources.extensions"))
		}
		if !p.At("TracingConfig", "Mode").Is("Active") {
			errs = append(errs, errors.New("want provider.tracing.lambda: true"))
		}
		if !p.At("Timeout").positive() || p.At("Timeout").Number() > 60 {
			errs = append(errs, errors.New("want a timeout of at most 60 s"))
		}
		if !t.logEnds("/aws/lambda/" + p.At("FunctionName").String()) {
			errs = append(errs, errors.New("its log group must have a retention"))
		}
		return errors.Join(errs...)
	})
}

func (t *Template) has(name, kind string) bool {
	r := t.Resources[name]
	return r != nil && r.Type == kind
}

func (t *Template) logEnds(group string) bool {
	for _, r := range t.Resources {
		if r.Type == "AWS::Logs::LogGroup" && r.Properties.At("LogGroupName").Is(group) {
			return r.Properties.At("RetentionInDays").Number() > 0
		}
	}
	return false
}

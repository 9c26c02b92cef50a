package template

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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
		if limit := p.At("Environment", "Variables", "GOMEMLIMIT").text(); p.At("Environment", "Variables", "GOGC").v != nil && !spares(limit, p.At("MemorySize").Number()) {
			errs = append(errs, errors.New("GOGC without an end: want GOMEMLIMIT in MiB, at most seven eighths of MemorySize"))
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

// spares tells whether a GOMEMLIMIT is one that is reached before the memory of
// the function, in MB, is used up. A garbage collector that waits longer than
// usual would else have Lambda end the process in the midst of a large request.
func spares(limit string, memory float64) bool {
	mib, err := strconv.ParseFloat(strings.TrimSuffix(limit, "MiB"), 64)
	return err == nil && strings.HasSuffix(limit, "MiB") && 0 < mib && mib <= memory*7/8
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

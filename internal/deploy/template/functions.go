package template

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// secretWords are in the names of variables that must not stand in a template:
// everyone who can look at the function could read them.
var secretWords = []string{"SECRET", "PASSWORD", "TOKEN", "PRIVATE"}

// removed are runtimes for which AWS makes no functions any more.
var removed = []string{"go1.x", "provided", "nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x", "nodejs16.x",
	"python2.7", "python3.6", "python3.7", "python3.8", "ruby2.5", "ruby2.7", "java8", "dotnetcore2.1", "dotnetcore3.1", "dotnet6"}

// checkFunctions wants each of our functions to have the runtime that its zip is
// built for, a role of its own, a log that expires, and no secret in its
// environment. Other functions must not share a role with ours.
func (t *Template) checkFunctions() error {
	owner := make(map[string]string) // of the roles of our functions
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		if r := t.Resources[name]; r.Type == "AWS::Lambda::Function" && t.ours(r) {
			if role := roleOf(r); owner[role] == "" {
				owner[role] = name
			}
		}
	}
	return t.each("AWS::Lambda::Function", func(name string, r *Resource) error {
		var errs []error
		if runtime := r.Properties.At("Runtime").text(); slices.Contains(removed, runtime) {
			errs = append(errs, fault.New("function-runtime", "AWS makes no functions with runtime %s any more: take a newer one; Go has provided.al2023", runtime))
		}
		if other := owner[roleOf(r)]; other != "" && other != name {
			errs = append(errs, fault.New("function-role", "has the role of %s: give it one of its own", other))
		}
		if t.ours(r) {
			errs = append(errs, t.checkOurs(r))
		}
		return errors.Join(errs...)
	})
}

// roleOf returns the logical name of the role of a function, "" if it is not in
// the template.
func roleOf(function *Resource) string {
	role := function.Properties.At("Role", "Fn::GetAtt").Strings()
	if len(role) == 0 {
		return ""
	}
	return role[0]
}

// checkOurs holds one of our functions to our rules.
func (t *Template) checkOurs(r *Resource) error {
	p := r.Properties
	var errs []error
	arch := p.At("Architectures").String()
	if !p.At("Runtime").Is("provided.al2023") || arch != `["arm64"]` && arch != `["x86_64"]` || !p.At("Handler").Is("bootstrap") {
		errs = append(errs, fault.New("function-runtime", "want runtime provided.al2023, architecture arm64 or x86_64, as its zip is built for, and handler bootstrap"))
	}
	if !t.has(roleOf(r), "AWS::IAM::Role") {
		errs = append(errs, fault.New("function-role", "want a role of this template"))
	} else if roleOf(r) == sharedRole {
		errs = append(errs, fault.New("role-shared", "has the role that functions without a role share: give it one of its own"))
	}
	variables, _ := p.At("Environment", "Variables").v.(map[string]any)
	for variable := range variables {
		if slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(variable, w) }) {
			errs = append(errs, fault.New("function-secret", "%s in the environment: a secret belongs into SSM", variable))
		}
	}
	if limit := p.At("Environment", "Variables", "GOMEMLIMIT").text(); p.At("Environment", "Variables", "GOGC").v != nil && !spares(limit, p.At("MemorySize").Number()) {
		errs = append(errs, fault.New("function-memory", "GOGC without an end: want GOMEMLIMIT in MiB, at most seven eighths of MemorySize"))
	}
	if timeout := p.At("Timeout").Number(); timeout <= 0 || timeout > 60 {
		errs = append(errs, fault.New("function-timeout", "want a timeout of at most 60 s"))
	}
	if !t.IsLogin() {
		return errors.Join(errs...) // the team decides about its own logs and traces
	}
	if !p.At("LoggingConfig", "LogFormat").Is("JSON") {
		errs = append(errs, fault.New("function-log", "want LoggingConfig LogFormat JSON: name it under resources.extensions"))
	}
	if !p.At("TracingConfig", "Mode").Is("Active") {
		errs = append(errs, fault.New("function-trace", "want provider.tracing.lambda: true"))
	}
	if !t.logEnds(p.At("FunctionName")) {
		errs = append(errs, fault.New("log-retention", "its log group must have a retention"))
	}
	return errors.Join(errs...)
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

// logEnds tells whether the log group of a function expires.
func (t *Template) logEnds(function Value) bool {
	group := "/aws/lambda/" + function.Resolve(placeholder)
	for _, r := range t.Resources {
		if r.Type == "AWS::Logs::LogGroup" && r.Properties.At("LogGroupName").Resolve(placeholder) == group {
			return r.Properties.At("RetentionInDays").Number() > 0
		}
	}
	return false
}

package template

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// required are the variables without which a function of ours does not start, or
// counts nothing, by the name of its zip.
var required = map[string][]string{
	"authorizer": {"GATEHOUSE_NAME", "GATEHOUSE_ISSUER", "GATEHOUSE_AUDIENCE"},
	"loginsvc":   {"GATEHOUSE_NAME", "GATEHOUSE_ISSUER", "GATEHOUSE_AUDIENCE", "GATEHOUSE_TABLE", "GATEHOUSE_KMS_KEY", "GATEHOUSE_PARAMETERS"},
	"usersvc":    {"GATEHOUSE_NAME", "GATEHOUSE_TABLE"},
	"rotator":    {"GATEHOUSE_NAME", "GATEHOUSE_TABLE", "GATEHOUSE_KMS_KEY"},
}

// checkSettings wants every function to be told what it needs, all of them the
// same issuer, the gateway to be permitted to call them, and the keys to be
// tended.
func (t *Template) checkSettings() error {
	functions := make(map[string]Function)
	for _, f := range t.Functions() {
		functions[f.Name] = f
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(required)) {
		for _, variable := range required[name] {
			if value := functions[name].Env[variable].String(); value == "null" || value == "" {
				errs = append(errs, fault.New("setting-missing", "%s: %s is not set", name, variable))
			}
		}
	}
	for _, variable := range []string{"GATEHOUSE_NAME", "GATEHOUSE_ISSUER", "GATEHOUSE_AUDIENCE", "GATEHOUSE_TABLE", "GATEHOUSE_KMS_KEY"} {
		seen := make(map[string]bool)
		for _, f := range functions {
			if value := f.Env[variable]; value.v != nil {
				seen[value.String()] = true
			}
		}
		if len(seen) > 1 {
			errs = append(errs, fault.New("setting-differs", "%s is not the same for all functions: what one writes would be nothing to another", variable))
		}
	}
	own := functions["authorizer"].Env["GATEHOUSE_ISSUER"]
	if choice := own.At("Fn::If").List(); len(choice) == 3 {
		own = choice[2] // the first is a parameter, unknown here
	}
	issuer := own.Resolve(func(name, attribute string) string { return name + attribute })
	if !strings.HasPrefix(issuer, "https://") || strings.HasSuffix(issuer, "/") {
		errs = append(errs, fault.New("issuer-url", "GATEHOUSE_ISSUER %s: want https, and no slash at the end", issuer))
	}
	errs = append(errs, t.checkSchedule())
	return errors.Join(errs...)
}

// checkPermissions wants the gateway to be allowed to call each function of this
// template that an authorizer or a route leads to.
func (t *Template) checkPermissions() error {
	called := make(map[*Resource]bool)
	for _, r := range t.Resources {
		switch r.Type {
		case "AWS::ApiGatewayV2::Integration":
			called[t.function(r.Properties.At("IntegrationUri"))] = true
		case "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGateway::Authorizer":
			if r.Properties.At("AuthorizerCredentialsArn").v == nil {
				called[t.function(r.Properties.At("AuthorizerUri"))] = true
			}
		}
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		if r := t.Resources[name]; called[r] && !t.permits("apigateway.amazonaws.com", r) {
			errs = append(errs, fault.New("permission-missing", "the API may not call %s: a Lambda permission is missing", cmp.Or(zipOf(r), name)))
		}
	}
	return errors.Join(errs...)
}

// permits tells whether a principal can call a function from named APIs alone.
func (t *Template) permits(principal string, function *Resource) bool {
	for _, r := range t.Resources {
		if r.Type != "AWS::Lambda::Permission" || !r.Properties.At("Principal").Is(principal) || r.Properties.At("SourceArn").v == nil {
			continue
		}
		if t.function(r.Properties.At("FunctionName")) == function {
			return true
		}
	}
	return false
}

// checkSchedule wants the rotator to run at least once an hour: two hours pass
// between a key's first day in public and its first signature.
func (t *Template) checkSchedule() error {
	for _, r := range t.Resources {
		if r.Type != "AWS::Events::Rule" || !r.Properties.At("State").Is("ENABLED") {
			continue
		}
		for _, target := range r.Properties.At("Targets").List() {
			name, err := t.called(target.At("Arn"))
			if err == nil && name == "rotator" && slices.Contains([]string{"rate(1 hour)", "rate(30 minutes)", "rate(15 minutes)"}, r.Properties.At("ScheduleExpression").text()) {
				return nil
			}
		}
	}
	return fault.New("rotator-schedule", "nothing runs the rotator every hour: schedule it with rate(1 hour)")
}

// checkOutputs wants what people and other stacks look for after a deployment.
func (t *Template) checkOutputs() error {
	var errs []error
	for _, name := range []string{"Issuer", "RedirectURI", "KeysURL", "AuthorizerArn"} {
		if t.Outputs[name].Value.v == nil {
			errs = append(errs, fault.New("output-missing", "the output %s is missing", name))
		}
	}
	for _, r := range t.Resources {
		if r.Type == "AWS::SSM::Parameter" && r.Properties.At("Value").Refers("AuthorizerLambdaFunction") {
			return errors.Join(errs...)
		}
	}
	return errors.Join(append(errs, fault.New("output-missing", "no SSM parameter holds the authorizer's ARN: other stacks look for it"))...)
}

package template

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// allowed are the actions of each of our functions, by the logical name of its
// role. A team's own roles may do what they like, but not what is ours: see
// foreign.
var allowed = map[string][]string{
	"AuthorizerRole": written,
	"LoginsvcRole":   slices.Concat(written, items, []string{"kms:Sign", "kms:GetPublicKey", "kms:DescribeKey", "ssm:GetParameters"}),
	"UsersvcRole":    slices.Concat(written, items),
	"RotatorRole": slices.Concat(written, []string{"dynamodb:GetItem", "dynamodb:PutItem", "kms:CreateKey", "kms:TagResource", "kms:DescribeKey",
		"kms:GetPublicKey", "kms:Sign", "kms:ScheduleKeyDeletion"}),
}

var (
	trace   = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
	written = slices.Concat([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, trace)
	items   = []string{"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}
)

// checkRoles wants each role of ours to be one function's, and to say exactly what
// it may do and to what. Other roles must not reach what is ours.
func (t *Template) checkRoles() error {
	err := t.each("AWS::IAM::Role", func(name string, r *Resource) error {
		if _, known := allowed[name]; known {
			return t.checkOurRole(name, r)
		}
		var errs []error
		for _, s := range statements(r) {
			if what := t.reaches(s); what != "" && s.At("Effect").Is("Allow") {
				errs = append(errs, fault.New("role-foreign", "action %s: only the login service may %s: name the actions and resources that the function needs", s.At("Action"), what))
			}
			errs = append(errs, checkActions(s))
		}
		return errors.Join(errs...)
	})
	errs := []error{err}
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		if !t.has(name, "AWS::IAM::Role") {
			errs = append(errs, fault.New("role-missing", "%s is missing", name))
		}
	}
	return errors.Join(errs...)
}

func statements(role *Resource) []Value {
	var out []Value
	for _, policy := range role.Properties.At("Policies").List() {
		out = append(out, policy.At("PolicyDocument", "Statement").List()...)
	}
	return out
}

func (t *Template) checkOurRole(name string, r *Resource) error {
	if who := r.Properties.At("AssumeRolePolicyDocument", "Statement").String(); who != onlyLambda {
		return fault.New("role-trust", "somebody other than Lambda may take it: name its service alone in AssumeRolePolicyDocument")
	}
	if managed := r.Properties.At("ManagedPolicyArns"); managed.v != nil {
		return fault.New("role-managed", "a managed policy allows more than this template says: list the actions")
	}
	var errs []error
	var granted []string
	for _, s := range statements(r) {
		errs = append(errs, t.checkStatement(name, s))
		if s.At("Effect").Is("Allow") {
			granted = append(granted, s.At("Action").Strings()...)
		}
	}
	for _, action := range allowed[name] {
		if !slices.Contains(granted, action) {
			errs = append(errs, fault.New("role-action", "action %s is never allowed: the function cannot work: allow it", action))
		}
	}
	return errors.Join(errs...)
}

// sharedRole is what the deployment tool makes for functions that name none.
const sharedRole = "IamRoleLambdaExecution"

const onlyLambda = `[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]`

// checkActions refuses actions that do not exist, in every role: the function would
// fail.
func checkActions(s Value) error {
	var errs []error
	for _, action := range s.At("Action").Strings() {
		if strings.HasPrefix(action, "dynamodb:Transact") {
			errs = append(errs, fault.New("role-action", "action %s does not exist: allow the actions that the transaction is made of", action))
		}
	}
	return errors.Join(errs...)
}

// checkStatement looks at a statement of one of our roles.
func (t *Template) checkStatement(role string, s Value) error {
	errs := []error{checkActions(s)}
	for _, action := range s.At("Action").Strings() {
		switch {
		case strings.Contains(action, "*"):
			errs = append(errs, fault.New("role-action", "action %s: name each one", action))
		case !slices.Contains(allowed[role], action) && !slices.Contains(networking, action):
			errs = append(errs, fault.New("role-action", "action %s: the function does no such thing: take it out", action))
		case strings.HasPrefix(action, "kms:"):
			errs = append(errs, t.checkKMS(action, s))
		}
	}
	errs = append(errs, checkRows(role, s))
	if s.At("NotAction").v != nil || s.At("NotResource").v != nil {
		errs = append(errs, fault.New("role-action", "NotAction and NotResource allow what nobody thought of: say Action and Resource"))
	}
	for _, resource := range s.At("Resource").Strings() {
		if resource == "*" && !s.nameless() {
			errs = append(errs, fault.New("role-resource", "resource *: name it"))
		}
	}
	return errors.Join(errs...)
}

// nameless tells whether every action of a statement has no resource but "*".
func (s Value) nameless() bool {
	return !slices.ContainsFunc(s.At("Action").Strings(), func(action string) bool {
		return action != "kms:CreateKey" && !slices.Contains(trace, action) && !slices.Contains(networking, action)
	})
}

// takeover are actions on a KMS key with which a function could sign tokens, now or
// after a change of the key.
var takeover = []string{"kms:Sign", "kms:PutKeyPolicy", "kms:CreateGrant", "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:DisableKey"}

// reaches returns what of ours a statement of another function's role reaches, ""
// if nothing.
func (t *Template) reaches(s Value) string {
	key, table := t.named("GATEHOUSE_KMS_KEY"), t.named("GATEHOUSE_TABLE")
	for _, r := range s.At("Resource").List() {
		text := r.String()
		every := text == "*"
		switch {
		case s.allows(takeover...) && (every && s.At("Condition").v == nil || strings.Contains(text, "key/*") && s.At("Condition").v == nil || r.mentions(key)),
			s.allows(takeover...) && strings.Contains(s.At("Condition").String(), "/gatehouse\""):
			return "use its keys"
		case s.allows("dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem") &&
			(every || strings.HasSuffix(text, "table/*") || r.mentions(table)):
			return "use its table"
		}
	}
	return ""
}

// allows tells whether a statement has one of the actions, by name or by pattern.
func (s Value) allows(actions ...string) bool {
	return slices.ContainsFunc(s.At("Action").Strings(), func(pattern string) bool {
		return slices.ContainsFunc(actions, func(action string) bool {
			ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
			return ok && err == nil
		})
	})
}

// mentions tells whether v refers to a resource, at any depth.
func (v Value) mentions(name string) bool {
	if name == "" {
		return false
	}
	text := v.String()
	return strings.Contains(text, `["`+name+`",`) || strings.Contains(text, `{"Ref":"`+name+`"}`) || strings.Contains(text, "${"+name+".") || strings.Contains(text, "${"+name+"}")
}

// named returns the logical name of the resource that a variable of the login
// service names.
func (t *Template) named(variable string) string {
	for _, f := range t.Functions() {
		if f.Name != "loginsvc" {
			continue
		}
		v := f.Env[variable]
		if name := v.At("Ref").text(); name != "" {
			return name
		}
		if get := v.At("Fn::GetAtt").Strings(); len(get) > 0 {
			return get[0]
		}
	}
	return ""
}

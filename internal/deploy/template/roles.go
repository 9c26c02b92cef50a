package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// checkRoles wants each role to be one function's, and to say exactly what it
// may do and to what.
func (t *Template) checkRoles() error {
	err := t.each("AWS::IAM::Role", func(name string, r *Resource) error {
		if name == sharedRole {
			return errors.New("a function without a role of its own has it: give each one a role, as notes has")
		}
		if who := r.Properties.At("AssumeRolePolicyDocument", "Statement").String(); who != onlyLambda {
			return errors.New("somebody other than Lambda may take it: name its service alone in AssumeRolePolicyDocument")
		}
		if managed := r.Properties.At("ManagedPolicyArns"); managed.v != nil {
			return errors.New("a managed policy allows more than this template says: list the actions")
		}
		var errs []error
		var granted []string
		for _, policy := range r.Properties.At("Policies").List() {
			for _, s := range policy.At("PolicyDocument", "Statement").List() {
				errs = append(errs, t.checkStatement(name, s))
				if s.At("Effect").Is("Allow") {
					granted = append(granted, s.At("Action").Strings()...)
				}
			}
		}
		for _, action := range allowed[name] {
			if !slices.Contains(granted, action) {
				errs = append(errs, fmt.Errorf("action %s is never allowed: the function cannot work: allow it", action))
			}
		}
		return errors.Join(errs...)
	})
	errs := []error{err}
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		if !t.has(name, "AWS::IAM::Role") {
			errs = append(errs, fmt.Errorf("%s is missing", name))
		}
	}
	return errors.Join(errs...)
}

// sharedRole is what the deployment tool makes for functions that name none.
const sharedRole = "IamRoleLambdaExecution"

const onlyLambda = `[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]`

func (t *Template) checkStatement(role string, s Value) error {
	var errs []error
	actions, known := allowed[role]
	for _, action := range s.At("Action").Strings() {
		switch {
		case strings.HasPrefix(action, "dynamodb:Transact"):
			errs = append(errs, fmt.Errorf("action %s does not exist: allow the actions that the transaction is made of", action))
		case strings.Contains(action, "*"):
			errs = append(errs, fmt.Errorf("action %s: name each one", action))
		case known && !slices.Contains(actions, action):
			errs = append(errs, fmt.Errorf("action %s: the function does no such thing: take it out", action))
		case !known && foreign(action, s):
			errs = append(errs, fmt.Errorf("action %s: only the login service may", action))
		case known && strings.HasPrefix(action, "kms:"):
			errs = append(errs, t.checkKMS(action, s))
		}
	}
	errs = append(errs, checkRows(role, s))
	if s.At("NotAction").v != nil || s.At("NotResource").v != nil {
		errs = append(errs, errors.New("NotAction and NotResource allow what nobody thought of: say Action and Resource"))
	}
	for _, resource := range s.At("Resource").Strings() {
		if resource == "*" && !s.nameless() {
			errs = append(errs, errors.New("resource *: name it"))
		}
	}
	return errors.Join(errs...)
}

// nameless tells whether every action of a statement has no resource but "*".
func (s Value) nameless() bool {
	return !slices.ContainsFunc(s.At("Action").Strings(), func(action string) bool {
		return action != "kms:CreateKey" && !slices.Contains(trace, action)
	})
}

// foreign tells whether a function that is none of ours would sign tokens, or
// touch the table.
func foreign(action string, s Value) bool {
	if action == "kms:Sign" {
		return true
	}
	return slices.ContainsFunc(s.At("Resource").List(), func(r Value) bool {
		return strings.Contains(r.String(), `["Table","Arn"]`)
	})
}

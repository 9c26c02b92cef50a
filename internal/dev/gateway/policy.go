package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The limits of an authorizer's answer.
const (
	maxAnswer   = 8 << 10 // bytes
	maxResource = 512     // characters
)

// policy is an IAM policy as far as API Gateway needs it of an authorizer.
type policy struct {
	Version   string
	ID        string `json:"Id"`
	Statement []statement
}

type statement struct {
	SID      string `json:"Sid"`
	Effect   string
	Action   list
	Resource list
}

// list is a string, or a list of strings.
type list []string

func (l *list) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// parsePolicy reads a policy document, and refuses what AWS refuses and what is
// not evaluated here.
func parsePolicy(raw json.RawMessage) (*policy, error) {
	var p policy
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields() // a Condition is one: null there fails in AWS too
	if err := decoder.Decode(&p); err != nil {
		return nil, fmt.Errorf("policyDocument: %w", err)
	}
	if p.Version != "2012-10-17" && p.Version != "2008-10-17" {
		return nil, errors.New("policyDocument: no Version that IAM knows")
	}
	if len(p.Statement) == 0 {
		return nil, errors.New("policyDocument: no Statement")
	}
	for _, s := range p.Statement {
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny":
			return nil, errors.New("policyDocument: Effect is neither Allow nor Deny")
		case len(s.Action) == 0 || len(s.Resource) == 0:
			return nil, errors.New("policyDocument: a Statement without Action or Resource")
		}
		for _, resource := range s.Resource {
			if len(resource) > maxResource {
				return nil, errors.New("policyDocument: a Resource over 512 characters")
			}
		}
	}
	return &p, nil
}

// allows tells whether the policy lets a request for arn through: some statement
// allows it and none denies it.
func (p *policy) allows(arn string) bool {
	allowed := false
	for _, s := range p.Statement {
		if !s.Action.matches("execute-api:Invoke", strings.ToLower) || !s.Resource.matches(arn, exactly) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func exactly(s string) string { return s }

// matches tells whether any pattern matches s, after both went through fold.
func (l list) matches(s string, fold func(string) string) bool {
	for _, pattern := range l {
		if glob(fold(pattern), fold(s)) {
			return true
		}
	}
	return false
}

// glob tells whether s matches pattern, in which * is any run of characters and
// ? is one. It takes time in proportion to the product of the lengths.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0: // let the last * take one character more
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

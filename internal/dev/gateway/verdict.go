package gateway

import (
	"encoding/json"
	"errors"
)

// verdict is an authorizer's answer, understood.
type verdict struct {
	allowed bool            // for every route, if there is no policy
	policy  *policy         // nil for a simple answer
	context json.RawMessage // as it is handed on
	// principal is whom the policy is about.
	principal string
	reason    string // why not, where the answer or the log tells
}

func (v *verdict) allows(arn string) bool {
	if v.policy != nil {
		return v.policy.allows(arn)
	}
	return v.allowed
}

// parseVerdict reads an authorizer's answer. An error is a 500 to the client.
func (a Authorizer) parseVerdict(raw []byte) (*verdict, error) {
	if len(raw) > maxAnswer {
		return nil, errors.New("an answer over 8 KB")
	}
	var in map[string]json.RawMessage // a struct would take "isauthorized" too
	if err := json.Unmarshal(raw, &in); err != nil || in == nil {
		return nil, errors.New("an answer that is not a JSON object")
	}
	v := &verdict{context: in["context"]}
	var fields map[string]any
	if len(v.context) > 0 {
		if err := json.Unmarshal(v.context, &fields); err != nil {
			return nil, errors.New("context is not an object")
		}
		v.reason, _ = fields["reason"].(string)
	}
	if a.Simple {
		// "false" in quotes is neither.
		switch string(in["isAuthorized"]) {
		case "true":
			v.allowed = true
		case "false":
		default:
			return nil, errors.New("isAuthorized is not a boolean")
		}
		return v, nil
	}
	if json.Unmarshal(in["principalId"], &v.principal) != nil || v.principal == "" {
		return nil, errors.New("principalId is not a string, or empty")
	}
	var err error
	if v.policy, err = parsePolicy(in["policyDocument"]); err != nil {
		return nil, err
	}
	v.context, err = a.Kind.handOn(v.principal, v.context)
	return v, err
}

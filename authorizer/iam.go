package authorizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

// Limits of an authorizer's answer. API Gateway answers 500 to what exceeds them.
const (
	maxAnswer   = 8 << 10
	maxResource = 512
)

// iamAnswer is an answer that holds an IAM policy.
type iamAnswer struct {
	PrincipalID    string          `json:"principalId"`
	PolicyDocument document        `json:"policyDocument"`
	Context        json.RawMessage `json:"context,omitempty"`
}

type document struct {
	Version   string // of IAM's policy language
	Statement []statement
}

type statement struct {
	Action   string
	Effect   string
	Resource []string
}

// nobody stands for the caller of a refused request: the principal must not be
// empty.
var nobody = &verified{who: identity.Identity{Subject: "nobody"}}

// stageARN is an execute-api ARN up to the slash behind the stage:
// "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/".
type stageARN string

var errARN = errors.New("the event's ARN is not one of execute-api with an API and a stage")

// parseARN splits the ARN of an event into its stage and what is behind it: a
// method and a path that the client chose, or $connect. The stage part says in
// which partition, region, account and API the policy holds; it never holds a
// wildcard.
func parseARN(arn string) (stage stageARN, request string, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "execute-api" {
		return "", "", errARN
	}
	path := strings.SplitN(parts[5], "/", 3)
	if len(path) != 3 {
		return "", "", errARN
	}
	base := strings.Join(parts[:5], ":") + ":" + path[0] + "/" + path[1] + "/"
	for _, part := range []string{parts[1], parts[3], parts[4], path[0], path[1]} {
		if part == "" || strings.ContainsAny(part, "*?") {
			return "", "", errARN
		}
	}
	return stageARN(base), path[2], nil
}

// answer is the answer for a caller who may call what the patterns say. Without
// any, it refuses the whole API: a policy must have a statement.
func (s stageARN) answer(caller *verified, p policy.Patterns) iamAnswer {
	answer := iamAnswer{PrincipalID: caller.who.Subject, Context: caller.context}
	answer.PolicyDocument.Version = "2012-10-17"
	if len(p.Allow) == 0 {
		p = policy.Patterns{Deny: []string{"*"}}
	}
	for _, part := range []struct {
		effect   string
		patterns []string
	}{{"Allow", p.Allow}, {"Deny", p.Deny}} {
		if len(part.patterns) > 0 {
			answer.PolicyDocument.Statement = append(answer.PolicyDocument.Statement,
				statement{"execute-api:Invoke", part.effect, s.resources(part.patterns)})
		}
	}
	return answer
}

func (s stageARN) resources(patterns []string) []string {
	resources := make([]string, len(patterns))
	for i, pattern := range patterns {
		resources[i] = string(s) + pattern
	}
	return resources
}

// write returns the answer in JSON, or an error if the gateway would not take it.
func (a iamAnswer) write() ([]byte, error) {
	for _, s := range a.PolicyDocument.Statement {
		for _, resource := range s.Resource {
			if len(resource) > maxResource {
				return nil, fmt.Errorf("a route makes an IAM resource of %d characters, of at most %d", len(resource), maxResource)
			}
		}
	}
	out, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("writing answer: %w", err)
	}
	if len(out) > maxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes, of at most %d: too many rules for an IAM policy", len(out), maxAnswer)
	}
	return out, nil
}

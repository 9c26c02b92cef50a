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

// stageARN is an execute-api ARN up to the slash behind the stage:
// "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/".
type stageARN string

var errARN = errors.New("the event's ARN is not one of execute-api with an API and a stage")

// parseARN splits the ARN of an event into its stage and what is behind it: a
// method and a path that the client chose, or $connect. The stage part says in
// which partition, region, account and API the policy holds; it holds no wildcard
// and nothing that would need escaping.
func parseARN(arn string) (stage stageARN, request string, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "execute-api" {
		return "", "", errARN
	}
	path := strings.SplitN(parts[5], "/", 3)
	if len(path) != 3 {
		return "", "", errARN
	}
	for _, part := range []string{parts[1], parts[3], parts[4], path[0], path[1]} {
		if part == "" || strings.ContainsFunc(part, notARNRune) {
			return "", "", errARN
		}
	}
	request = path[2]
	return stageARN(arn[:len(arn)-len(request)]), request, nil
}

func notARNRune(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.$", r))
}

// nobody stands for the caller of a refused request: the principal must not be
// empty.
var nobody = &verified{who: identity.Identity{Subject: "nobody"}}

// answer is the answer for a caller who may call what the patterns say. Without
// any, it refuses the whole API: a policy must have a statement. An answer that
// the gateway would not take is an error.
func (s stageARN) answer(caller *verified, p policy.Patterns) ([]byte, error) {
	principal, err := json.Marshal(caller.who.Subject)
	if err != nil {
		return nil, fmt.Errorf("writing answer: %w", err)
	}
	if len(p.Allow) == 0 {
		p = policy.Patterns{Deny: []string{"*"}}
	}
	out := make([]byte, 0, 1<<10)
	out = append(out, `{"principalId":`...)
	out = append(out, principal...)
	out = append(out, `,"policyDocument":{"Version":"2012-10-17","Statement":[`...)
	if len(p.Allow) > 0 {
		out = s.statement(out, "Allow", p.Allow)
	}
	if len(p.Allow) > 0 && len(p.Deny) > 0 {
		out = append(out, ',')
	}
	if len(p.Deny) > 0 {
		out = s.statement(out, "Deny", p.Deny)
	}
	out = append(out, `]}`...)
	if caller.context != nil {
		out = append(out, `,"context":`...)
		out = append(out, caller.context...)
	}
	out = append(out, '}')

	longest := 0
	for _, pattern := range append(p.Allow, p.Deny...) {
		longest = max(longest, len(s)+len(pattern))
	}
	switch {
	case longest > maxResource:
		return nil, fmt.Errorf("a route makes an IAM resource of %d characters, of at most %d", longest, maxResource)
	case len(out) > maxAnswer:
		return nil, fmt.Errorf("an answer of %d bytes, of at most %d: too many rules for an IAM policy", len(out), maxAnswer)
	}
	return out, nil
}

// statement adds a statement about the patterns. Neither they nor the ARN need
// escaping: see [policy.Compile] and [parseARN].
func (s stageARN) statement(out []byte, effect string, patterns []string) []byte {
	out = append(out, `{"Action":["execute-api:Invoke"],"Effect":"`...)
	out = append(out, effect...)
	out = append(out, `","Resource":[`...)
	for i, pattern := range patterns {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, s...)
		out = append(out, pattern...)
		out = append(out, '"')
	}
	return append(out, `]}`...)
}

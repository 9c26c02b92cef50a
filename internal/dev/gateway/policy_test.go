package gateway_test

import (
	"fmt"
	"strings"
	"testing"
)

const arnPrefix = "arn:aws:execute-api:local-1:000000000000:local/$default/"

func policy(statements string) string {
	return `{"principalId":"u_1","policyDocument":{"Version":"2012-10-17","Statement":` + statements + `}}`
}

func rule(effect, action string, resources ...string) string {
	return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":["%s"]}`, effect, action, strings.Join(resources, `","`))
}

func allow(resources ...string) string {
	return policy("[" + rule("Allow", "execute-api:Invoke", resources...) + "]")
}

func TestPolicy(t *testing.T) {
	for _, tc := range []struct {
		name, answer string
		status       int // of GET /iam/a/b
	}{
		{"allow everything", allow("*"), 200},
		{"allow the request", allow(arnPrefix + "GET/iam/a/b"), 200},
		{"allow one of two", allow(arnPrefix+"GET/x", arnPrefix+"*/iam/*"), 200},
		{"? is one character", allow(arnPrefix + "GET/iam/?/b"), 200},
		{"? is not none", allow(arnPrefix + "GET/iam/a/b?"), 403},
		{"* in the middle goes back", allow(arnPrefix + "GET/*a*/b"), 200},
		{"* may be nothing", allow(arnPrefix + "GET/iam/a/b*"), 200},
		{"a prefix is no match", allow(arnPrefix + "GET/iam/a"), 403},
		{"another method", allow(arnPrefix + "POST/iam/a/b"), 403},
		{"another stage", allow(strings.Replace(arnPrefix, "$default", "prod", 1) + "*"), 403},
		{"another partition", allow(strings.Replace(arnPrefix, ":aws:", ":aws-cn:", 1) + "*"), 403},
		{"deny wins", policy("[" + rule("Allow", "execute-api:Invoke", "*") + "," + rule("Deny", "*", arnPrefix+"*/iam/*") + "]"), 403},
		{"deny of another request does not", policy("[" + rule("Allow", "execute-api:*", "*") + "," + rule("Deny", "*", arnPrefix+"*/admin") + "]"), 200},
		{"another action", policy("[" + rule("Allow", "execute-api:ManageConnections", "*") + "]"), 403},
		{"an action in another case", policy("[" + rule("Allow", "execute-api:invoke", "*") + "]"), 200},
		{"strings in place of lists", policy(`[{"Sid":"1","Effect":"Allow","Action":["execute-api:Invoke"],"Resource":"*"}]`), 200},
		{"no statement", policy("[]"), 500},
		{"S119 no resource", policy(`[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":[]}]`), 500},
		{"S119 a resource over 512 characters", allow("*" + strings.Repeat("x", 512)), 500},
		{"S119 no version", `{"principalId":"u","policyDocument":{"Statement":[]}}`, 500},
		{"S119 an empty principal", strings.Replace(allow("*"), "u_1", "", 1), 500},
		{"S119 no principal", strings.Replace(allow("*"), "principalId", "principal", 1), 500},
		{"I32 a null condition", policy(`[{"Effect":"Allow","Action":"*","Resource":"*","Condition":null}]`), 500},
		{"NotResource", policy(`[{"Effect":"Allow","Action":"*","NotResource":"x"}]`), 500},
		{"another effect", policy("[" + rule("allow", "*", "*") + "]"), 500},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, "")
			s.authorizer = tc.answer
			if resp, _ := s.do("GET", "/iam/a/b", "", token); resp.StatusCode != tc.status {
				t.Errorf("got %d, want %d: %v", resp.StatusCode, tc.status, s.seen[0])
			}
		})
	}
}

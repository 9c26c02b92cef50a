// Package guard reads the settings of the authorizer from an environment, for
// the Lambda function and for `gatehouse dev`.
package guard

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/internal/env"
)

// Settings reads what there is to say about an authorizer:
//
//	GATEHOUSE_ISSUER      the issuer; its keys are at /.well-known/jwks.json, and
//	                      its revocations at /revocations
//	GATEHOUSE_AUDIENCE    the API that is guarded
//	GATEHOUSE_ANSWER      "simple" (also if not set) or "iam", for HTTP APIs
//	GATEHOUSE_REVOCATIONS "on" (also if not set): ask the issuer at /revocations
//	                      which tokens are dead; "off": a token lives until it
//	                      expires, and only routes marked fresh ask the issuer
//	GATEHOUSE_REFUSAL     "forbidden" (also if not set) or "unauthorized": what a
//	                      bad token ends in on HTTP APIs; the latter is not
//	                      documented by AWS
//	GATEHOUSE_COOKIE      a cookie that may hold the token; not set: none
//	GATEHOUSE_ORIGINS     whose pages may use that cookie for requests that change
//	                      something, separated by spaces
//
// Keys, policy and revocations are left to the caller. With "off", a policy that
// marks no route fresh needs no revocations. The error tells every mistake.
func Settings(getenv func(string) string) (c authorizer.Config, err error) {
	e := env.Reader{Get: getenv}
	var mistakes []error
	isSecond := func(name, first, second string) bool {
		value := e.Optional(name, first)
		if value != first && value != second {
			mistakes = append(mistakes, fmt.Errorf("%s: want %s or %s, not %q", name, first, second, value))
		}
		return value == second
	}
	c = authorizer.Config{
		Issuer: e.URL("GATEHOUSE_ISSUER"), Audience: e.String("GATEHOUSE_AUDIENCE"),
		IAM:               isSecond("GATEHOUSE_ANSWER", "simple", "iam"),
		UnauthorizedError: isSecond("GATEHOUSE_REFUSAL", "forbidden", "unauthorized"),
		Cookie:            getenv("GATEHOUSE_COOKIE"),
		Origins:           strings.Fields(getenv("GATEHOUSE_ORIGINS")),
	}
	c.FreshOnly = isSecond("GATEHOUSE_REVOCATIONS", "on", "off")
	return c, errors.Join(append(mistakes, e.Err())...)
}

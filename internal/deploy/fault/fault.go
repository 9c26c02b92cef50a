// Package fault names what `gatehouse doctor` finds. Each finding has a code that
// stays the same when its text changes: gatehouse.yml waives findings by it.
package fault

import (
	"fmt"
	"maps"
	"slices"
)

// Fault is an error with a code.
type Fault struct {
	Code string
	Text string // what is wrong, and the fix
}

// New returns a [Fault] as an error.
func New(code, format string, args ...any) error {
	return &Fault{Code: code, Text: fmt.Sprintf(format, args...)}
}

func (f *Fault) Error() string { return f.Text }

// Codes returns every code, in alphabetical order.
func Codes() []string { return slices.Sorted(maps.Keys(meanings)) }

// Meaning returns what a code stands for, and "" for a code that does not exist.
func Meaning(code string) string { return meanings[code] }

// Unwrapped returns the errors that were joined into err, however deep.
func Unwrapped(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		errs = append(errs, Unwrapped(err)...)
	}
	return errs
}

var meanings = map[string]string{
	"access-log":          "the access log is missing, holds private data, or has a variable that HTTP APIs do not document",
	"authorizer-fresh":    "a route whose rule says fresh has an authorizer whose answers are cached",
	"authorizer-identity": "cached answers of an authorizer can reach another caller or another route",
	"authorizer-kind":     "an authorizer of the login stack is not of type REQUEST with payload 2.0",
	"authorizer-ttl":      "answers of an authorizer are cached for longer than a minute",
	"certificate-region":  "the certificate is of another Region than the stack, or is no certificate of ACM",
	"client-exception":    "a client is allowed what others are not",
	"client-none":         "gatehouse.yml has no clients",
	"client-scope":        "a scope gives a client nothing without a grant",
	"config":              "gatehouse.yml has a mistake",
	"cors-login":          "a cors block drops the headers that the login service sets",
	"domain-issuer":       "a certificate is set, and the issuer cannot be reached at its domain",
	"domain-open":         "the address that AWS gives the API is open beside the domain",
	"dotenv":              "serverless.yml does not read .env",
	"file":                "a file cannot be read",
	"function-arch":       "a zip is built for another architecture than its function has",
	"function-log":        "a function of ours does not log as JSON",
	"function-memory":     "a function of ours can use up its memory",
	"function-role":       "a function shares a role with one of ours, or one of ours has no role of its own",
	"function-runtime":    "a function has a runtime that AWS has taken away, or that our zips are not built for",
	"function-secret":     "a secret is in the environment of a function",
	"function-timeout":    "a function of ours has a timeout of more than a minute",
	"function-trace":      "a function of ours is not traced",
	"ignore":              "gatehouse.yml waives a finding that does not exist",
	"integration-headers": "a client can send a header that tells a server who called",
	"integration-kind":    "an integration cannot call its function",
	"integration-payload": "a function of ours is sent payload 1.0",
	"issuer-path":         "the issuer has a path",
	"issuer-undecided":    "the issuer is an address that AWS gives the API",
	"issuer-url":          "the issuer is not an https address",
	"key-kind":            "the signing key is of another kind, or has no tag",
	"key-policy":          "the policy of the signing key lets everyone in, or locks the account out",
	"live-clock":          "the clocks of the service and of this machine differ",
	"live-dev":            "the running service is gatehouse dev",
	"live-discovery":      "the running service describes itself wrongly",
	"live-feed":           "the running service has no usable revocation feed",
	"live-keys":           "the running service publishes keys that verifiers cannot use",
	"live-open":           "a guarded route of the running service answers without a valid token",
	"live-page":           "a page of the running service is unsafe",
	"live-slow":           "a document of the running service takes too long",
	"live-token":          "the token endpoint of the running service is unsafe",
	"live-unreachable":    "the running service does not answer",
	"log-retention":       "logs are kept forever",
	"output-missing":      "the login stack has no output that others read",
	"package":             "the packaged template has a mistake without a code of its own",
	"package-missing":     "nothing is packaged",
	"package-stale":       "the packaged template is older than its source",
	"partition":           "an ARN names one partition or Region of AWS",
	"permission-missing":  "API Gateway is not permitted to call a function",
	"preflight":           "a route with an authorizer takes the preflights of browsers",
	"provider-email":      "a provider's addresses join accounts",
	"provider-none":       "gatehouse.yml has no providers",
	"provider-twice":      "two providers are one",
	"redirect-localhost":  "a client has a redirect URI on the user's own machine",
	"refresh-grace":       "refresh tokens can be repeated for more than a fifth of the life of an access token",
	"region-missing":      "no Region is set",
	"resource-missing":    "the login stack lacks a resource",
	"resource-retained":   "the table or the signing key would be deleted with the stack",
	"role-action":         "a role of ours allows an action too many or too few, or one that does not exist",
	"role-foreign":        "a function that is not ours can sign tokens or reach the table",
	"role-keys":           "a role of ours can use keys of other stacks",
	"role-managed":        "a role of ours has a managed policy",
	"role-missing":        "a role of ours is missing",
	"role-never":          "no user can get a role that a route asks for",
	"role-resource":       "a role of ours reaches every resource",
	"role-rows":           "a role of ours can write rows that are not its own, or not all that are",
	"role-shared":         "one of our functions has the role that all functions share",
	"role-trust":          "a role of ours can be taken by others than Lambda",
	"rotator-schedule":    "nothing runs the rotator each hour",
	"route-open":          "a route has no authorizer",
	"rule-iam":            "an IAM policy cannot say a rule, or a route has none",
	"rule-public":         "a rule says public, and its route has an authorizer",
	"rule-own":            "a rule is for a route of Gatehouse's own, which has one that is built in",
	"rule-unused":         "a rule matches no route",
	"secret-weak":         "the secret of a client is too short",
	"setting-differs":     "functions of one stack have different settings",
	"setting-missing":     "a function of ours lacks a setting",
	"source":              "serverless.yml has a mistake without a code of its own",
	"stage-order":         "the stage does not wait for a route that it has settings for",
	"table-keys":          "the table has other keys or indexes",
	"table-settings":      "the table lacks recovery, protection, expiry or payment by request",
	"throttle":            "a throttle is missing",
	"vpc-actions":         "a function in a VPC cannot make network interfaces",
	"vpc-issuer":          "a function of ours in a VPC has no visible way out",
	"zip-missing":         "a zip of ours is missing",
	"zip-program":         "a zip holds no program",
	"zip-rules":           "the authorizer's zip has other rules than gatehouse.yml",
}

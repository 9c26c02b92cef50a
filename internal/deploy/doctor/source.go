package doctor

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// source is serverless.yml.
type source struct {
	*gateway.Template
	builtIn   bool
	elsewhere []string // routes of other stacks that ask this authorizer
}

// login tells whether serverless.yml deploys the login service.
func (s *source) login() bool {
	return slices.ContainsFunc(s.Routes, func(r gateway.Route) bool { return r.Function == "loginsvc" })
}

// source reads serverless.yml. It returns nil if the file cannot be used.
func (r *Report) source(in Inputs, text []byte, builtIn bool) *source {
	name := in.Template
	t, err := gateway.ParseTemplate(text)
	if err != nil {
		r.joined("source", name, err)
		return nil
	}
	var file struct {
		UseDotenv bool `yaml:"useDotenv"`
		Custom    struct {
			Elsewhere []string `yaml:"elsewhere"`
		} `yaml:"custom"`
		Provider struct {
			LogRetention int `yaml:"logRetentionInDays"`
		} `yaml:"provider"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		r.wrong("file", name, "%v", err)
		return nil
	}
	s := &source{Template: t, builtIn: builtIn, elsewhere: file.Custom.Elsewhere}
	tell := r.remark // of a team's own stack
	if s.login() {
		tell = r.wrong
	}
	if !file.UseDotenv {
		tell("dotenv", name, "useDotenv is off: .env would not be read, and the stack gets another issuer than you wrote there: say useDotenv: true")
	}
	if file.Provider.LogRetention == 0 {
		tell("log-retention", name, "provider.logRetentionInDays is not set: logs are kept, and paid for, for ever")
	}
	r.preflights(name, t)
	r.loginStack(name, t)
	r.kept(name, t)
	r.written(name, text)
	return s
}

// preflights looks for routes that swallow the OPTIONS requests of browsers.
func (r *Report) preflights(name string, t *gateway.Template) {
	for _, route := range t.Routes {
		method, path, _ := strings.Cut(route.Key, " ")
		if route.Authorizer == "" || method != "ANY" && route.Key != "$default" {
			continue
		}
		if !slices.Contains(t.Public(), "OPTIONS "+path) {
			tell := r.remark // no browser may call it
			if t.CORS != nil {
				tell = r.wrong
			}
			tell("preflight", name, "%s has an authorizer and takes OPTIONS too: a browser's preflight carries no token and is answered 401: name the methods, or add a public OPTIONS %s", route.Key, path)
		}
	}
}

// kept looks at answers that the gateway keeps.
func (r *Report) kept(name string, t *gateway.Template) {
	for _, a := range t.Authorizers {
		switch {
		case a.Native(): // the team's, and API Gateway's work
		case a.TTL > 0 && a.Simple && !slices.Contains(a.IdentitySources, "$context.routeKey"):
			r.wrong("authorizer-identity", name, "authorizer %s: simple answers are kept, and one route's answer opens all: add $context.routeKey to identitySource, or set resultTtlInSeconds: 0", a.Name)
		case a.TTL > time.Minute:
			r.wrong("authorizer-ttl", name, "authorizer %s: answers are kept for %v: a token would be good for that long after its end: set resultTtlInSeconds to 60 or less", a.Name, a.TTL)
		case a.TTL > 0 && !slices.ContainsFunc(a.IdentitySources, func(s string) bool { return strings.EqualFold(s, "$request.header.Authorization") }):
			r.wrong("authorizer-identity", name, "authorizer %s: answers are kept, and the token does not tell callers apart: add $request.header.Authorization to identitySource", a.Name)
		case slices.ContainsFunc(a.IdentitySources, func(s string) bool { return strings.HasPrefix(s, "$request.querystring.") }):
			r.wrong("authorizer-identity", name, "authorizer %s: a token in a query string ends in logs and histories: take it from the header", a.Name)
		}
	}
}

var secretValue = regexp.MustCompile(`(?m)^\s+([A-Z0-9_]*(?:SECRET|PASSWORD|PRIVATE_KEY)[A-Z0-9_]*):\s*\S`)

// written looks at the text itself.
func (r *Report) written(name string, text []byte) {
	for _, found := range secretValue.FindAllSubmatch(text, -1) {
		r.remark("function-secret", name, "%s stands in the environment: everyone who may see the function reads it: put it into SSM, under /SERVICE/STAGE/%s", found[1], found[1])
	}
	for i, line := range strings.Split(string(text), "\n") {
		code, _, _ := strings.Cut(line, " #")
		if strings.Contains(code, "arn:aws:") || strings.Contains(code, "arn:aws-") {
			r.remark("partition", name, "line %d: an ARN with its partition: the stack works in that part of AWS alone: take AWS::Partition", i+1)
		}
		if strings.Contains(code, "Transact") && strings.Contains(code, "dynamodb:") {
			r.wrong("role-action", name, "line %d: dynamodb:TransactWriteItems and its like are no IAM actions: allow the actions that the transaction is made of", i+1)
		}
	}
}

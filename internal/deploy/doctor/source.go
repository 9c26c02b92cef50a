package doctor

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// source reads serverless.yml. c may be nil.
func (r *Report) source(name string, text []byte, c *config.Config) {
	t, err := gateway.ParseTemplate(text)
	if err != nil {
		r.joined(name, err)
		return
	}
	var in struct {
		UseDotenv bool `yaml:"useDotenv"`
		Custom    struct {
			Elsewhere []string `yaml:"elsewhere"`
		} `yaml:"custom"`
		Provider struct {
			LogRetention int `yaml:"logRetentionInDays"`
		} `yaml:"provider"`
	}
	if err := yaml.Unmarshal(text, &in); err != nil {
		r.wrong(name, "%v", err)
		return
	}
	if !in.UseDotenv {
		r.wrong(name, "useDotenv is off: .env would not be read, and the stack gets another issuer than you wrote there: say useDotenv: true")
	}
	if in.Provider.LogRetention == 0 {
		r.wrong(name, "provider.logRetentionInDays is not set: logs are kept, and paid for, for ever")
	}
	r.openRoutes(name, t)
	r.preflights(name, t)
	r.loginStack(name, t)
	r.kept(name, t)
	r.written(name, text)
	if c != nil {
		r.rules(name, t, c.Rules(), in.Custom.Elsewhere)
		r.timeToDeny(t, c)
	}
}

func (r *Report) openRoutes(name string, t *gateway.Template) {
	for _, route := range t.Routes {
		if route.Authorizer == "" {
			r.joined(name, template.CheckOpen(route.Function, route.Key))
		}
	}
}

// preflights looks for routes that swallow the OPTIONS requests of browsers.
func (r *Report) preflights(name string, t *gateway.Template) {
	for _, route := range t.Routes {
		method, path, _ := strings.Cut(route.Key, " ")
		if route.Authorizer == "" || method != "ANY" && route.Key != "$default" {
			continue
		}
		if !slices.Contains(t.Public(), "OPTIONS "+path) {
			r.wrong(name, "%s has an authorizer and takes OPTIONS too: a browser's preflight carries no token and is answered 401: name the methods, or add a public OPTIONS %s", route.Key, path)
		}
	}
}

// kept looks at answers that the gateway keeps.
func (r *Report) kept(name string, t *gateway.Template) {
	for _, a := range t.Authorizers {
		switch {
		case a.TTL > 0 && a.Simple && !slices.Contains(a.IdentitySources, "$context.routeKey"):
			r.wrong(name, "authorizer %s: simple answers are kept, and one route's answer opens all: add $context.routeKey to identitySource, or set resultTtlInSeconds: 0", a.Name)
		case a.TTL > time.Minute:
			r.wrong(name, "authorizer %s: answers are kept for %v: a token would be good for that long after its end: set resultTtlInSeconds to 60 or less", a.Name, a.TTL)
		case a.TTL > 0 && !slices.ContainsFunc(a.IdentitySources, func(s string) bool { return strings.EqualFold(s, "$request.header.Authorization") }):
			r.wrong(name, "authorizer %s: answers are kept, and the token does not tell callers apart: add $request.header.Authorization to identitySource", a.Name)
		case slices.ContainsFunc(a.IdentitySources, func(s string) bool { return strings.HasPrefix(s, "$request.querystring.") }):
			r.wrong(name, "authorizer %s: a token in a query string ends in logs and histories: take it from the header", a.Name)
		}
	}
}

var secretValue = regexp.MustCompile(`(?m)^\s+([A-Z0-9_]*(?:SECRET|PASSWORD|PRIVATE_KEY)[A-Z0-9_]*):\s*\S`)

// written looks at the text itself.
func (r *Report) written(name string, text []byte) {
	for _, found := range secretValue.FindAllSubmatch(text, -1) {
		r.wrong(name, "%s stands in the environment: whoever may see the function reads it: put it into SSM, under /SERVICE/STAGE/%s", found[1], found[1])
	}
	for i, line := range strings.Split(string(text), "\n") {
		code, _, _ := strings.Cut(line, " #")
		if strings.Contains(code, "arn:aws:") || strings.Contains(code, "arn:aws-") {
			r.wrong(name, "line %d: an ARN with its partition: the stack works in that part of AWS alone: take AWS::Partition", i+1)
		}
		if strings.Contains(code, "Transact") && strings.Contains(code, "dynamodb:") {
			r.wrong(name, "line %d: dynamodb:TransactWriteItems and its like are no IAM actions: allow the actions that the transaction is made of", i+1)
		}
	}
}

// rules holds the rules of gatehouse.yml against the routes, of this API and of
// those elsewhere that ask its authorizer.
func (r *Report) rules(name string, t *gateway.Template, rules []policy.Rule, elsewhere []string) {
	compiled, err := policy.Compile(rules)
	if err != nil {
		return // told already, with its line
	}
	guarded := slices.Clone(elsewhere)
	for _, route := range t.Routes {
		if route.Authorizer != "" {
			guarded = append(guarded, route.Key)
		}
	}
	r.joined("gatehouse.yml", compiled.CheckRoutes(guarded))
	for _, route := range t.Routes {
		for _, a := range t.Authorizers {
			if a.Name == route.Authorizer && a.TTL > 0 && compiled.Fresh(route.Key) {
				r.wrong(name, "%s: its rule says fresh, and answers of its authorizer %s are kept for %v: give it authorizer: {name: fresh}", route.Key, a.Name, a.TTL)
			}
		}
	}
}

// timeToDeny says how long somebody who may no more still can.
func (r *Report) timeToDeny(t *gateway.Template, c *config.Config) {
	var longest time.Duration
	for _, a := range t.Authorizers {
		longest = max(longest, a.TTL)
	}
	r.fact("time to deny: who is suspended, demoted or signed out is refused after at most %v (feed %v + answers kept %v); on fresh routes at the next request",
		feedInterval+longest, feedInterval, longest)
	r.fact("a token ends %v after it was issued, and is accepted at most %v longer (clocks %v + answers kept %v)",
		c.Lifetimes.AccessToken, leeway+longest, leeway, longest)
	r.fact("if the revocation feed cannot be had: fresh routes fail at once, others after %v", feedStale+longest)
}

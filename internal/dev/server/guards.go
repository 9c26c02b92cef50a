package server

import (
	"cmp"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
	"github.com/gatehouse-auth/gatehouse/internal/setup/guard"
)

// fetchTimeout is longer than in AWS: a laptop that compiles is slow.
const fetchTimeout = 5 * time.Second

// guards makes Gatehouse's authorizer for each function of p that is one, with
// that function's settings, and for authorizers of other stacks, which answer as
// t wants it. The authorizers of t name the functions that are then in out.
func (a *assembly) guards(p *project.Project, t *gateway.Template, out map[string]gateway.Function) error {
	for i := range t.Authorizers {
		declared := &t.Authorizers[i]
		name, settings := declared.Function, map[string]string{}
		switch f := p.Function(declared.Function); {
		case declared.JWT != nil:
			a.native(declared)
			continue
		case declared.Unverified != "":
			continue
		case declared.External:
			settings["GATEHOUSE_ANSWER"] = map[bool]string{true: "simple", false: "iam"}[declared.Simple]
			name = "authorizer of another stack, " + settings["GATEHOUSE_ANSWER"]
		case f == nil:
			return fmt.Errorf("%s: authorizer %s: no function is called %q", p.Path, declared.Name, declared.Function)
		case f.Ours() == "authorizer":
			settings = f.Env
		default:
			continue // a function of the team
		}
		if declared.Function = name; declared.External || out[name] == nil || p.Function(name) != nil {
			decide, err := a.authorizer(settings, p == a.login)
			if err != nil {
				return fmt.Errorf("%s: authorizer %s: %w", p.Path, cmp.Or(declared.Name, name), err)
			}
			out[name] = decide.Handle
		}
	}
	return nil
}

// authorizer decides as it does in AWS with these settings, with the keys that
// our own JWK Set publishes.
// With tour it also knows the rules of the tour's routes.
func (a *assembly) authorizer(settings map[string]string, tour bool) (*authorizer.Authorizer, error) {
	c, err := guard.Settings(func(name string) string {
		switch name {
		case "GATEHOUSE_ISSUER":
			return a.config.Issuer
		case "GATEHOUSE_AUDIENCE":
			return a.config.Audience
		}
		return settings[name]
	})
	if err != nil {
		return nil, err
	}
	rules := a.config.Routes
	if tour {
		rules = Rules(a.config)
	}
	if c.Policy, err = policy.Compile(rules); err != nil {
		return nil, err
	}
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: a.config.Issuer + "/.well-known/jwks.json", Timeout: fetchTimeout, Now: a.Now, Log: a.log})
	if err != nil {
		return nil, err
	}
	if takes(a.login.HTTP, "GET /revocations") {
		c.Revocations, err = authorizer.NewFeed(authorizer.FeedConfig{URL: a.config.Issuer + "/revocations", Timeout: fetchTimeout, Now: a.Now, Log: a.log})
		if err != nil {
			return nil, err
		}
	}
	if c.Issuers, err = guard.Issuers(c.Issuer, a.config.Issuers, a.Now, a.log); err != nil {
		return nil, err
	}
	c.Keys, c.Now, c.Log = keys.Key, a.Now, a.log
	return authorizer.New(c)
}

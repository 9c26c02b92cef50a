package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
)

// templates are the APIs that dev serves: the login service's, and the team's.
type templates struct {
	login   *project.Project
	team    *project.Project // login itself where one template declares both
	builtIn bool             // team is the template that is built in
	toRun   []project.Function
}

// readTemplates reads the team's template. One without the login service has that
// of the built-in template beside it, as a stack of its own.
func (b *builder) readTemplates(c *config.Config) (*templates, error) {
	name, text, err := readOr(b.Template, "serverless.yml", "--template")
	if err != nil {
		return nil, err
	}
	read := func(name string, text []byte) (*project.Project, error) {
		return project.Parse(name, text, project.Options{Getenv: b.templateEnv(c), Stage: b.Stage, Origin: c.Issuer})
	}
	t := &templates{builtIn: isBuiltIn(name)}
	if t.team, err = read(name, text); err != nil {
		return nil, err
	}
	t.login = t.team
	if !slices.ContainsFunc(t.team.Functions, func(f project.Function) bool { return f.Ours() == "loginsvc" }) {
		text, err := gatehouse.Files.ReadFile("serverless.yml")
		if err == nil {
			t.login, err = read("serverless.yml"+builtIn, text)
		}
		if err != nil {
			return nil, err
		}
	}
	if guardOf(t.login.HTTP) == "" {
		return nil, fmt.Errorf("%s: no route has an authorizer", name)
	}
	for _, f := range t.team.Functions {
		if f.Ours() == "" && !t.builtIn && !f.Elsewhere {
			t.toRun = append(t.toRun, f)
		}
	}
	return t, nil
}

// templateEnv is what ${env:NAME} finds. Issuer and audience are those of this
// run.
func (b *builder) templateEnv(c *config.Config) func(string) string {
	return func(name string) string {
		switch name {
		case "GATEHOUSE_ISSUER":
			return c.Issuer
		case "GATEHOUSE_AUDIENCE":
			return c.Audience
		case "AWS_REGION", "AWS_DEFAULT_REGION":
			return cmp.Or(b.Getenv(name), "local-1")
		}
		return b.Getenv(name)
	}
}

// separate tells whether the team's API is another one than the login service's.
func (t *templates) separate() bool { return t.team != t.login }

// guardOf returns the authorizer of a guarded route: GET /me has it.
func guardOf(t *gateway.Template) string {
	guard := ""
	for _, r := range t.Routes {
		if r.Key == "GET /me" || guard == "" {
			guard = r.Authorizer
		}
	}
	return guard
}

// freshGuardOf returns the authorizer whose answers are not kept, or guard if
// there is none.
func freshGuardOf(t *gateway.Template, guard string) string {
	for _, a := range t.Authorizers {
		if a.TTL == 0 && !a.Native() {
			return a.Name
		}
	}
	return guard
}

// takes tells whether t has a route for the method and path of key: its own, or one
// for every method.
func takes(t *gateway.Template, key string) bool {
	_, path, _ := strings.Cut(key, " ")
	return hasRoute(t, key) || hasRoute(t, "ANY "+path)
}

func hasRoute(t *gateway.Template, key string) bool {
	return t != nil && slices.ContainsFunc(t.Routes, func(r gateway.Route) bool { return r.Key == key })
}

package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatehouse-auth/gatehouse/examples/notes/notebook"
	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/functions"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
	"github.com/gatehouse-auth/gatehouse/internal/dev/websocket"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
	"github.com/gatehouse-auth/gatehouse/internal/setup/login"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
)

// assembly is Gatehouse and the team's API as one reading of gatehouse.yml and of
// the template says.
type assembly struct {
	*builder
	*templates
	config *config.Config
	own    []config.Provider // the team's providers that can be used
	users  *usersvc.Users

	running    *functions.Set // the team's functions; nil: there are none to run
	runningOf  functions.Config
	runningNot []string       // functions that cannot be run, for people
	sockets    *websocket.API // nil: there is no WebSocket API
}

// assemble reads both files and puts the parts together. last is what was right
// before, or nil; it goes on until the caller ends it.
func (b *builder) assemble(ctx context.Context, last *assembly) (_ *assembly, _ http.Handler, err error) {
	a := &assembly{builder: b}
	defer func() {
		if err != nil {
			a.end(last)
		}
	}()
	if a.config, err = b.Options.config(b.issuer); err != nil {
		return nil, nil, err
	}
	if a.templates, err = b.readTemplates(a.config); err != nil {
		return nil, nil, err
	}
	if err = a.checkOwn(); err != nil {
		return nil, nil, err
	}
	if err = a.checkPublic(); err != nil {
		return nil, nil, err
	}
	if a.own, err = a.usable(); err != nil {
		return nil, nil, err
	}
	a.users = a.newUsers()
	if err := a.seed(ctx); err != nil {
		return nil, nil, err
	}
	if err := a.run(last); err != nil {
		return nil, nil, err
	}
	handler, err := a.handler(ctx)
	return a, handler, err
}

// usable returns the team's providers whose variables are set.
func (a *assembly) usable() ([]config.Provider, error) {
	var usable []config.Provider
	var errs []error
	for _, p := range a.config.Providers {
		missing := p.Missing()
		switch {
		case p.ID == demoProviderID:
			errs = append(errs, fmt.Errorf("provider %q: gatehouse dev has one of that id: choose another", p.ID))
		case len(missing) == 0:
			usable = append(usable, p)
		case a.EnvFile != "":
			errs = append(errs, fmt.Errorf("%s: %s is not set, and %s needs it to sign people in", a.EnvFile, strings.Join(missing, ", "), p.Name))
		}
	}
	return usable, errors.Join(errs...)
}

func (a *assembly) newUsers() *usersvc.Users {
	u := setup.Users(a.config, a.store.table)
	u.Now = a.Now
	u.Admins = append([]string{"ada@example.com"}, u.Admins...)
	if len(u.TrustedProviders) > 0 { // else Ada's word would count for nothing
		u.TrustedProviders = append(u.TrustedProviders, demoProviderID)
	}
	return u
}

// seed makes sure that Sam is there, and suspended. Ada and Lin come to be when
// they first sign in, as people do.
func (a *assembly) seed(ctx context.Context) error {
	for _, p := range demoidp.People() {
		if p.ID != "sam" {
			continue
		}
		profile := usersvc.Profile{
			Issuer: a.demoURL, Subject: p.Subject, Provider: demoProviderID, Email: p.Email, EmailVerified: p.EmailVerified, Name: p.Name,
		}
		if _, err := a.users.EnsureUser(ctx, profile, usersvc.Suspended); err != nil {
			return fmt.Errorf("adding %s: %w", p.Name, err)
		}
	}
	return nil
}

// ours are the parts of Gatehouse as functions, by what project calls them.
func (a *assembly) ours(ctx context.Context) (map[string]gateway.Function, error) {
	service, err := a.loginsvc(ctx)
	if err != nil {
		return nil, err
	}
	clients, err := withDemoClients(a.config)
	if err != nil {
		return nil, err
	}
	d := &demo{
		issuer: a.config.Issuer, audience: a.config.Audience, ring: a.ring, past: a.past, users: a.users, now: a.Now,
		registrar: registrar{&registry.Clients{Table: a.store.table, Limits: a.config.Limits(), Now: a.Now}, clients},
	}
	return map[string]gateway.Function{
		"loginsvc":   lambdahttp.Handler(service),
		"usersvc":    lambdahttp.Strict(api.NewHandler(a.users, httpx.CORS{Allowed: clients.AllowsOrigin}, a.log)),
		demoFunction: lambdahttp.Handler(d.handler()),
	}, nil
}

// functions returns every function that the routes and authorizers of p can name.
// Authorizers of t that are Gatehouse's are made to name one that is there.
func (a *assembly) functions(p *project.Project, t *gateway.Template, ours map[string]gateway.Function) (map[string]gateway.Function, error) {
	out := map[string]gateway.Function{demoFunction: ours[demoFunction]}
	if a.Upstream != "" {
		clients, err := withDemoClients(a.config)
		if err != nil {
			return nil, err
		}
		proxy, err := upstreamAPI(a.Upstream, a.Getenv("GATEHOUSE_UPSTREAM_SECRET"), httpx.CORS{Allowed: clients.AllowsOrigin})
		if err != nil {
			return nil, err
		}
		out[upstreamFunction] = lambdahttp.Handler(proxy)
	}
	for _, f := range p.Functions {
		switch own := ours[f.Ours()]; {
		case own != nil:
			out[f.Name] = own
		case a.running != nil && a.running.Has(f.Name):
			out[f.Name] = a.running.Invoke(f.Name)
		case a.builtIn && f.Name == "notes":
			out[f.Name] = lambda.NewHandler((&notebook.Notebook{}).Handle).Invoke
		case a.Upstream != "":
			out[f.Name] = out[upstreamFunction]
		default:
			out[f.Name] = lambdahttp.Handler(missing(f.Name))
		}
	}
	return out, a.guards(p, t, out)
}

// loginsvc is the team's login service with the demo provider and the demo
// clients beside its own.
func (a *assembly) loginsvc(ctx context.Context) (http.Handler, error) {
	c := *a.config
	demo := config.Provider{ID: demoProviderID, Name: "Demo", Issuer: a.demoURL, ClientID: "gatehouse", ClientSecret: a.secret}
	c.Providers = append([]config.Provider{demo}, a.own...)
	clients, err := withDemoClients(a.config)
	if err != nil {
		return nil, err
	}
	c.Clients = clients
	return login.New(ctx, &c, login.Parts{Table: a.store.table, Users: a.users, Keys: a.keys, Ring: a.ring.View, Log: a.log, Now: a.Now})
}

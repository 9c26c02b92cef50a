package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/examples/notes/notebook"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
	"github.com/gatehouse-auth/gatehouse/internal/setup/login"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
)

// builder puts the parts of one run together.
type builder struct {
	Options
	config   *config.Config
	template *gateway.Template
	store    *store
	demoURL  string

	own    []config.Provider // the team's providers that can be used
	log    *slog.Logger      // for the parts
	users  *usersvc.Users
	ring   *keyring.Keyring
	past   *keyring.Keyring // the same ring, a day behind
	tended chan struct{}    // closed when the ring has a next key
	secret client.Secret    // of Gatehouse at the demo provider
}

const demoProviderID = "demo"

// build returns what answers at the two addresses.
func (b *builder) build(ctx context.Context) (api, provider http.Handler, err error) {
	b.log = slog.New(record{b.Log.Handler()})
	b.secret = client.Secret(rand.Text())
	if b.template, err = b.readTemplate(); err != nil {
		return nil, nil, err
	}
	if b.own, err = b.usable(); err != nil {
		return nil, nil, err
	}
	provider = here(newWaiting(func() (http.Handler, error) { return b.demoProvider() }))
	b.users = b.newUsers()
	if err := b.openRing(ctx); err != nil {
		return nil, nil, err
	}
	if err := b.seed(ctx); err != nil {
		return nil, nil, err
	}
	functions, err := b.functions(ctx)
	if err != nil {
		return nil, nil, err
	}
	api, err = b.gateway(functions)
	return api, provider, err
}

// usable returns the team's providers whose variables are set.
func (b *builder) usable() ([]config.Provider, error) {
	var usable []config.Provider
	var errs []error
	for _, p := range b.config.Providers {
		missing := p.Missing()
		switch {
		case p.ID == demoProviderID:
			errs = append(errs, fmt.Errorf("provider %q: gatehouse dev has one of that id: choose another", p.ID))
		case len(missing) == 0:
			usable = append(usable, p)
		case b.EnvFile != "":
			errs = append(errs, fmt.Errorf("%s: %s is not set, and %s needs it to sign people in", b.EnvFile, strings.Join(missing, ", "), p.Name))
		}
	}
	return usable, errors.Join(errs...)
}

func (b *builder) demoProvider() (*demoidp.Provider, error) {
	return demoidp.New(demoidp.Config{
		Issuer: b.demoURL, ClientID: "gatehouse", ClientSecret: string(b.secret),
		RedirectURIs: []string{b.config.Callback(demoProviderID)}, Now: b.Now,
	})
}

func (b *builder) newUsers() *usersvc.Users {
	u := setup.Users(b.config, b.store.table)
	u.Now = b.Now
	u.Admins = append([]string{"ada@example.com"}, u.Admins...)
	if len(u.TrustedProviders) > 0 { // else Ada's word would count for nothing
		u.TrustedProviders = append(u.TrustedProviders, demoProviderID)
	}
	return u
}

// seed makes sure that Sam is there, and suspended. Ada and Lin come to be when
// they first sign in, as people do.
func (b *builder) seed(ctx context.Context) error {
	for _, p := range demoidp.People() {
		if p.ID != "sam" {
			continue
		}
		profile := usersvc.Profile{
			Issuer: b.demoURL, Subject: p.Subject, Provider: demoProviderID, Email: p.Email, EmailVerified: p.EmailVerified, Name: p.Name,
		}
		if _, err := b.users.EnsureUser(ctx, profile, usersvc.Suspended); err != nil {
			return fmt.Errorf("adding %s: %w", p.Name, err)
		}
	}
	return nil
}

// functions are those of serverless.yml, and the tour's.
func (b *builder) functions(ctx context.Context) (map[string]gateway.Function, error) {
	service, err := b.loginsvc(ctx)
	if err != nil {
		return nil, err
	}
	decide, err := b.authorizer()
	if err != nil {
		return nil, err
	}
	d := &demo{issuer: b.config.Issuer, audience: b.config.Audience, ring: b.ring, past: b.past, users: b.users, now: b.Now}
	functions := map[string]gateway.Function{
		"authorizer": decide.Handle,
		"loginsvc":   lambdahttp.Handler(service),
		"usersvc":    lambdahttp.Handler(api.NewHandler(b.users, b.log)),
		"demo":       lambdahttp.Handler(d.handler()),
		"notes":      lambda.NewHandler((&notebook.Notebook{}).Handle).Invoke,
	}
	if b.Upstream != "" {
		proxy, err := upstreamAPI(b.Upstream)
		if err != nil {
			return nil, err
		}
		functions[upstreamFunction] = lambdahttp.Handler(proxy)
	}
	return functions, nil
}

// loginsvc is the team's login service with the demo provider and the demo
// clients beside its own.
func (b *builder) loginsvc(ctx context.Context) (http.Handler, error) {
	c := *b.config
	demo := config.Provider{ID: demoProviderID, Name: "Demo", Issuer: b.demoURL, ClientID: "gatehouse", ClientSecret: b.secret}
	c.Providers = append([]config.Provider{demo}, b.own...)
	clients, err := withDemoClients(b.config)
	if err != nil {
		return nil, err
	}
	c.Clients = clients
	return login.New(ctx, &c, login.Parts{Table: b.store.table, Users: b.users, Keys: b.keys, Ring: b.ring.View, Log: b.log, Now: b.Now})
}

// authorizer decides as it does in AWS, with the keys that our own JWK Set
// publishes.
func (b *builder) authorizer() (*authorizer.Authorizer, error) {
	rules, err := policy.Compile(Rules(b.config))
	if err != nil {
		return nil, err
	}
	published, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: b.config.Issuer + "/.well-known/jwks.json", Now: b.Now, Log: b.log})
	if err != nil {
		return nil, err
	}
	c := authorizer.Config{
		Issuer: b.config.Issuer, Audience: b.config.Audience, Keys: published.Key, Policy: rules, Now: b.Now, Log: b.log,
	}
	if b.hasRoute("GET /revocations") {
		c.Revocations, err = authorizer.NewFeed(authorizer.FeedConfig{URL: b.config.Issuer + "/revocations", Now: b.Now, Log: b.log})
	}
	if err != nil {
		return nil, err
	}
	return authorizer.New(c)
}

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
)

// house is the parts while they are put together.
type house struct {
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
func (h *house) build(ctx context.Context) (api, provider http.Handler, err error) {
	h.log = slog.New(record{h.Log.Handler()})
	h.secret = client.Secret(rand.Text())
	if h.template, err = h.readTemplate(); err != nil {
		return nil, nil, err
	}
	if h.own, err = h.usable(); err != nil {
		return nil, nil, err
	}
	provider = here(newWaiting(func() (http.Handler, error) { return h.demoProvider() }))
	h.users = h.newUsers()
	if err := h.openRing(ctx); err != nil {
		return nil, nil, err
	}
	if err := h.seed(ctx); err != nil {
		return nil, nil, err
	}
	functions, err := h.functions(ctx)
	if err != nil {
		return nil, nil, err
	}
	api, err = h.gateway(functions)
	return api, provider, err
}

// usable returns the team's providers whose variables are set.
func (h *house) usable() ([]config.Provider, error) {
	var usable []config.Provider
	var errs []error
	for _, p := range h.config.Providers {
		missing := p.Missing()
		switch {
		case p.ID == demoProviderID:
			errs = append(errs, fmt.Errorf("provider %q: gatehouse dev has one of that id: choose another", p.ID))
		case len(missing) == 0:
			usable = append(usable, p)
		case h.EnvFile != "":
			errs = append(errs, fmt.Errorf("%s: %s is not set, and %s needs it to sign people in", h.EnvFile, strings.Join(missing, ", "), p.Name))
		}
	}
	return usable, errors.Join(errs...)
}

func (h *house) demoProvider() (*demoidp.Provider, error) {
	return demoidp.New(demoidp.Config{
		Issuer: h.demoURL, ClientID: "gatehouse", ClientSecret: string(h.secret),
		RedirectURIs: []string{h.config.Callback(demoProviderID)}, Now: h.Now,
	})
}

func (h *house) newUsers() *usersvc.Users {
	u := setup.Users(h.config, h.store.table)
	u.Now = h.Now
	u.Admins = append([]string{"ada@example.com"}, u.Admins...)
	if len(u.TrustedProviders) > 0 { // else Ada's word would count for nothing
		u.TrustedProviders = append(u.TrustedProviders, demoProviderID)
	}
	return u
}

// seed makes sure that Sam is there, and suspended. Ada and Lin come to be when
// they first sign in, as people do.
func (h *house) seed(ctx context.Context) error {
	for _, p := range demoidp.People() {
		if p.ID != "sam" {
			continue
		}
		profile := usersvc.Profile{
			Issuer: h.demoURL, Subject: p.Subject, Provider: demoProviderID, Email: p.Email, EmailVerified: p.EmailVerified, Name: p.Name,
		}
		if _, err := h.users.EnsureUser(ctx, profile, usersvc.Suspended); err != nil {
			return fmt.Errorf("adding %s: %w", p.Name, err)
		}
	}
	return nil
}

// functions are those of serverless.yml, and the tour's.
func (h *house) functions(ctx context.Context) (map[string]gateway.Function, error) {
	service, err := h.loginsvc(ctx)
	if err != nil {
		return nil, err
	}
	decide, err := h.authorizer()
	if err != nil {
		return nil, err
	}
	d := &demo{issuer: h.config.Issuer, audience: h.config.Audience, ring: h.ring, past: h.past, users: h.users, now: h.Now}
	functions := map[string]gateway.Function{
		"authorizer": decide.Handle,
		"loginsvc":   lambdahttp.Handler(service),
		"usersvc":    lambdahttp.Handler(usersvc.NewHandler(h.users, h.log)),
		"demo":       lambdahttp.Handler(d.handler()),
		"notes":      lambda.NewHandler((&notebook.Notebook{}).Handle).Invoke,
	}
	if h.Upstream != "" {
		proxy, err := upstreamAPI(h.Upstream)
		if err != nil {
			return nil, err
		}
		functions[upstreamFunction] = lambdahttp.Handler(proxy)
	}
	return functions, nil
}

// loginsvc is the team's login service with the demo provider and the demo
// clients beside its own.
func (h *house) loginsvc(ctx context.Context) (http.Handler, error) {
	c := *h.config
	demo := config.Provider{ID: demoProviderID, Name: "Demo", Issuer: h.demoURL, ClientID: "gatehouse", ClientSecret: h.secret}
	c.Providers = append([]config.Provider{demo}, h.own...)
	clients, err := withDemoClients(h.config)
	if err != nil {
		return nil, err
	}
	c.Clients = clients
	return login.New(ctx, &c, login.Parts{Table: h.store.table, Users: h.users, Keys: h.keys, Ring: h.ring.View, Log: h.log, Now: h.Now})
}

// authorizer decides as it does in AWS, with the keys that our own JWK Set
// publishes.
func (h *house) authorizer() (*authorizer.Authorizer, error) {
	rules, err := policy.Compile(Rules(h.config))
	if err != nil {
		return nil, err
	}
	published, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: h.config.Issuer + "/.well-known/jwks.json", Now: h.Now, Log: h.log})
	if err != nil {
		return nil, err
	}
	c := authorizer.Config{
		Issuer: h.config.Issuer, Audience: h.config.Audience, Keys: published.Key, Policy: rules, Now: h.Now, Log: h.log,
	}
	if h.hasRoute("GET /revocations") {
		c.Revocations, err = authorizer.NewFeed(authorizer.FeedConfig{URL: h.config.Issuer + "/revocations", Now: h.Now, Log: h.log})
	}
	if err != nil {
		return nil, err
	}
	return authorizer.New(c)
}

// Package login puts the login service together as gatehouse.yml describes it:
// the same in AWS and on a laptop.
package login

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry/document"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Parts is what gatehouse.yml does not say.
type Parts struct {
	Table table.Table
	Users *usersvc.Users // in Table, as setup.Users makes them
	// Keys returns the keys in use, Published those to publish; see
	// [loginsvc.Config]. Published may be nil.
	Keys, Published func(context.Context) (keys.Set, error)
	Ring            func(context.Context) (keyring.View, error) // for admins to see
	Log             *slog.Logger
	Now             func() time.Time // nil: time.Now
}

// New returns the login service of c. It does no I/O.
func New(ctx context.Context, c *config.Config, p Parts) (*loginsvc.Service, error) {
	providers, err := providers(ctx, c, p)
	if err != nil {
		return nil, err
	}
	brand, err := pages.New(pages.Brand(c.Brand))
	if err != nil {
		return nil, fmt.Errorf("brand: %w", err)
	}
	scopes := make(map[string][]string)
	for _, r := range c.Roles {
		scopes[r.Name] = r.Scopes
	}
	clients := registry.NewFinder(c.Clients, p.Table, p.Now)
	if hosts := c.SelfRegistration.Documents; len(hosts) > 0 {
		clients.Unregistered = document.New(document.Config{Hosts: hosts, Terms: c.Terms(), Now: p.Now}).Lookup
	}
	if c.SelfRegistration.Dynamic {
		terms := c.Terms()
		clients.Self = &terms
	}
	var resources []loginsvc.Resource
	for _, r := range c.Resources {
		resources = append(resources, loginsvc.Resource(r))
	}
	return loginsvc.New(loginsvc.Config{
		Documents: clients.Unregistered != nil, Resources: resources, Self: clients.Self,
		Issuer: c.Issuer, Audience: c.Audience, Providers: providers, Clients: clients.Lookup, Origins: clients.AllowsOrigin,
		Users: p.Users, Table: p.Table, Keys: p.Keys, Published: p.Published, Ring: p.Ring, Pages: brand, RoleScopes: scopes, LegacyLogin: c.LegacyLogin,
		Proxy:     httpx.Proxy{AddressHeader: c.Proxy.AddressHeader, SecretHeader: c.Proxy.SecretHeader, Secret: string(c.Proxy.Secret)},
		AccessTTL: c.Lifetimes.AccessToken, CodeTTL: c.Lifetimes.Code,
		RefreshTTL: c.Lifetimes.RefreshToken, RefreshIdleTTL: c.Lifetimes.RefreshIdle, RefreshGrace: c.RefreshGrace, Log: p.Log, Now: p.Now,
	})
}

// providers returns the providers whose variables are set. One that lacks a
// secret must not keep the others, and the keys, from being served.
func providers(ctx context.Context, c *config.Config, p Parts) ([]*upstream.Provider, error) {
	var usable []*upstream.Provider
	for _, at := range c.Providers {
		if missing := at.Missing(); len(missing) > 0 {
			p.Log.ErrorContext(ctx, "nobody can sign in at this provider", "provider", at.ID, "missing", missing)
			continue
		}
		provider, err := upstream.New(upstream.Config{
			ID: at.ID, Name: at.Name, Issuer: at.Issuer, ClientID: at.ClientID, ClientSecret: at.ClientSecret, Scopes: at.Scopes,
			Preset: at.Kind(), Tenant: at.Tenant, Claims: at.Claims, EmailVerified: at.EmailVerified, Require: at.Require, Prompt: at.Prompt,
			Parameters: at.Parameters, ResponseMode: at.ResponseMode, NonceOff: at.Nonce == "off", ClientAuth: at.ClientAuth, Timeout: at.Timeout,
			AuthURL: at.AuthorizationURL, TokenURL: at.TokenURL, UserInfoURL: at.UserinfoURL,
			Apple:        upstream.AppleKey{TeamID: at.TeamID, KeyID: at.KeyID, PrivateKey: at.PrivateKey},
			HostedDomain: at.HostedDomain, TrustEmail: at.TrustEmail, CallbackURL: c.Callback(at.ID), Now: p.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", at.ID, err)
		}
		usable = append(usable, provider)
	}
	return usable, nil
}

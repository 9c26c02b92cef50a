package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

type tokenCommand struct {
	As     string `placeholder:"NAME" help:"Who signs in at the demo provider: ada, lin or sam. A client that acts for itself needs none."`
	Client string `default:"demo-spa" placeholder:"ID" help:"The app that they sign in to: one of gatehouse dev's, of gatehouse.yml or of the table (${default})."`
	Secret string `placeholder:"SECRET" help:"The secret of a confidential client (its secret_env, from the environment or --env)."`
	Scope  string `placeholder:"SCOPES" help:"What the app asks for (openid profile email admin; the scope admin is for admins alone)."`
	URL    string `name:"url" default:"http://localhost:8787" placeholder:"URL" help:"Where gatehouse dev runs (${default})."`
	Env    string `placeholder:"FILE" help:"Read variables from this file too, as gatehouse dev --env does."`
	Config string `placeholder:"FILE" help:"The configuration with the client's secret (gatehouse.yml here; where there is none, the built-in one)."`
	outputFlag
}

// Run signs in as a browser and an app would, and prints what the app got.
func (c *tokenCommand) Run(w *process) error {
	ctx := context.Background()
	r := signin.Request{URL: c.URL, User: strings.ToLower(c.As), ClientID: c.Client, ClientSecret: c.Secret, Scope: c.Scope}
	if c.As != "" && !slices.ContainsFunc(demoidp.People(), func(p demoidp.Person) bool { return p.ID == r.User }) {
		return fmt.Errorf("--as %s: choose ada, lin or sam", c.As)
	}
	if c.As == "" && slices.Contains([]string{tour.ClientID, server.WebClientID}, c.Client) {
		return usageError("missing flags: --as=NAME")
	}
	machine, err := c.find(ctx, w, &r)
	if err != nil {
		return err
	}
	switch {
	case machine && c.As == "":
		return c.asMachine(ctx, w, r)
	case c.As == "":
		return usageError("missing flags: --as=NAME")
	}
	tokens, err := signin.Do(ctx, r)
	if errors.Is(err, signin.ErrNotRunning) {
		return fmt.Errorf("%w: start it with: %s dev", err, w.self)
	}
	if err != nil {
		return err
	}
	if c.json() {
		return w.printRaw(tokens.Raw, false)
	}
	_, err = fmt.Fprintln(w.stdout, tokens.AccessToken)
	return err
}

// find completes the request by what gatehouse dev knows about a client that is not its
// own, and tells whether the client acts for itself.
func (c *tokenCommand) find(ctx context.Context, w *process, r *signin.Request) (machine bool, err error) {
	switch c.Client {
	case tour.ClientID:
		return false, nil
	case server.WebClientID:
		r.ClientSecret = cmp.Or(c.Secret, server.WebClientSecret)
		return false, nil
	}
	s, err := devFlags{URL: c.URL, As: "ada"}.open(ctx, w)
	if err != nil {
		return false, err
	}
	view, err := devClients{s}.View(ctx, c.Client)
	if err != nil {
		return false, err
	}
	if len(view.RedirectURIs) > 0 {
		r.RedirectURI = view.RedirectURIs[0]
	}
	machine = slices.Contains(view.Grants, client.GrantClientCredentials)
	if !machine && !slices.Contains(view.Grants, client.GrantCode) {
		return false, fmt.Errorf("%s has neither of the grants authorization_code and client_credentials", c.Client)
	}
	if view.Public || r.ClientSecret != "" {
		return machine, nil
	}
	r.ClientSecret, err = c.secretOf(w, view)
	return machine, err
}

// secretOf returns the secret of a client of gatehouse.yml.
func (c *tokenCommand) secretOf(w *process, view registry.View) (string, error) {
	getenv, err := withFile(w.getenv, c.Env)
	if err != nil {
		return "", err
	}
	if view.SecretEnv != "" {
		if secret := getenv(view.SecretEnv); secret != "" {
			return secret, nil
		}
		return "", fmt.Errorf("%s has a secret: set %s, or name the file with it in --env", c.Client, view.SecretEnv)
	}
	if cfg, err := readNames(c.Config, getenv); err == nil && view.In == "file" {
		for _, app := range cfg.Clients {
			if app.ID == c.Client && app.Secret != "" {
				return string(app.Secret), nil
			}
		}
	}
	return "", fmt.Errorf("%s has a secret: say --secret", c.Client)
}

// asMachine gets a token for the client itself (RFC 6749, Section 4.4).
func (c *tokenCommand) asMachine(ctx context.Context, w *process, r signin.Request) error {
	config := clientcredentials.Config{
		ClientID: r.ClientID, ClientSecret: r.ClientSecret, TokenURL: strings.TrimRight(r.URL, "/") + "/token",
		Scopes: strings.Fields(r.Scope), AuthStyle: oauth2.AuthStyleInHeader,
	}
	tokens, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, noRedirects))
	if refusal, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the token endpoint answers %s", printable(strings.TrimSpace(refusal.Response.Status+" "+string(refusal.Body))))
	}
	if err != nil {
		return err
	}
	if c.json() {
		return w.printJSON(map[string]any{"access_token": tokens.AccessToken, "token_type": tokens.TokenType, "scope": tokens.Extra("scope"), "expires_in": tokens.Extra("expires_in")})
	}
	_, err = fmt.Fprintln(w.stdout, tokens.AccessToken)
	return err
}

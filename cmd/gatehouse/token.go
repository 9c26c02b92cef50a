package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
)

type tokenCommand struct {
	As     string `required:"" placeholder:"NAME" help:"Who signs in at the demo provider: ada, lin or sam."`
	Client string `default:"demo-spa" placeholder:"ID" help:"The app that they sign in to (${default})."`
	Secret string `placeholder:"SECRET" help:"The secret of a confidential client. That of demo-web is known."`
	Scope  string `default:"openid profile email admin" placeholder:"SCOPES" help:"What the app asks for (${default})."`
	URL    string `name:"url" default:"http://localhost:8787" placeholder:"URL" help:"Where gatehouse dev runs (${default})."`
	Output string `short:"o" default:"text" enum:"text,json" help:"Print the access token alone (text) or the whole answer of the token endpoint (json)."`
}

// Run signs in as a browser and an app would, and prints what the app got.
func (c *tokenCommand) Run(w *process) error {
	secret := c.Secret
	if secret == "" && c.Client == server.WebClientID {
		secret = server.WebClientSecret
	}
	user := strings.ToLower(c.As)
	if !slices.ContainsFunc(demoidp.People(), func(p demoidp.Person) bool { return p.ID == user }) {
		return fmt.Errorf("--as %s: choose ada, lin or sam", c.As)
	}
	tokens, err := signin.Do(context.Background(), signin.Request{
		URL: c.URL, User: user, ClientID: c.Client, ClientSecret: secret, Scope: c.Scope,
	})
	if errors.Is(err, signin.ErrNotRunning) {
		return fmt.Errorf("%w: start it with: %s dev", err, w.self)
	}
	if err != nil {
		return err
	}
	if c.Output == "json" {
		_, err = fmt.Fprintf(w.stdout, "%s\n", tokens.Raw)
		return err
	}
	_, err = fmt.Fprintln(w.stdout, tokens.AccessToken)
	return err
}

package main

import (
	"context"
	"fmt"
	"time"

	houseconfig "github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

// lifetimeFlags are the lifetimes of a client, as gatehouse.yml spells spans of
// time.
type lifetimeFlags struct {
	AccessToken  string `name:"access-token-lifetime" placeholder:"SPAN" help:"How long its access tokens live, such as 5m; 0: as gatehouse.yml says, which nothing outlives."`
	RefreshToken string `name:"refresh-token-lifetime" placeholder:"SPAN" help:"How long its refresh tokens live from the sign-in, such as 12h."`
	RefreshIdle  string `name:"refresh-idle-lifetime" placeholder:"SPAN" help:"How long they live unless they are used, such as 1h."`
}

// apply sets those lifetimes that flags name.
func (f lifetimeFlags) apply(e *registry.Edits) error {
	for _, span := range []struct {
		flag, said string
		into       **time.Duration
	}{
		{"--access-token-lifetime", f.AccessToken, &e.AccessToken},
		{"--refresh-token-lifetime", f.RefreshToken, &e.RefreshToken},
		{"--refresh-idle-lifetime", f.RefreshIdle, &e.RefreshIdle},
	} {
		if span.said == "" {
			continue
		}
		d, err := houseconfig.ParseSpan(span.said)
		if err != nil {
			return fmt.Errorf("%s: %w", span.flag, err)
		}
		*span.into = &d
	}
	return nil
}

type clientsEditCommand struct {
	clientsFlags
	lifetimeFlags
	exceptionFlags
	ID         string   `arg:"" help:"The client_id."`
	Name       *string  `placeholder:"TEXT" help:"The name that people see."`
	ThirdParty *bool    `negatable:"" help:"Whether it is not your own: each user is asked before it gets anything."`
	Redirect   []string `sep:"none" name:"redirect-uri" placeholder:"URI" help:"Where codes may be sent. The URIs named take the place of all there are; --redirect-uri=+URI adds one, =-URI takes one out. The same goes for each list."`
	PostLogout []string `sep:"none" name:"post-logout-redirect-uri" placeholder:"URI" help:"Where browsers may be sent after a logout; = with nothing after it: nowhere."`
	Origin     []string `sep:"none" placeholder:"ORIGIN" help:"Whose scripts may call /token."`
	Grant      []string `sep:"none" placeholder:"GRANT" help:"What it may use at /token."`
	Scope      []string `sep:"none" placeholder:"SCOPE" help:"What it may ask for. What it loses, it does not get at the next renewal."`
	Audience   []string `sep:"none" placeholder:"NAME" help:"The APIs it may get tokens for, the usual one first."`
	Serves     []string `sep:"none" placeholder:"NAME" help:"The APIs that it is: it may ask about access tokens for them."`
	IfVersion  int64    `placeholder:"N" help:"Change nothing unless this is its version, as show tells it."`
	outputFlag
}

// Run changes the client, in all that was said or in nothing, and prints what
// has become of it.
func (c *clientsEditCommand) Run(w *process) error {
	edits := registry.Edits{
		Name: c.Name, ThirdParty: c.ThirdParty, RedirectURIs: c.Redirect, PostLogoutRedirectURIs: c.PostLogout,
		Origins: c.Origin, Grants: c.Grant, Scopes: c.Scope, Audiences: c.Audience, Serves: c.Serves,
		Exceptions: c.exceptionFlags.said(),
	}
	if err := c.lifetimeFlags.apply(&edits); err != nil {
		return err
	}
	return c.use(w, true, func(ctx context.Context, all clients) error {
		view, err := all.Change(ctx, c.ID, c.IfVersion, edits)
		if err != nil {
			return err
		}
		return printClient(w, c.json(), view)
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	houseconfig "github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// lifetimeFlags are the lifetimes of a client, as gatehouse.yml spells spans of
// time.
type lifetimeFlags struct {
	AccessToken  string `name:"access-token-lifetime" placeholder:"SPAN" help:"How long its access tokens live, such as 5m; 0: as gatehouse.yml says, which nothing outlives."`
	RefreshToken string `name:"refresh-token-lifetime" placeholder:"SPAN" help:"How long its refresh tokens live from the sign-in, such as 12h."`
	RefreshIdle  string `name:"refresh-idle-lifetime" placeholder:"SPAN" help:"How long they live unless they are used, such as 1h."`
}

// apply sets those lifetimes that flags name.
func (f lifetimeFlags) apply(l *client.Lifetimes) error {
	for _, span := range []struct {
		flag, said string
		into       *time.Duration
	}{
		{"--access-token-lifetime", f.AccessToken, &l.AccessToken},
		{"--refresh-token-lifetime", f.RefreshToken, &l.RefreshToken},
		{"--refresh-idle-lifetime", f.RefreshIdle, &l.RefreshIdle},
	} {
		if span.said == "" {
			continue
		}
		d, err := houseconfig.ParseSpan(span.said)
		if err != nil {
			return fmt.Errorf("%s: %w", span.flag, err)
		}
		*span.into = d
	}
	return nil
}

type clientsEditCommand struct {
	clientsFlags
	lifetimeFlags
	exceptionFlags
	ID         string   `arg:"" help:"The client_id."`
	Name       *string  `placeholder:"TEXT" help:"What people are told it is called."`
	ThirdParty *bool    `negatable:"" help:"Whether it is not your own: each user is asked before it gets anything."`
	Redirect   []string `sep:"none" name:"redirect-uri" placeholder:"URI" help:"Where codes may be sent. The URIs named take the place of all there are; --redirect-uri=+URI adds one, =-URI takes one out. The same goes for each list."`
	PostLogout []string `sep:"none" name:"post-logout-redirect-uri" placeholder:"URI" help:"Where browsers may be sent after a logout; = with nothing after it: nowhere."`
	Origin     []string `sep:"none" placeholder:"ORIGIN" help:"Whose scripts may call /token."`
	Grant      []string `sep:"none" placeholder:"GRANT" help:"What it may use at /token."`
	Scope      []string `sep:"none" placeholder:"SCOPE" help:"What it may ask for. What it loses, it does not get at the next renewal."`
	Audience   []string `sep:"none" placeholder:"NAME" help:"The APIs it may get tokens for, the usual one first."`
	Serves     []string `sep:"none" placeholder:"NAME" help:"The APIs that it is: it may ask about access tokens for them."`
	IfVersion  int64    `placeholder:"N" help:"Change nothing unless this is its version, as show tells it."`
	Output     string   `short:"o" default:"text" enum:"text,json" help:"Print it as text or as json."`
}

// Run changes the client, in all that was said or in nothing, and prints what
// has become of it.
func (c *clientsEditCommand) Run(w *process) error {
	return c.useOn(w, c.ID, func(ctx context.Context, all clients) error {
		r, err := all.Edit(ctx, c.by(), c.ID, c.IfVersion, c.apply)
		if err != nil {
			return err
		}
		return all.viewOfRow(r).print(w.stdout, c.Output)
	})
}

// apply does to app what the flags say.
func (c *clientsEditCommand) apply(app *client.Client) error {
	if c.Name != nil {
		app.Name = *c.Name
	}
	if c.ThirdParty != nil {
		app.ThirdParty = *c.ThirdParty
	}
	for _, list := range []struct {
		flag string
		said []string
		into *[]string
	}{
		{"--redirect-uri", c.Redirect, &app.RedirectURIs},
		{"--post-logout-redirect-uri", c.PostLogout, &app.PostLogoutRedirectURIs},
		{"--origin", c.Origin, &app.Origins},
		{"--grant", c.Grant, &app.Grants},
		{"--scope", c.Scope, &app.Scopes},
		{"--audience", c.Audience, &app.Audiences},
		{"--serves", c.Serves, &app.Serves},
	} {
		after, err := editList(*list.into, list.said)
		if err != nil {
			return fmt.Errorf("%s: %w", list.flag, err)
		}
		*list.into = after
	}
	return errors.Join(c.lifetimeFlags.apply(&app.Lifetimes), c.exceptionFlags.apply(&app.Exceptions))
}

// editList is list after what a flag said, each time it was given: "+x" adds and
// "-x" takes out; without a sign, what was said is the list. One "" empties it.
func editList(list, said []string) ([]string, error) {
	if len(said) == 0 {
		return list, nil
	}
	signed := 0
	for _, value := range said {
		if strings.HasPrefix(value, "+") || strings.HasPrefix(value, "-") {
			signed++
		}
	}
	switch {
	case signed == 0 && len(said) == 1 && said[0] == "":
		return nil, nil
	case signed == 0:
		return said, nil
	case signed < len(said):
		return nil, fmt.Errorf("with + and - it changes the list, without it sets it: write all in one way")
	}
	after := slices.Clone(list)
	for _, value := range said {
		add, value := value[0] == '+', value[1:]
		i := slices.Index(after, value)
		switch {
		case add && i < 0:
			after = append(after, value)
		case !add && i < 0:
			return nil, fmt.Errorf("%s is not in the list: there are %s", printable(value), printable(strings.Join(list, ", ")))
		case !add:
			after = slices.Delete(after, i, i+1)
		}
	}
	return after, nil
}

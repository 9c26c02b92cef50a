package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"

	houseconfig "github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

type clientsCommand struct {
	Add          clientsAddCommand    `cmd:"" help:"Register an app, and print its secret. It is shown this once."`
	List         clientsListCommand   `cmd:"" help:"List the apps: those of the configuration, and those in the table."`
	Show         clientsShowCommand   `cmd:"" help:"Show one app."`
	Edit         clientsEditCommand   `cmd:"" help:"Change an app in the table: in all that you say or, if anything is wrong, in nothing."`
	RotateSecret clientsRotateCommand `cmd:"" help:"Give an app another secret. The one before stays good until you drop it, or rotate again."`
	Remove       clientsRemoveCommand `cmd:"" help:"Remove an app from the table. Nobody signs in there any more."`
}

// clientsFlags say whose clients are meant.
type clientsFlags struct {
	tableFlags
	operatorFlags
}

// clients are those of a command: in the table, and in the configuration.
type clients struct {
	*registry.Clients
	config *houseconfig.Config
}

// inFile returns the client of the configuration with the id.
func (c clients) inFile(id string) (client.Client, bool) {
	i := slices.IndexFunc(c.config.Clients, func(app client.Client) bool { return app.ID == id })
	if i < 0 {
		return client.Client{}, false
	}
	return c.config.Clients[i], true
}

// use calls do with the clients, until Ctrl-C.
func (f clientsFlags) use(w *process, do func(context.Context, clients) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg, err := f.config(w.getenv)
	if err != nil {
		return err
	}
	t, done, err := f.open(ctx, w, "stop it first")
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, clients{&registry.Clients{Table: t, House: cfg.House()}, cfg}), done())
}

// useOn calls do with the clients, to change the one with the id.
func (f clientsFlags) useOn(w *process, id string, do func(context.Context, clients) error) error {
	return f.use(w, func(ctx context.Context, c clients) error {
		err := do(ctx, c)
		_, inFile := c.inFile(id)
		switch {
		case errors.Is(err, client.ErrUnknown) && inFile:
			return fmt.Errorf("%s is in the configuration: change it there", id)
		case errors.Is(err, client.ErrUnknown):
			return fmt.Errorf("there is no client %q in the table", id)
		case errors.Is(err, registry.ErrPublic):
			return fmt.Errorf("%w: remove %s and add it without --public, if it can keep one", err, id)
		case errors.Is(err, registry.ErrOneSecret):
			return fmt.Errorf("%w: rotate it first", err)
		case errors.Is(err, registry.ErrChanged):
			return fmt.Errorf("%w; try again", err)
		}
		return err
	})
}

type clientsAddCommand struct {
	clientsFlags
	ID         string   `arg:"" help:"The client_id, such as shop-web."`
	Name       string   `placeholder:"TEXT" help:"What people are told it is called (the id)."`
	Public     bool     `help:"An app in a browser or on a device: it can keep no secret, and has PKCE alone."`
	ThirdParty bool     `help:"Not your own: each user is asked before it gets anything."`
	Redirect   []string `sep:"none" name:"redirect-uri" placeholder:"URI" help:"Where codes may be sent, letter for letter. Again for each one."`
	PostLogout []string `sep:"none" name:"post-logout-redirect-uri" placeholder:"URI" help:"Where browsers may be sent after a logout. Again for each one."`
	Origin     []string `sep:"none" placeholder:"ORIGIN" help:"Whose scripts may call /token, such as https://app.example.com. Again for each one."`
	Grant      []string `placeholder:"GRANT" help:"authorization_code (if none is named), refresh_token, client_credentials, or that of devices in full."`
	Scope      []string `placeholder:"SCOPE" help:"What it may ask for (openid, profile and email)."`
	Audience   []string `placeholder:"NAME" help:"The APIs it may get tokens for, the usual one first (that of gatehouse.yml)."`
	Serves     []string `placeholder:"NAME" help:"The APIs that it is: it may ask about access tokens for them, whichever app has them."`
	lifetimeFlags
	exceptionFlags
	Output string `short:"o" default:"text" enum:"text,json" help:"Print it as text or as json."`
}

// Run registers the client, and prints it with its secret.
func (c *clientsAddCommand) Run(w *process) error {
	app := client.Client{
		ID: c.ID, Name: c.Name, ThirdParty: c.ThirdParty, RedirectURIs: c.Redirect, PostLogoutRedirectURIs: c.PostLogout,
		Origins: c.Origin, Grants: c.Grant, Scopes: c.Scope, Audiences: c.Audience, Serves: c.Serves,
	}
	if err := errors.Join(c.lifetimeFlags.apply(&app.Lifetimes), c.exceptionFlags.apply(&app.Exceptions)); err != nil {
		return err
	}
	if c.Public && slices.Contains(c.Grant, client.GrantClientCredentials) {
		return errors.New("a client that acts for itself has to prove who it is: take out --public")
	}
	return c.use(w, func(ctx context.Context, all clients) error {
		if _, taken := all.inFile(c.ID); taken {
			return fmt.Errorf("%s is in the configuration, which comes first: choose another id", c.ID)
		}
		if c.Data != "" && (c.ID == tour.ClientID || c.ID == server.WebClientID) {
			return fmt.Errorf("%s is gatehouse dev's own: choose another id", c.ID)
		}
		secret, err := all.Add(ctx, c.by(), app, !c.Public)
		if errors.Is(err, registry.ErrExists) {
			return fmt.Errorf("%w: choose another, or remove that one", err)
		}
		if err != nil {
			return err
		}
		return showSecret(w, c.Output, c.ID, secret)
	})
}

type clientsListCommand struct {
	clientsFlags
	Output string `short:"o" default:"text" enum:"text,json" help:"Print them as text, or one JSON object a line."`
}

// Run prints clients, one a line.
func (c *clientsListCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, all clients) error {
		registered, err := all.List(ctx)
		if err != nil {
			return err
		}
		views := make([]clientView, 0, len(all.config.Clients)+len(registered))
		for _, app := range all.config.Clients {
			views = append(views, viewOf(app))
		}
		for _, r := range registered {
			views = append(views, all.viewOfRow(r))
		}
		if c.Output == "json" {
			return writeLines(w, views)
		}
		table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tKIND\tGRANTS\tIN")
		for _, v := range views {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.ID, printable(v.Name), v.kind(), strings.Join(v.Grants, " "), v.In)
		}
		return table.Flush()
	})
}

type clientsShowCommand struct {
	clientsFlags
	ID     string `arg:"" help:"The client_id."`
	Output string `short:"o" default:"text" enum:"text,json" help:"Print it as text or as json."`
}

// Run prints the client that sign-ins would find.
func (c *clientsShowCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, all clients) error {
		if app, ok := all.inFile(c.ID); ok {
			return viewOf(app).print(w.stdout, c.Output)
		}
		r, err := all.Get(ctx, c.ID)
		if errors.Is(err, client.ErrUnknown) {
			return fmt.Errorf("there is no client %q", c.ID)
		}
		if err != nil {
			return err
		}
		trail, err := (&usersvc.Users{Table: all.Table}).Audit(ctx, usersvc.AuditFilter{ClientID: c.ID, Limit: auditTail})
		if err != nil {
			return err
		}
		view := all.viewOfRow(r)
		view.Audit = trail.Items
		return view.print(w.stdout, c.Output)
	})
}

type clientsRotateCommand struct {
	clientsFlags
	ID      string `arg:"" help:"The client_id."`
	DropOld bool   `help:"Make none: end the older of its two secrets."`
	Output  string `short:"o" default:"text" enum:"text,json" help:"Print it as text or as json."`
}

// Run makes a secret and prints it, or drops one.
func (c *clientsRotateCommand) Run(w *process) error {
	return c.useOn(w, c.ID, func(ctx context.Context, all clients) error {
		if c.DropOld {
			if err := all.DropOldSecret(ctx, c.by(), c.ID); err != nil {
				return err
			}
			_, err := fmt.Fprintf(w.stdout, "the older secret of %s ends within %v\n", c.ID, registry.MaxAge)
			return err
		}
		secret, err := all.RotateSecret(ctx, c.by(), c.ID)
		if err != nil {
			return err
		}
		if err := showSecret(w, c.Output, c.ID, secret); err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stderr, "It is good within %v; the one before stays good too, until rotate-secret --drop-old.\n", registry.MaxAge)
		return err
	})
}

type clientsRemoveCommand struct {
	clientsFlags
	ID  string `arg:"" help:"The client_id."`
	Yes bool   `help:"Say that you mean it."`
}

// Run removes the client, and prints its id.
func (c *clientsRemoveCommand) Run(w *process) error {
	return c.useOn(w, c.ID, func(ctx context.Context, all clients) error {
		if !c.Yes {
			r, err := all.Get(ctx, c.ID)
			if err != nil {
				return err
			}
			return fmt.Errorf("nobody will be able to sign in at %s (%s): say --yes if you mean it", printable(cmp.Or(r.Name, r.ID)), r.ID)
		}
		if err := all.Remove(ctx, c.by(), c.ID); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w.stdout, "%s is removed\n", c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w.stderr, "Its codes, refresh tokens and consents have ended, and its access tokens are revoked.")
		return err
	})
}

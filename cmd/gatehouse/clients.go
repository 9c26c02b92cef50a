package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

type clientsCommand struct {
	Add          clientsAddCommand    `cmd:"" help:"Register an app, and print its secret. It is shown this once."`
	List         clientsListCommand   `cmd:"" help:"List the apps: those of the configuration, and those in the table."`
	Show         clientsShowCommand   `cmd:"" help:"Show one app."`
	Edit         clientsEditCommand   `cmd:"" help:"Change an app in the table: in all that you say or, if anything is wrong, in nothing."`
	RotateSecret clientsRotateCommand `cmd:"" help:"Give an app another secret. The one before stays good until you drop it, or rotate again."`
	Remove       clientsRemoveCommand `cmd:"" help:"Remove an app from the table. Users cannot sign in there any more."`
}

// clientsFlags say whose clients are meant: those of a running gatehouse dev or, with a
// table, those of a deployment.
type clientsFlags struct {
	devFlags
	Table    string `env:"GATEHOUSE_TABLE" placeholder:"NAME" help:"The DynamoDB table of a deployment, instead of gatehouse dev. It takes AWS credentials."`
	Config   string `placeholder:"FILE" help:"With --table, the configuration of the deployment (gatehouse.yml here; where there is none, the built-in one)."`
	Operator string `env:"USER" default:"unknown" placeholder:"NAME" help:"With --table, who you are, for the audit trail (${env})."`
}

// clients are the clients of a service: [registry.Admin] in a table, [devClients] of a
// gatehouse dev.
type clients interface {
	Views(ctx context.Context) ([]registry.View, error)
	View(ctx context.Context, id string) (registry.View, error)
	Register(ctx context.Context, id string, settings registry.Edits, confidential bool) (client.Secret, error)
	Change(ctx context.Context, id string, version int64, edits registry.Edits) (registry.View, error)
	NewSecret(ctx context.Context, id string) (client.Secret, error)
	EndOldSecret(ctx context.Context, id string) error
	Unregister(ctx context.Context, id string) error
}

// use calls do with the clients, until Ctrl-C. If do changes them, the target is printed
// first.
func (f clientsFlags) use(w *process, changes bool, do func(context.Context, clients) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if f.Table != "" {
		if f.URL != "" {
			return usageError("which clients? Say --table for a deployment, or --url for gatehouse dev")
		}
		all, region, err := f.openTable(ctx, w)
		if err != nil {
			return err
		}
		if changes {
			if err := w.target("DynamoDB table %s in %s, as operator:%s", f.Table, region, printable(f.Operator)); err != nil {
				return err
			}
		}
		return do(ctx, all)
	}
	s, err := f.open(ctx, w)
	if err != nil {
		return err
	}
	if changes {
		if err := s.announce(ctx, w); err != nil {
			return err
		}
	}
	return do(ctx, devClients{s})
}

type clientsListCommand struct {
	clientsFlags
	outputFlag
}

// Run prints clients, one a line.
func (c *clientsListCommand) Run(w *process) error {
	return c.use(w, false, func(ctx context.Context, all clients) error {
		views, err := all.Views(ctx)
		if err != nil {
			return err
		}
		if c.json() {
			return w.printJSON(itemsOf(views))
		}
		table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tKIND\tGRANTS\tIN")
		for _, v := range views {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.ID, printable(v.Name), kindOf(v), strings.Join(v.Grants, " "), v.In)
		}
		return table.Flush()
	})
}

type clientsShowCommand struct {
	clientsFlags
	ID string `arg:"" help:"The client_id."`
	outputFlag
}

// Run prints the client that sign-ins find.
func (c *clientsShowCommand) Run(w *process) error {
	return c.use(w, false, func(ctx context.Context, all clients) error {
		view, err := all.View(ctx, c.ID)
		if err != nil {
			return err
		}
		return printClient(w, c.json(), view)
	})
}

type clientsRotateCommand struct {
	clientsFlags
	ID      string `arg:"" help:"The client_id."`
	DropOld bool   `help:"Make none: end the older of its two secrets."`
	outputFlag
}

// Run makes a secret and prints it, or drops one.
func (c *clientsRotateCommand) Run(w *process) error {
	return c.use(w, true, func(ctx context.Context, all clients) error {
		if c.DropOld {
			if err := all.EndOldSecret(ctx, c.ID); err != nil {
				return err
			}
			return printID(w, c.json(), c.ID, "the older secret of %s ends within %v\n", c.ID, registry.MaxAge)
		}
		secret, err := all.NewSecret(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := printSecret(w, c.json(), c.ID, secret); err != nil {
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
	outputFlag
}

// Run removes the client, and prints its id.
func (c *clientsRemoveCommand) Run(w *process) error {
	return c.use(w, true, func(ctx context.Context, all clients) error {
		if !c.Yes {
			v, err := all.View(ctx, c.ID)
			if err != nil {
				return err
			}
			return fmt.Errorf("nobody will be able to sign in at %s (%s): say --yes if you mean it", printable(v.Name), v.ID)
		}
		if err := all.Unregister(ctx, c.ID); err != nil {
			return err
		}
		if err := printID(w, c.json(), c.ID, "%s is removed\n", c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w.stderr, "Its codes, refresh tokens and consents have ended, and its access tokens are revoked.")
		return err
	})
}

type clientsAddCommand struct {
	clientsFlags
	ID         string   `arg:"" help:"The client_id, such as shop-web."`
	Name       string   `placeholder:"TEXT" help:"The name that people see (the id)."`
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
	outputFlag
}

// Run registers the client, and prints it with its secret.
func (c *clientsAddCommand) Run(w *process) error {
	settings := registry.Edits{
		Name: &c.Name, ThirdParty: &c.ThirdParty, RedirectURIs: c.Redirect, PostLogoutRedirectURIs: c.PostLogout,
		Origins: c.Origin, Grants: c.Grant, Scopes: c.Scope, Audiences: c.Audience, Serves: c.Serves,
		Exceptions: c.exceptionFlags.said(),
	}
	if err := c.lifetimeFlags.apply(&settings); err != nil {
		return err
	}
	if c.Public && slices.Contains(c.Grant, client.GrantClientCredentials) {
		return errors.New("a client that acts for itself has to prove who it is: take out --public")
	}
	return c.use(w, true, func(ctx context.Context, all clients) error {
		secret, err := all.Register(ctx, c.ID, settings, !c.Public)
		if err != nil {
			return err
		}
		return printSecret(w, c.json(), c.ID, secret)
	})
}

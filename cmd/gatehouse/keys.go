package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

type keysCommand struct {
	List   keysListCommand   `cmd:"" help:"Show the signing keys, and whether anything is wrong with them."`
	Rotate keysRotateCommand `cmd:"" help:"Have the next key sign, and make another next one. Safe to repeat."`
	Retire keysRetireCommand `cmd:"" help:"Take a compromised key out of the published keys at once, and for good. Safe to repeat."`
	Export keysExportCommand `cmd:"" help:"Print the published keys, to be built into the functions."`
}

// ringFlags say which ring is meant: that of a running gatehouse dev or, with a
// table, that of a stack in AWS.
type ringFlags struct {
	URL   string `name:"url" default:"http://localhost:8787" placeholder:"URL" help:"Where gatehouse dev runs (${default})."`
	Table string `env:"GATEHOUSE_TABLE" placeholder:"NAME" help:"The DynamoDB table of a stack in AWS, instead of gatehouse dev."`
	Name  string `env:"GATEHOUSE_NAME" placeholder:"NAME" help:"The name of that stack, which is the tag gatehouse of its KMS keys. Needed to make a key."`
}

// ring is the ring of keys as the commands see it.
type ring interface {
	View(ctx context.Context) (keyring.View, error)
	Check(ctx context.Context) error // nil: healthy
	Rotate(ctx context.Context) error
	Compromise(ctx context.Context, id string) error
	Export(ctx context.Context) ([]byte, error)
}

func (f ringFlags) open(ctx context.Context, w *process) (ring, error) {
	if f.Table != "" {
		return openStackRing(ctx, f.Table, f.Name)
	}
	return openDevRing(ctx, strings.TrimRight(f.URL, "/"), w)
}

// use calls do with the ring, until Ctrl-C.
func (f ringFlags) use(w *process, do func(context.Context, ring) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := f.open(ctx, w)
	if err != nil {
		return err
	}
	return do(ctx, r)
}

type keysListCommand struct {
	ringFlags
	Output string `short:"o" default:"text" enum:"text,json" help:"Print it as text or as json."`
}

// Run prints the keys. It fails if something is wrong with them.
func (c *keysListCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, r ring) error {
		view, err := r.View(ctx)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			err = json.NewEncoder(w.stdout).Encode(view)
		} else {
			err = writeRing(w, view)
		}
		return errors.Join(err, r.Check(ctx))
	})
}

type keysRotateCommand struct{ ringFlags }

// Run rotates, and prints the keys as they are then, also if it could not.
func (c *keysRotateCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, r ring) error {
		err := r.Rotate(ctx)
		return errors.Join(err, printRing(ctx, w, r))
	})
}

type keysRetireCommand struct {
	ringFlags
	Compromised string `required:"" placeholder:"KID" help:"The id of the key. Every token that it signed is refused from now on."`
}

// Run retires the key, waits until every instance of the login service has
// noticed, and prints the keys as they are then.
func (c *keysRetireCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, r ring) error {
		err := r.Compromise(ctx, c.Compromised)
		return errors.Join(err, printRing(ctx, w, r))
	})
}

type keysExportCommand struct{ ringFlags }

// Run prints the JWK Set.
func (c *keysExportCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, r ring) error {
		document, err := r.Export(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "%s\n", document)
		return err
	})
}

func printRing(ctx context.Context, w *process, r ring) error {
	view, err := r.View(ctx)
	if err != nil {
		return err
	}
	return writeRing(w, view)
}

// writeRing prints one line a key, and then what comes next.
func writeRing(w *process, view keyring.View) error {
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATE\tKEY\tSINCE\t")
	for _, k := range view.Keys {
		note := ""
		switch {
		case k.State == keys.Next:
			note = "may sign from " + instant(view.ReadyAt)
		case k.State == keys.Current:
			note = "a rotation is due " + instant(view.DueAt)
		case k.State == keys.Retiring:
			note = "published until " + instant(k.KeepUntil)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", k.State, k.ID, instant(since(k)), note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	signs := func(k keyring.KeyView) bool { return k.State == keys.Current }
	if view.ReadyAt.IsZero() || slices.ContainsFunc(view.Keys, signs) {
		return nil
	}
	_, err := fmt.Fprintf(w.stdout, "No key signs: nobody can sign in, or renew a token, until %s.\n", instant(view.ReadyAt))
	return err
}

// since returns when the key came into its state.
func since(k keyring.KeyView) time.Time {
	switch k.State {
	case keys.Next:
		return k.PublishedAt
	case keys.Current:
		return k.CurrentAt
	case keys.Retiring:
		return k.RetiringAt
	}
	return k.EndedAt
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

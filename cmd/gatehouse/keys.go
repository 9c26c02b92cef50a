package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

type keysCommand struct {
	List   keysListCommand   `cmd:"" help:"Show the signing keys, and whether anything is wrong with them."`
	Rotate keysRotateCommand `cmd:"" help:"Have the next key sign, and make another next one. Safe to repeat."`
	Retire keysRetireCommand `cmd:"" help:"Take a compromised key out of the published keys at once, and for good. Safe to repeat."`
	Export keysExportCommand `cmd:"" help:"Print the published keys, to be built into the functions."`
}

// ringFlags say which ring is meant: that of a running gatehouse dev or, with a name,
// that of a deployment.
type ringFlags struct {
	devFlags
	Name string `env:"GATEHOUSE_NAME" placeholder:"NAME" help:"The name of a deployment, SERVICE-STAGE such as gatehouse-prod: its function NAME-rotator is invoked, which takes AWS credentials."`
	outputFlag
}

// ring is the ring of keys of a running service.
type ring interface {
	// target says which ring is about to be changed.
	target(ctx context.Context, w *process) error
	// obey does one order. The outcome says what was refused.
	obey(ctx context.Context, order keyring.Order) (keyring.Outcome, error)
}

// use sends an order to the ring, until Ctrl-C, and prints the outcome. What was refused is
// an error.
func (f ringFlags) use(w *process, order keyring.Order) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := f.open(ctx, w)
	if err != nil {
		return err
	}
	if order.Command == keyring.OrderRotate || order.Command == keyring.OrderCompromise {
		if err := r.target(ctx, w); err != nil {
			return err
		}
	}
	out, err := r.obey(ctx, order)
	if err != nil {
		return err
	}
	switch {
	case order.Command == keyring.OrderExport && len(out.Keys) > 0:
		err = w.printRaw(out.Keys, false)
	case order.Command == keyring.OrderExport:
	case f.json():
		err = w.printJSON(out.View)
	default:
		err = writeRing(w, out.View)
	}
	if out.Problem != "" {
		err = errors.Join(err, errors.New(out.Problem))
	}
	return err
}

func (f ringFlags) open(ctx context.Context, w *process) (ring, error) {
	if f.Name == "" {
		s, err := f.devFlags.open(ctx, w)
		return devRing{s}, err
	}
	if f.URL != "" {
		return nil, usageError("which keys? Say --name for a deployment, or --url for gatehouse dev")
	}
	cfg, err := awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	return rotatorRing{client: lambda.NewFromConfig(cfg), function: f.Name + "-rotator", region: cfg.Region}, nil
}

type keysListCommand struct{ ringFlags }

// Run prints the keys. It fails if something is wrong with them.
func (c *keysListCommand) Run(w *process) error {
	return c.use(w, keyring.Order{Command: keyring.OrderView})
}

type keysRotateCommand struct{ ringFlags }

// Run rotates, and prints the keys as they are then, also if it could not.
func (c *keysRotateCommand) Run(w *process) error {
	return c.use(w, keyring.Order{Command: keyring.OrderRotate})
}

type keysRetireCommand struct {
	ringFlags
	Compromised string `required:"" placeholder:"KID" help:"The id of the key. Every token that it signed is refused from now on."`
}

// Run retires the key, waits until every instance of the login service has
// noticed, and prints the keys as they are then.
func (c *keysRetireCommand) Run(w *process) error {
	return c.use(w, keyring.Order{Command: keyring.OrderCompromise, KeyID: c.Compromised})
}

type keysExportCommand struct{ ringFlags }

// Run prints the JWK Set.
func (c *keysExportCommand) Run(w *process) error {
	return c.use(w, keyring.Order{Command: keyring.OrderExport})
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

package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// The commands of an [Order].
const (
	OrderView       = "view"       // changes nothing
	OrderExport     = "export"     // changes nothing
	OrderRotate     = "rotate"     // [Keyring.Rotate]
	OrderCompromise = "compromise" // [Keyring.Compromise], and waits until no instance publishes the key
)

// Order is what an operator asks the rotator to do, by invoking it. A scheduled event has
// no such members: its command is "".
type Order struct {
	Command string `json:"command"`
	KeyID   string `json:"kid"` // for OrderCompromise
}

// Outcome is the rotator's response to an [Order].
type Outcome struct {
	View View            `json:"view"`           // the ring afterwards
	Keys json.RawMessage `json:"keys,omitempty"` // for OrderExport, the document
	// Problem says what was not done, or what is wrong with the ring. "": nothing.
	Problem string `json:"problem,omitempty"`
}

// Obey does what an operator asks for. The error is nil unless the command is unknown or
// the ring cannot be read: what the rules of the ring refuse is a Problem.
func (k *Keyring) Obey(ctx context.Context, o Order) (Outcome, error) {
	var out Outcome
	var problem error
	switch o.Command {
	case OrderView:
		problem = k.Check(ctx)
	case OrderExport:
		out.Keys, problem = k.Export(ctx)
	case OrderRotate:
		_, problem = k.Rotate(ctx)
	case OrderCompromise:
		problem = k.compromiseEverywhere(ctx, o.KeyID)
	default:
		return out, fmt.Errorf("unknown command %q", o.Command)
	}
	if problem != nil {
		out.Problem = problem.Error()
	}
	var err error
	out.View, err = k.View(ctx)
	return out, err
}

// compromiseEverywhere returns when every instance of the login service has read the ring
// since, or with an error that tells what was not done.
func (k *Keyring) compromiseEverywhere(ctx context.Context, id string) error {
	report, err := k.Compromise(ctx, id)
	if key, ok := report.Ring.Find(id); !ok || key.State != keys.Compromised {
		return err
	}
	select {
	case <-time.After(k.Staleness):
	case <-ctx.Done():
		err = errors.Join(err, errors.New("the login service can publish the key for some seconds yet"))
	}
	return err
}

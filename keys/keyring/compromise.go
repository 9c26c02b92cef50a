package keyring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Compromise takes a key out of the JWK Set for good: as soon as verifiers look,
// they refuse every token it signed. It needs the table alone; then, as far as
// KMS answers, it discards the private key and makes a new next key. Other
// processes follow within Staleness: wait that long before you report that the
// key is gone. It is safe to repeat.
func (k *Keyring) Compromise(ctx context.Context, id string) (Report, error) {
	now, err := k.apply(ctx, func(_ context.Context, ring keys.Ring) (keys.Ring, error) {
		return k.Rules.Compromise(ring, id, k.Now())
	})
	if err != nil {
		return Report{Ring: now.ring}, err
	}
	report := Report{Ring: now.ring}
	if current, ok := now.ring.Current(); ok && current.CurrentAt.Equal(endOf(now.ring, id)) {
		report.Promoted = current.ID
	}
	err = errors.Join(k.provide(ctx, &report), k.cleanUp(ctx, &report))
	return report, err
}

func endOf(ring keys.Ring, id string) time.Time {
	key, _ := ring.Find(id)
	return key.EndedAt
}

// Check returns what is wrong with the ring, or nil: whether the current and the
// next key are there and sign, and whether the ring is tended at all. It asks
// each of the two keys for a signature.
func (k *Keyring) Check(ctx context.Context) error {
	now, err := k.load(ctx)
	if err != nil {
		return err
	}
	if len(now.ring) == 0 {
		return errors.New("the ring is empty: the first request to the login service begins it")
	}
	var mistakes []error
	if current, ok := now.ring.Current(); !ok {
		mistakes = append(mistakes, fmt.Errorf("no key signs%s", since(k.Rules.ReadyAt(now.ring))))
	} else if err := prove(ctx, k.signer(current)); err != nil {
		mistakes = append(mistakes, fmt.Errorf("the current key, %s, cannot sign: %w", current.ID, err))
	}
	if next, ok := now.ring.Next(); !ok {
		mistakes = append(mistakes, errors.New("there is no next key, should the current one be compromised: rotate makes one"))
	} else if err := prove(ctx, k.signer(next)); err != nil {
		mistakes = append(mistakes, fmt.Errorf("the next key, %s, cannot sign: %w", next.ID, err))
	}
	return errors.Join(append(mistakes, k.checkTended(now.ring))...)
}

func since(ready time.Time) string {
	if ready.IsZero() {
		return ""
	}
	return ": the next one may from " + ready.UTC().Format(time.RFC3339)
}

// neglect is how late something due may be before somebody should look.
const neglect = 24 * time.Hour

func (k *Keyring) checkTended(ring keys.Ring) error {
	late := k.Now().Add(-neglect)
	if _, ok := ring.Current(); ok && k.Rules.DueAt(ring).Before(late) {
		return fmt.Errorf("a rotation was due at %s: is the rotator running?", k.Rules.DueAt(ring).UTC().Format(time.RFC3339))
	}
	for _, key := range ring {
		if key.State == keys.Retiring && key.KeepUntil.Before(late) {
			return fmt.Errorf("%s was to retire at %s: is the rotator running?", key.ID, key.KeepUntil.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

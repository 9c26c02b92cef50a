package keyring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Report tells what a run has done, by key ids, and the ring it left behind.
type Report struct {
	Promoted  string   // began to sign
	Added     string   // was made and published
	Retired   []string // left the JWK Set because their last token has expired
	Discarded []string // lost their private key
	Ring      keys.Ring
}

// LogValue tells the report without the ring.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(slog.String("promoted", r.Promoted), slog.String("added", r.Added),
		slog.Any("retired", r.Retired), slog.Any("discarded", r.Discarded))
}

// Tend does what is due; it is to be run every hour or so. It retires keys whose
// tokens have expired, has the next key sign if the current one has for the
// period, makes a new next key if there is none, and discards the private keys
// of those that ended. The report is of what was done, also with an error.
func (k *Keyring) Tend(ctx context.Context) (Report, error) {
	return k.tend(ctx, func(ring keys.Ring) bool {
		_, ok := ring.Next()
		return ok && !k.Now().Before(k.Rules.DueAt(ring)) && !k.Now().Before(k.Rules.ReadyAt(ring))
	})
}

// Rotate does what [Keyring.Tend] does, and has the next key sign now, due or
// not. If the rules or the state of the keys forbid it, the error says why,
// and the rest is done: a [*keys.RuleError] tells when to come again. Of
// several runs at the same time, one rotates.
func (k *Keyring) Rotate(ctx context.Context) (Report, error) {
	return k.tend(ctx, func(keys.Ring) bool { return true })
}

func (k *Keyring) tend(ctx context.Context, wanted func(keys.Ring) bool) (Report, error) {
	begun, err := k.settled(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Ring: begun.ring}
	err = errors.Join(
		k.expire(ctx, &report),
		k.promote(ctx, &report, wanted),
		k.provide(ctx, &report),
		k.cleanUp(ctx, &report),
	)
	return report, err
}

// expire takes keys out of the JWK Set whose last token has expired.
func (k *Keyring) expire(ctx context.Context, report *Report) error {
	now, err := k.apply(ctx, func(_ context.Context, ring keys.Ring) (keys.Ring, error) {
		expired := k.Rules.Retire(ring, k.Now())
		report.Retired = nil
		for i, key := range expired {
			if key.State != ring[i].State {
				report.Retired = append(report.Retired, key.ID)
			}
		}
		return k.Rules.Forget(expired, k.Now()), nil
	})
	return report.after(now, err)
}

// promote has the next key sign, if that is wanted and the key proves that it
// can.
func (k *Keyring) promote(ctx context.Context, report *Report, wanted func(keys.Ring) bool) error {
	now, err := k.apply(ctx, func(ctx context.Context, ring keys.Ring) (keys.Ring, error) {
		report.Promoted = ""
		if !wanted(ring) {
			return ring, nil
		}
		promoted, err := k.Rules.Promote(ring, k.Now())
		if err != nil {
			return nil, err
		}
		next, _ := promoted.Current()
		if err := prove(ctx, k.signer(next)); err != nil {
			return nil, fmt.Errorf("the next key, %s, cannot sign: %w", next.ID, err)
		}
		report.Promoted = next.ID
		return promoted, nil
	})
	if err != nil {
		report.Promoted = ""
	}
	return report.after(now, err)
}

// provide sees that there is a next key.
func (k *Keyring) provide(ctx context.Context, report *Report) error {
	if _, ok := report.Ring.Next(); ok {
		return nil
	}
	if n := len(report.Ring.Published()); n >= keys.MaxPublished {
		return &keys.RuleError{Why: fmt.Sprintf("no next key can be made: %d keys are published, and verifiers read no more", n)}
	}
	now, id, err := k.join(ctx, func(ring keys.Ring, key keys.RingKey) (keys.Ring, error) {
		if _, ok := ring.Next(); ok {
			return ring, nil // somebody else was faster
		}
		return k.Rules.Add(ring, key, k.Now())
	})
	report.Added = id
	return report.after(now, err)
}

// cleanUp discards the private keys of keys that ended, and then forgets where
// they were.
func (k *Keyring) cleanUp(ctx context.Context, report *Report) error {
	if k.Discard == nil {
		return nil
	}
	var mistakes []error
	for _, key := range report.Ring {
		if key.Published() || key.Adopted || key.Reference == "" {
			continue
		}
		if err := k.discard(ctx, key.Reference); err != nil {
			mistakes = append(mistakes, fmt.Errorf("discarding the private key of %s: %w", key.ID, err))
			continue
		}
		report.Discarded = append(report.Discarded, key.ID)
	}
	now, err := k.apply(ctx, func(_ context.Context, ring keys.Ring) (keys.Ring, error) {
		ring = slices.Clone(ring)
		for i := range ring {
			if slices.Contains(report.Discarded, ring[i].ID) {
				ring[i].Reference = ""
			}
		}
		return ring, nil
	})
	return errors.Join(append(mistakes, report.after(now, err))...)
}

// after notes the ring as a part of the run left it.
func (r *Report) after(now stored, err error) error {
	if now.version > 0 {
		r.Ring = now.ring
	}
	return err
}

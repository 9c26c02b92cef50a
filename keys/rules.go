package keys

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Margin is added wherever one clock is compared with another: instances read
// the ring every few seconds, sign for a few seconds, and their clocks differ.
const Margin = 5 * time.Minute

// MaxAge is how long a JWK Set may be kept, unless [Rules] say otherwise.
const MaxAge = 15 * time.Minute

// Rules say what may happen to a ring, and when. They are pure: given the ring
// and the time, each returns the ring as it will be, or a [*RuleError] that says
// why not. A zero field has the default told beside it.
type Rules struct {
	// MaxAge is the max-age of the JWK Set's answers. 0: [MaxAge].
	MaxAge time.Duration
	// Lead is how long a key is published before it signs, so that every
	// verifier has heard of it. It is at least MaxAge + [Margin].
	// 0: 2 hours, for which API Gateway keeps a JWK Set, + MaxAge + Margin.
	Lead time.Duration
	// TokenTTL is the longest life of a token. 0: 1 hour.
	TokenTTL time.Duration
	// Leeway is how long after its expiry a verifier may still accept a token.
	// 0: 1 minute.
	Leeway time.Duration
	// Period is how long a key signs before another is due. 0: 30 days.
	Period time.Duration
}

// Check returns an error that names what is wrong with the rules.
func (r Rules) Check() error {
	var mistakes []error
	if d := r.defaults(); d.Lead < d.MaxAge+Margin {
		mistakes = append(mistakes, fmt.Errorf("lead of %v: want max-age + %v, which is %v, or more", d.Lead, Margin, d.MaxAge+Margin))
	} else if d.Period < d.Lead {
		mistakes = append(mistakes, fmt.Errorf("period of %v: want no less than the lead of %v", d.Period, d.Lead))
	}
	for _, span := range []struct {
		name  string
		value time.Duration
	}{
		{"max-age", r.MaxAge}, {"lead", r.Lead}, {"token life", r.TokenTTL}, {"leeway", r.Leeway}, {"period", r.Period},
	} {
		if span.value < 0 {
			mistakes = append(mistakes, fmt.Errorf("%s of %v: want no negative span", span.name, span.value))
		}
	}
	return errors.Join(mistakes...)
}

func (r Rules) defaults() Rules {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&r.MaxAge, MaxAge)
	set(&r.Lead, 2*time.Hour+r.MaxAge+Margin)
	set(&r.TokenTTL, time.Hour)
	set(&r.Leeway, time.Minute)
	set(&r.Period, 30*24*time.Hour)
	return r
}

// RuleError is a change of the ring that the rules forbid.
type RuleError struct {
	Why   string
	Until time.Time // when it will be allowed; zero: waiting does not help
}

func (e *RuleError) Error() string {
	if e.Until.IsZero() {
		return e.Why
	}
	return e.Why + " until " + e.Until.UTC().Format(time.RFC3339)
}

func refuse(format string, args ...any) error { return &RuleError{Why: fmt.Sprintf(format, args...)} }

// Adopt makes key the current key of an empty ring. It signs at once: no
// verifier can know a JWK Set without it, as there was none.
func (r Rules) Adopt(ring Ring, key RingKey, now time.Time) (Ring, error) {
	if len(ring) > 0 {
		return nil, refuse("the ring has keys already")
	}
	key.State, key.PublishedAt, key.CurrentAt = Current, now, now
	return join(ring, key)
}

// Add publishes key as the next one. The rules want a next key at all times, so
// that there is one which every verifier knows should the current one be
// compromised.
func (r Rules) Add(ring Ring, key RingKey, now time.Time) (Ring, error) {
	switch next, ok := ring.Next(); {
	case len(ring) == 0:
		return nil, refuse("the ring is empty: its first key has to be adopted")
	case ok:
		return nil, refuse("%s is the next key already", next.ID)
	case len(ring.Published()) >= MaxPublished:
		return nil, refuse("%d keys are published, and verifiers read no more", MaxPublished)
	}
	key.State, key.PublishedAt = Next, now
	return join(ring, key)
}

func join(ring Ring, key RingKey) (Ring, error) {
	if err := CheckPublic(key.Public); err != nil {
		return nil, refuse("%v", err)
	}
	key.ID = Thumbprint(key.Public)
	if known, ok := ring.Find(key.ID); ok {
		return nil, refuse("%s has been in the ring before, and is %s", key.ID, known.State)
	}
	return append(ring[:len(ring):len(ring)], key), nil
}

// Promote makes the next key the current one, and the current one retire.
func (r Rules) Promote(ring Ring, now time.Time) (Ring, error) {
	next, ok := ring.Next()
	if !ok {
		return nil, refuse("there is no next key")
	}
	if at := r.ReadyAt(ring); now.Before(at) {
		return nil, &RuleError{"not every verifier knows the next key: it may not sign", at}
	}
	rules := r.defaults()
	if current, ok := ring.Current(); ok {
		ring = ring.with(current.ID, func(k *RingKey) {
			k.State, k.RetiringAt = Retiring, now
			k.KeepUntil = now.Add(rules.TokenTTL + rules.Leeway + Margin)
		})
	}
	return ring.with(next.ID, func(k *RingKey) { k.State, k.CurrentAt = Current, now }), nil
}

// ReadyAt returns when the next key may sign; zero if there is none. While no
// key signs at all, because the current one was compromised, it waits only for
// verifiers that keep to the max-age.
func (r Rules) ReadyAt(ring Ring) time.Time {
	next, ok := ring.Next()
	if !ok {
		return time.Time{}
	}
	rules := r.defaults()
	if _, ok := ring.Current(); !ok {
		return next.PublishedAt.Add(rules.MaxAge + Margin)
	}
	return next.PublishedAt.Add(rules.Lead)
}

// DueAt returns when the current key is to be replaced: now or earlier if none
// signs.
func (r Rules) DueAt(ring Ring) time.Time {
	current, _ := ring.Current()
	return current.CurrentAt.Add(r.defaults().Period)
}

// Retire takes the keys out of the JWK Set whose last token has expired. It
// returns the ring unchanged if there are none.
func (r Rules) Retire(ring Ring, now time.Time) Ring {
	for _, k := range ring {
		if k.State == Retiring && !now.Before(k.KeepUntil) {
			ring = ring.with(k.ID, func(k *RingKey) { k.State, k.EndedAt = Retired, now })
		}
	}
	return ring
}

// memory is how long a retired key is remembered: as long as a session can live at
// most, because an ID token of then can still be an id_token_hint.
const memory = 400 * 24 * time.Hour

// MaxRetired is how many retired keys are remembered, about 270 kB of the 400 kB
// that a row can have. With the default lead, keys change 309 times at most within
// the 30 days of a session.
const MaxRetired = 400

// Forget drops keys that retired more than 400 days ago, and the oldest retired keys
// above [MaxRetired]. Compromised keys are remembered for good: they must never join
// again.
func (r Rules) Forget(ring Ring, now time.Time) Ring {
	kept := make(Ring, 0, len(ring))
	retired := 0
	for _, k := range slices.Backward(ring) {
		if k.State == Retired {
			if retired == MaxRetired || !now.Before(k.EndedAt.Add(memory)) {
				continue
			}
			retired++
		}
		kept = append(kept, k)
	}
	slices.Reverse(kept)
	return kept
}

// Compromise takes a key out of the JWK Set at once and for good: every token
// it signed is refused as soon as verifiers look. If it was the current key,
// the next one takes over, at once if it may. A key that is compromised
// already stays so.
func (r Rules) Compromise(ring Ring, id string, now time.Time) (Ring, error) {
	key, ok := ring.Find(id)
	if !ok {
		return nil, refuse("no key %q in the ring", id)
	}
	if key.State == Compromised {
		return ring, nil
	}
	ring = ring.with(id, func(k *RingKey) { k.State, k.EndedAt = Compromised, now })
	if promoted, err := r.Promote(ring, now); err == nil && key.State == Current {
		return promoted, nil
	}
	return ring, nil
}

package keyring

import (
	"context"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// View is the ring as people may see it: without the references to private keys.
type View struct {
	Keys []KeyView `json:"keys"` // in the order in which they joined
	// ReadyAt is when the next key may sign; zero: there is none.
	ReadyAt time.Time `json:"ready_at,omitzero"`
	// DueAt is when the next rotation is due; zero: no key signs.
	DueAt time.Time `json:"due_at,omitzero"`
}

// KeyView is a key of a [View]. Its instants are those of [keys.RingKey].
type KeyView struct {
	ID          string     `json:"kid"`
	State       keys.State `json:"state"`
	PublishedAt time.Time  `json:"published_at"`
	CurrentAt   time.Time  `json:"current_at,omitzero"`
	RetiringAt  time.Time  `json:"retiring_at,omitzero"`
	KeepUntil   time.Time  `json:"keep_until,omitzero"`
	EndedAt     time.Time  `json:"ended_at,omitzero"`
}

// View returns the ring as it is in the table now.
func (k *Keyring) View(ctx context.Context) (View, error) {
	ring, err := k.List(ctx)
	if err != nil {
		return View{}, err
	}
	view := View{Keys: []KeyView{}, ReadyAt: k.Rules.ReadyAt(ring)}
	if _, ok := ring.Current(); ok {
		view.DueAt = k.Rules.DueAt(ring)
	}
	for _, key := range ring {
		view.Keys = append(view.Keys, KeyView{key.ID, key.State, key.PublishedAt, key.CurrentAt, key.RetiringAt, key.KeepUntil, key.EndedAt})
	}
	return view, nil
}

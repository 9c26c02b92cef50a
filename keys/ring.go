package keys

import (
	"crypto/rsa"
	"slices"
	"time"
)

// State is where a key of the ring stands in its life. It moves only downwards
// in this list.
type State string

// The states of a key.
const (
	Next        State = "next"        // published, does not sign yet
	Current     State = "current"     // published, signs
	Retiring    State = "retiring"    // published for the tokens it signed, signs no more
	Retired     State = "retired"     // not published: the last token it signed has expired
	Compromised State = "compromised" // not published: no token it signed is to be accepted
)

// RingKey is a key of the ring.
type RingKey struct {
	ID     string // [Thumbprint] of Public
	Public *rsa.PublicKey
	State  State
	// Reference leads to the private key, such as an ARN. It is for the table
	// alone. It is empty if the private key is gone.
	Reference string
	// Adopted tells that the private key was not made by the ring, and so is
	// not the ring's to delete.
	Adopted bool

	PublishedAt time.Time // joined the ring
	CurrentAt   time.Time // began to sign; zero: never did
	RetiringAt  time.Time // ceased to sign; zero: did not, or was compromised
	KeepUntil   time.Time // retiring: when the last token it signed has expired
	EndedAt     time.Time // retired or compromised
}

// Published tells whether the key belongs in the JWK Set.
func (k RingKey) Published() bool {
	return k.State == Next || k.State == Current || k.State == Retiring
}

// Ring is every key that Gatehouse has signed with, signs with and will sign
// with, in the order in which they joined. It has at most one next and one
// current key. A ring is a value: [Rules] makes a new one of it.
type Ring []RingKey

// Find returns the key with an id.
func (r Ring) Find(id string) (RingKey, bool) {
	return r.first(func(k RingKey) bool { return k.ID == id })
}

// Current returns the key that signs. There is none in an empty ring, and after
// the current key was compromised until the next one may sign.
func (r Ring) Current() (RingKey, bool) {
	return r.first(func(k RingKey) bool { return k.State == Current })
}

// Next returns the key that will sign next.
func (r Ring) Next() (RingKey, bool) {
	return r.first(func(k RingKey) bool { return k.State == Next })
}

func (r Ring) first(match func(RingKey) bool) (RingKey, bool) {
	if i := slices.IndexFunc(r, match); i >= 0 {
		return r[i], true
	}
	return RingKey{}, false
}

// Published returns the keys of the JWK Set: the current one, the next one, then
// those that retire.
func (r Ring) Published() []RingKey {
	var published []RingKey
	for _, state := range []State{Current, Next, Retiring} {
		for _, k := range r {
			if k.State == state {
				published = append(published, k)
			}
		}
	}
	return published
}

// with returns a copy of the ring in which change was made to the key with id.
func (r Ring) with(id string, change func(*RingKey)) Ring {
	r = slices.Clone(r)
	for i := range r {
		if r[i].ID == id {
			change(&r[i])
		}
	}
	return r
}

package keys_test

import (
	"crypto/rsa"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fakeKey returns the i-th of many public keys, which nobody can sign for.
func fakeKey(i int) keys.RingKey {
	n := new(big.Int).Lsh(big.NewInt(1), keys.MinBits-1)
	pub := &rsa.PublicKey{N: n.Add(n, big.NewInt(int64(2*i+1))), E: 65537}
	return keys.RingKey{Public: pub, Reference: "ref"}
}

// states tells the states of the keys in the order in which they joined.
func states(ring keys.Ring) string {
	var names []string
	for _, k := range ring {
		names = append(names, string(k.State))
	}
	return strings.Join(names, " ")
}

// history makes a ring by steps that must all be allowed.
type history struct {
	t     *testing.T
	rules keys.Rules
	ring  keys.Ring
	now   time.Time
	made  int
}

func newHistory(t *testing.T) *history { return &history{t: t, now: start} }

func (h *history) must(ring keys.Ring, err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	h.ring = ring
}

func (h *history) key() keys.RingKey { h.made++; return fakeKey(h.made) }
func (h *history) adopt()            { h.t.Helper(); h.must(h.rules.Adopt(h.ring, h.key(), h.now)) }
func (h *history) add()              { h.t.Helper(); h.must(h.rules.Add(h.ring, h.key(), h.now)) }
func (h *history) promote()          { h.t.Helper(); h.must(h.rules.Promote(h.ring, h.now)) }
func (h *history) retire()           { h.ring = h.rules.Retire(h.ring, h.now) }
func (h *history) compromise(state keys.State) {
	h.t.Helper()
	i := slices.IndexFunc(h.ring, func(k keys.RingKey) bool { return k.State == state })
	h.must(h.rules.Compromise(h.ring, h.ring[i].ID, h.now))
}

func (h *history) want(want string) {
	h.t.Helper()
	if got := states(h.ring); got != want {
		h.t.Fatalf("the ring is %q, want %q", got, want)
	}
}

// wantRule checks that err is a refusal about want that ends at until.
func wantRule(t *testing.T, err error, want string, until time.Time) {
	t.Helper()
	rule, ok := errors.AsType[*keys.RuleError](err)
	if !ok || !strings.Contains(err.Error(), want) || !rule.Until.Equal(until) {
		t.Errorf("error %v, want one about %q until %v", err, want, until)
	}
}

func TestLifeOfAKey(t *testing.T) {
	h := newHistory(t)
	h.adopt()
	h.want("current")
	h.add()
	h.want("current next")
	t.Run("S99 a key is published for two hours and more before it signs", func(t *testing.T) {
		ready := start.Add(2*time.Hour + 20*time.Minute)
		if at := h.rules.ReadyAt(h.ring); !at.Equal(ready) {
			t.Errorf("ready at %v, want %v", at, ready)
		}
		_, err := h.rules.Promote(h.ring, ready.Add(-time.Second))
		wantRule(t, err, "not every verifier knows the next key", ready)
		h.now = ready
		h.promote()
		h.want("retiring current")
	})
	t.Run("S99 a key stays until the last token it signed has expired", func(t *testing.T) {
		end := h.now.Add(time.Hour + time.Minute + 5*time.Minute)
		if !h.ring[0].KeepUntil.Equal(end) {
			t.Errorf("kept until %v, want %v", h.ring[0].KeepUntil, end)
		}
		h.now = end.Add(-time.Second)
		h.retire()
		h.want("retiring current")
		h.now = end
		h.retire()
		h.want("retired current")
	})
	if at := h.rules.DueAt(h.ring); !at.Equal(h.ring[1].CurrentAt.Add(30 * 24 * time.Hour)) {
		t.Errorf("the next rotation is due at %v", at)
	}
}

func TestPublished(t *testing.T) {
	h := newHistory(t)
	h.adopt()
	h.add()
	h.now = h.now.Add(3 * time.Hour)
	h.promote()
	h.add()
	h.want("retiring current next")
	var order []string
	for _, k := range h.ring.Published() {
		order = append(order, string(k.State))
	}
	if got := strings.Join(order, " "); got != "current next retiring" {
		t.Errorf("published %q: want the current key first", got)
	}
}

func TestCompromise(t *testing.T) {
	ready := func(t *testing.T) *history {
		h := newHistory(t)
		h.adopt()
		h.add()
		h.now = h.now.Add(3 * time.Hour)
		return h
	}
	t.Run("S100 the current key is out of the JWK Set, and the next one takes over", func(t *testing.T) {
		h := ready(t)
		h.compromise(keys.Current)
		h.want("compromised current")
		if published := h.ring.Published(); len(published) != 1 || published[0].ID != h.ring[1].ID {
			t.Errorf("published: %+v", published)
		}
	})
	t.Run("S100 the next key", func(t *testing.T) {
		h := ready(t)
		h.compromise(keys.Next)
		h.want("current compromised")
	})
	t.Run("S100 a key that retires", func(t *testing.T) {
		h := ready(t)
		h.promote()
		h.compromise(keys.Retiring)
		h.want("compromised current")
	})
	t.Run("a key that has retired", func(t *testing.T) {
		h := ready(t)
		h.promote()
		h.now = h.now.Add(2 * time.Hour)
		h.retire()
		h.compromise(keys.Retired)
		h.want("compromised current")
	})
	t.Run("a key that has retired does not make the next one sign", func(t *testing.T) {
		h := ready(t)
		h.promote()
		h.add()
		h.now = h.now.Add(24 * time.Hour)
		h.retire()
		h.compromise(keys.Retired)
		h.want("compromised current next")
	})
	t.Run("a key that retires does not make the next one sign early", func(t *testing.T) {
		h := ready(t)
		h.promote()
		h.add()
		h.now = h.now.Add(time.Hour)
		h.compromise(keys.Retiring)
		h.want("compromised current next")
	})
	t.Run("a new next key signs after max-age and margin if no other can", func(t *testing.T) {
		h := ready(t)
		h.promote()
		h.add()
		h.compromise(keys.Current)
		h.want("retiring compromised next")
		floor := h.now.Add(20 * time.Minute)
		_, err := h.rules.Promote(h.ring, floor.Add(-time.Second))
		wantRule(t, err, "may not sign", floor)
		h.now = floor
		h.promote()
		h.want("retiring compromised current")
	})
	t.Run("without a next key nothing signs", func(t *testing.T) {
		h := newHistory(t)
		h.adopt()
		h.compromise(keys.Current)
		h.want("compromised")
		if at := h.rules.DueAt(h.ring); at.After(h.now) {
			t.Errorf("a new key is due only at %v", at)
		}
		h.add()
		h.want("compromised next")
	})
	t.Run("once more changes nothing", func(t *testing.T) {
		h := ready(t)
		h.compromise(keys.Current)
		before := h.ring[0]
		h.now = h.now.Add(time.Hour)
		h.compromise(keys.Compromised)
		if h.ring[0] != before {
			t.Errorf("%+v became %+v", before, h.ring[0])
		}
	})
}

func TestForget(t *testing.T) {
	h := newHistory(t)
	h.adopt()
	h.add()
	h.now = h.now.Add(3 * time.Hour)
	h.compromise(keys.Current)
	h.add()
	h.now = h.now.Add(3 * time.Hour)
	h.promote()
	h.now = h.now.Add(3 * time.Hour)
	h.retire()
	h.want("compromised retired current")
	year := h.now.Add(365 * 24 * time.Hour)
	if got := states(h.rules.Forget(h.ring, year)); got != "compromised retired current" {
		t.Errorf("after a year: %q", got)
	}
	if got := states(h.rules.Forget(h.ring, year.Add(100*24*time.Hour))); got != "compromised current" {
		t.Errorf("after more than a year: %q", got)
	}
}

// A row has at most 400 kB, whatever the number of rotations.
func TestForgetBoundsTheRing(t *testing.T) {
	h := newHistory(t)
	h.adopt()
	key := h.ring[0]
	var ring keys.Ring
	for i := range keys.MaxRetired + 100 {
		k := key
		k.ID, k.State, k.EndedAt = strconv.Itoa(i), keys.Retired, h.now
		if i == 0 {
			k.State = keys.Compromised
		}
		ring = append(ring, k)
	}
	ring = append(ring, key)
	got := h.rules.Forget(ring, h.now)
	if len(got) != keys.MaxRetired+2 || got[0].State != keys.Compromised || got[1].ID != "100" || got[len(got)-1].ID != key.ID {
		t.Errorf("%d keys, the first %s %s and %s, the last %s", len(got), got[0].State, got[0].ID, got[1].ID, got[len(got)-1].ID)
	}
}

func TestRingIsAValue(t *testing.T) {
	h := newHistory(t)
	h.adopt()
	ring := slices.Grow(h.ring, 8)
	one, err := h.rules.Add(ring, fakeKey(11), h.now)
	if err != nil {
		t.Fatal(err)
	}
	first := one[1].ID
	if _, err := h.rules.Add(ring, fakeKey(12), h.now); err != nil {
		t.Fatal(err)
	}
	if one[1].ID != first {
		t.Error("another key that joined the old ring appeared in the new one")
	}
}

func TestRefusals(t *testing.T) {
	var rules keys.Rules
	h := newHistory(t)
	_, err := rules.Add(nil, fakeKey(0), start)
	wantRule(t, err, "empty", time.Time{})
	_, err = rules.Promote(nil, start)
	wantRule(t, err, "no next key", time.Time{})
	_, err = rules.Compromise(nil, "kid", start)
	wantRule(t, err, "no key", time.Time{})
	_, err = rules.Adopt(nil, keys.RingKey{Public: &rsa.PublicKey{N: big.NewInt(251), E: 65537}}, start)
	wantRule(t, err, "8 bits", time.Time{})
	h.adopt()
	_, err = rules.Adopt(h.ring, fakeKey(0), start)
	wantRule(t, err, "keys already", time.Time{})
	_, err = rules.Add(h.ring, h.ring[0], start)
	wantRule(t, err, "has been in the ring before, and is current", time.Time{})
	h.add()
	_, err = rules.Add(h.ring, fakeKey(0), start)
	wantRule(t, err, "is the next key already", time.Time{})
}

func TestNoMoreThanTenAreVerified(t *testing.T) {
	h := newHistory(t)
	h.rules = keys.Rules{TokenTTL: 365 * 24 * time.Hour} // every key retires for a year
	h.adopt()
	for range keys.MaxPublished - 1 {
		h.add()
		h.now = h.now.Add(3 * time.Hour)
		h.promote()
	}
	if n := len(h.ring.Published()); n != keys.MaxPublished {
		t.Fatalf("%d keys published, want %d", n, keys.MaxPublished)
	}
	_, err := h.rules.Add(h.ring, fakeKey(0), h.now)
	wantRule(t, err, "10 keys are published", time.Time{})
}

func TestRulesCheck(t *testing.T) {
	for _, good := range []keys.Rules{
		{},
		{MaxAge: time.Hour},
		{MaxAge: 10 * time.Minute, Lead: 15 * time.Minute},
		{Period: 24 * time.Hour},
	} {
		if err := good.Check(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for want, bad := range map[string]keys.Rules{
		"want max-age + 5m0s":        {MaxAge: 10 * time.Minute, Lead: 15*time.Minute - 1},
		"no less than the lead":      {Period: time.Hour},
		"max-age of -1s":             {MaxAge: -time.Second},
		"token life of -1s":          {TokenTTL: -time.Second},
		"leeway of -1s: want no neg": {Leeway: -time.Second},
	} {
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one about %q", bad, err, want)
		}
	}
}

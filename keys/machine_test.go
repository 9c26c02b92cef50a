package keys_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// The ring's laws, held against every order of events. Clocks differ by skew
// from the true time, and who signs looks at a ring that is up to lag old.
const (
	skew = 25 * time.Second
	lag  = 60 * time.Second
)

type ringMachine struct {
	rules keys.Rules // spelled out
	now   time.Time  // the true time
	ring  keys.Ring
	past  []moment
	made  int

	published map[string]time.Time // by key id: since when, truly
	mayBeNew  map[string]bool      // adopted, or promoted while nothing signed
	tokens    []fakeToken
}

// moment is the ring since an instant.
type moment struct {
	at   time.Time
	ring keys.Ring
	text string // the ring as it was then
}

type fakeToken struct {
	keyID   string
	deadAt  time.Time // when no verifier accepts it any more, whatever its clock
	created time.Time
}

func TestRingLaws(t *testing.T) { rapid.Check(t, ringLaws) }

func ringLaws(t *rapid.T) {
	m := &ringMachine{
		rules: rapid.SampledFrom([]keys.Rules{
			{MaxAge: 5 * time.Minute, Lead: 130 * time.Minute, TokenTTL: time.Hour, Leeway: time.Minute},
			{MaxAge: 15 * time.Minute, Lead: 20 * time.Minute, TokenTTL: 10 * time.Minute, Leeway: time.Minute},
			{MaxAge: time.Hour, Lead: 65 * time.Minute, TokenTTL: 24 * time.Hour, Leeway: 5 * time.Minute},
		}).Draw(t, "rules"),
		now: start, published: make(map[string]time.Time), mayBeNew: make(map[string]bool),
	}
	m.past = []moment{{m.now, nil, "[]"}}
	t.Repeat(map[string]func(*rapid.T){
		"":           m.check,
		"wait":       m.wait,
		"adopt":      func(t *rapid.T) { m.change(m.rules.Adopt(m.ring, m.newKey(), m.clock(t))) },
		"add":        func(t *rapid.T) { m.change(m.rules.Add(m.ring, m.newKey(), m.clock(t))) },
		"promote":    func(t *rapid.T) { m.change(m.rules.Promote(m.ring, m.clock(t))) },
		"retire":     func(t *rapid.T) { m.change(m.rules.Retire(m.ring, m.clock(t)), nil) },
		"add again":  m.addAgain,
		"compromise": m.compromise,
		"sign":       m.sign,
	})
}

func (m *ringMachine) clock(t *rapid.T) time.Time {
	return m.now.Add(time.Duration(rapid.Int64Range(-int64(skew), int64(skew)).Draw(t, "skew")))
}

func (m *ringMachine) newKey() keys.RingKey { m.made++; return fakeKey(m.made) }

func (m *ringMachine) wait(t *rapid.T) {
	unit := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "units")) * unit)
}

// change takes a new ring, or keeps the old one if the rules refused.
func (m *ringMachine) change(ring keys.Ring, err error) {
	if err != nil {
		return
	}
	_, signed := m.ring.Current()
	for _, k := range ring {
		if _, ok := m.published[k.ID]; !ok {
			m.published[k.ID] = m.now
		}
		if k.State == keys.Current && !signed {
			m.mayBeNew[k.ID] = true
		}
	}
	m.ring = ring
	m.past = append(m.past, moment{m.now, ring, fmt.Sprint(ring)})
}

func (m *ringMachine) addAgain(t *rapid.T) {
	if len(m.ring) == 0 {
		return
	}
	old := rapid.SampledFrom(m.ring).Draw(t, "old key")
	if _, err := m.rules.Add(m.ring, old, m.now); err == nil {
		t.Fatalf("%s, which is %s, joined again", old.ID, old.State)
	}
}

func (m *ringMachine) compromise(t *rapid.T) {
	if len(m.ring) == 0 || rapid.IntRange(0, 3).Draw(t, "luck") > 0 {
		return
	}
	key := rapid.SampledFrom(m.ring).Draw(t, "key")
	current, signed := m.ring.Current()
	ring, err := m.rules.Compromise(m.ring, key.ID, m.clock(t))
	if err != nil {
		t.Fatal(err)
	}
	if signed && current.ID == key.ID { // whoever follows may be new
		if follows, ok := ring.Current(); ok {
			m.mayBeNew[follows.ID] = true
		}
	}
	m.change(ring, nil)
}

// sign issues a token with the ring as an instance saw it some time ago.
func (m *ringMachine) sign(t *rapid.T) {
	seenAt := m.now.Add(-time.Duration(rapid.Int64Range(0, int64(lag)).Draw(t, "lag")))
	i, found := slices.BinarySearchFunc(m.past, seenAt, func(p moment, at time.Time) int { return p.at.Compare(at) })
	for found && i+1 < len(m.past) && m.past[i+1].at.Equal(seenAt) {
		i++
	}
	if !found {
		i--
	}
	if i < 0 {
		return
	}
	current, ok := m.past[i].ring.Current()
	if !ok {
		return
	}
	if current.ID != m.first().ID {
		need := m.rules.Lead
		if m.mayBeNew[current.ID] {
			need = m.rules.MaxAge + keys.Margin
		}
		if known := m.now.Sub(m.published[current.ID]); known < need-2*skew {
			t.Fatalf("%s signs after it was published for %v: want %v", current.ID, known, need)
		}
	}
	m.tokens = append(m.tokens, fakeToken{current.ID, m.now.Add(m.rules.TokenTTL + m.rules.Leeway + 2*skew), m.now})
}

func (m *ringMachine) first() keys.RingKey { return m.ring[0] }

func (m *ringMachine) check(t *rapid.T) {
	count := make(map[keys.State]int)
	ids := make(map[string]bool)
	published := m.ring.Published()
	for _, k := range m.ring {
		count[k.State]++
		ids[k.ID] = true
		if k.ID != keys.Thumbprint(k.Public) {
			t.Fatalf("key id %q", k.ID)
		}
		if k.Published() != isIn(published, k.ID) {
			t.Fatalf("ring and key differ on whether %s is published", k.State)
		}
	}
	switch {
	case count[keys.Current] > 1 || count[keys.Next] > 1:
		t.Fatalf("more than one of a kind: %s", states(m.ring))
	case len(ids) != len(m.ring):
		t.Fatal("a key is there twice")
	case len(published) > keys.MaxPublished:
		t.Fatalf("%d keys are published", len(published))
	case len(published) != count[keys.Next]+count[keys.Current]+count[keys.Retiring]:
		t.Fatalf("published %d of %s", len(published), states(m.ring))
	}
	m.checkTokens(t)
	m.checkHistory(t)
}

func isIn(published []keys.RingKey, id string) bool {
	return slices.ContainsFunc(published, func(k keys.RingKey) bool { return k.ID == id })
}

// checkTokens proves that every token that is alive can be verified, unless its
// key was compromised.
func (m *ringMachine) checkTokens(t *rapid.T) {
	published := m.ring.Published()
	m.tokens = slices.DeleteFunc(m.tokens, func(tok fakeToken) bool { return m.now.After(tok.deadAt) })
	for _, tok := range m.tokens {
		if k, _ := m.ring.Find(tok.keyID); !isIn(published, k.ID) && k.State != keys.Compromised {
			t.Fatalf("%s is %s while a token it signed %v ago is alive", k.ID, k.State, m.now.Sub(tok.created))
		}
	}
}

// checkHistory proves that states only move on, that instants and keys stay as
// they are once told, and that no ring was changed after it was made.
func (m *ringMachine) checkHistory(t *rapid.T) {
	rank := map[keys.State]int{keys.Next: 1, keys.Current: 2, keys.Retiring: 3, keys.Retired: 4, keys.Compromised: 5}
	if len(m.past) < 2 {
		return
	}
	for _, p := range m.past {
		if now := fmt.Sprint(p.ring); now != p.text {
			t.Fatalf("the ring of %v was %s and is %s", p.at, p.text, now)
		}
	}
	before := m.past[len(m.past)-2].ring
	if len(before) > len(m.ring) {
		t.Fatal("the ring lost a key")
	}
	for i, old := range before {
		now := m.ring[i]
		if now.ID != old.ID || !reflect.DeepEqual(now.Public, old.Public) || now.Reference != old.Reference || now.Adopted != old.Adopted {
			t.Fatalf("%+v became %+v", old, now)
		}
		if rank[now.State] < rank[old.State] || now.State == keys.Retired && old.State != keys.Retiring && old.State != keys.Retired {
			t.Fatalf("%s was %s and is %s", old.ID, old.State, now.State)
		}
		for _, at := range [][2]time.Time{{old.PublishedAt, now.PublishedAt}, {old.CurrentAt, now.CurrentAt}, {old.RetiringAt, now.RetiringAt}, {old.KeepUntil, now.KeepUntil}} {
			if !at[0].IsZero() && !at[0].Equal(at[1]) {
				t.Fatalf("%s: an instant moved from %v to %v", old.ID, at[0], at[1])
			}
		}
		if (now.State == old.State) != reflect.DeepEqual(now, old) {
			t.Fatalf("%+v became %+v", old, now)
		}
	}
}

package keyring_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

// TestYear runs three login services, a rotator and four verifiers through a
// year in which keys rotate every month and one is compromised.
func TestYear(t *testing.T) {
	t.Parallel()
	y := newYear(t, keys.Rules{})
	y.emergencyAt = start.Add(200*day + 12*time.Hour + 34*time.Minute + 56*time.Second)
	y.run(start.Add(365 * day))
	for _, v := range y.verifiers {
		t.Logf("cache of %3.0f minutes: %d tokens accepted, %d of the compromised key refused, %d of it accepted meanwhile",
			v.cache.Minutes(), v.accepted, v.refusedBad, v.acceptedBad)
		if v.refused > 0 {
			t.Errorf("S99 a verifier that caches %v refused %d genuine tokens, the first at %v", v.cache, v.refused, v.firstRefusal)
		}
		if v.late > 0 {
			t.Errorf("S100 a verifier that caches %v accepted %d tokens of a compromised key after the bound", v.cache, v.late)
		}
		if v.accepted < 30_000 || v.cache < tokenTTL && v.refusedBad == 0 || v.cache > 0 && v.acceptedBad == 0 {
			t.Errorf("a verifier that caches %v saw too little: %+v", v.cache, v)
		}
	}
	if y.rotations < 11 || y.silences > 0 {
		t.Errorf("%d rotations, and %d times no key signed", y.rotations, y.silences)
	}
}

// TestYearNotices proves that the simulation would notice: with a lead of 20
// minutes, a verifier that caches two hours refuses genuine tokens.
func TestYearNotices(t *testing.T) {
	t.Parallel()
	y := newYear(t, keys.Rules{Lead: keys.MaxAge + keys.Margin, Period: 30 * time.Minute})
	y.run(start.Add(12 * time.Hour))
	if v := y.verifiers[3]; v.refused == 0 {
		t.Error("no refusal by a verifier that caches longer than keys are published ahead")
	}
	if v := y.verifiers[1]; v.refused > 0 {
		t.Errorf("S99 %d refusals by a verifier that keeps to the max-age", v.refused)
	}
}

const tokenTTL = time.Hour

type year struct {
	*rig
	services    []*keyring.Keyring
	offsets     []time.Duration // of the services' clocks
	rotator     *keyring.Keyring
	verifiers   []*verifier
	emergencyAt time.Time // zero: none
	compromised string
	tokens      []issued
	rotations   int
	silences    int
	changedAt   time.Time // when the ring changed last
}

// issued is a token: its signature is the name of its key.
type issued struct {
	keyID     string
	expiresAt time.Time
}

type verifier struct {
	cache     time.Duration
	offset    time.Duration // of its clock
	known     map[string]bool
	fetchedAt time.Time

	accepted, refused, refusedBad, acceptedBad, late int
	firstRefusal                                     time.Time
}

const clockSkew = 25 * time.Second

func newYear(t *testing.T, rules keys.Rules) *year {
	y := &year{rig: newRig(t), offsets: []time.Duration{-clockSkew, 0, clockSkew}}
	for _, offset := range y.offsets {
		y.services = append(y.services, y.process(func(c *keyring.Config) {
			c.Rules = rules
			c.Now = func() time.Time { return y.now.Now().Add(offset) }
		}))
	}
	y.rotator = y.process(func(c *keyring.Config) {
		c.Rules = rules
		c.Now = func() time.Time { // ahead in one hour, behind in the next
			now := y.now.Now()
			return now.Add(clockSkew * time.Duration(1-2*(now.Hour()%2)))
		}
	})
	for i, cache := range []time.Duration{0, 5 * time.Minute, time.Hour, 2 * time.Hour} {
		y.verifiers = append(y.verifiers, &verifier{cache: cache, offset: y.offsets[(i+2)%3]})
	}
	return y
}

// run lets time pass: seconds and minutes at a time around every change of the
// ring, and hours at a time in between.
func (y *year) run(end time.Time) {
	y.tend()
	y.now.Pass(17 * time.Minute) // verifiers do not look when the rotator runs
	for step := 0; y.now.Now().Before(end); step++ {
		y.issue()
		for i, v := range y.verifiers {
			y.verify(v, y.services[(step+i)%len(y.services)])
		}
		before := y.now.Now()
		y.now.Pass(y.pace())
		now := y.now.Now()
		if !y.emergencyAt.IsZero() && before.Before(y.emergencyAt) && !now.Before(y.emergencyAt) {
			y.emergency()
		}
		if !before.Truncate(time.Hour).Equal(now.Truncate(time.Hour)) {
			y.tend()
		}
	}
}

func (y *year) pace() time.Duration {
	now := y.now.Now()
	switch since := now.Sub(y.changedAt); {
	case since < time.Minute:
		return 2 * time.Second
	case since < 4*time.Hour:
		return 5 * time.Minute
	}
	ahead := 6 * time.Hour
	for _, event := range []time.Time{y.changedAt.Add(30 * day), y.emergencyAt} {
		if until := event.Sub(now) - 7*time.Minute; until > -20*time.Minute {
			ahead = min(ahead, max(until, time.Minute))
		}
	}
	return ahead
}

func (y *year) tend() {
	report, err := y.rotator.Tend(y.t.Context())
	if err != nil {
		y.t.Fatalf("%v: %v", y.now.Now(), err)
	}
	if report.Promoted != "" {
		y.rotations++
	}
	if report.Promoted != "" || report.Added != "" {
		y.changedAt = y.now.Now()
	}
}

func (y *year) emergency() {
	y.compromised = y.key(keys.Current).ID
	if _, err := y.rotator.Compromise(y.t.Context(), y.compromised); err != nil {
		y.t.Fatal(err)
	}
	y.emergencyAt = y.now.Now()
	y.changedAt = y.emergencyAt
}

// issue has every service issue a token, and forgets those that expired on
// every clock.
func (y *year) issue() {
	now := y.now.Now()
	for i, service := range y.services {
		set := mustSet(y.t, service)
		if set.Current == nil {
			y.silences++
			continue
		}
		y.tokens = append(y.tokens, issued{keys.Thumbprint(set.Current.Public()), now.Add(y.offsets[i] + tokenTTL)})
	}
	for len(y.tokens) > 0 && y.tokens[0].expiresAt.Add(2*clockSkew).Before(now) {
		y.tokens = y.tokens[1:]
	}
}

// verify has v verify every token that it may still accept, with the keys it
// has: it does not ask again when it does not know a key.
func (y *year) verify(v *verifier, service *keyring.Keyring) {
	now := y.now.Now()
	if now.Sub(v.fetchedAt) >= v.cache {
		v.known, v.fetchedAt = make(map[string]bool), now
		for _, pub := range mustSet(y.t, service).Published {
			v.known[keys.Thumbprint(pub)] = true
		}
	}
	for _, tok := range y.tokens {
		if now.Add(v.offset).After(tok.expiresAt) {
			continue
		}
		switch known := v.known[tok.keyID]; {
		case tok.keyID == y.compromised && known:
			v.acceptedBad++
			// Its own cache, and the few seconds that a service goes on.
			if now.Sub(y.emergencyAt) > v.cache+5*time.Second {
				v.late++
			}
		case tok.keyID == y.compromised:
			v.refusedBad++
		case known:
			v.accepted++
		default:
			v.refused++
			if v.firstRefusal.IsZero() {
				v.firstRefusal = now
			}
		}
	}
}

func (v *verifier) String() string { return fmt.Sprintf("verifier that caches %v", v.cache) }

package keyring_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

const (
	day  = 24 * time.Hour
	lead = 2*time.Hour + keys.MaxAge + keys.Margin
)

// tend runs Tend, which must succeed.
func (r *rig) tend(k *keyring.Keyring) keyring.Report {
	r.t.Helper()
	report, err := k.Tend(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func TestTend(t *testing.T) {
	r := newRig(t)
	reference, _, _ := r.vault.create(t.Context())
	k := r.process(func(c *keyring.Config) { c.Adopt = reference })
	if report := r.tend(k); report.Added == "" || report.Promoted != "" {
		t.Errorf("the first run: %+v", report)
	}
	r.want("current next")
	before := r.table.writes.Load()
	for range 3 {
		if report := r.tend(k); report.Added+report.Promoted != "" {
			t.Errorf("with nothing to do: %+v", report)
		}
	}
	if n := r.table.writes.Load() - before; n != 0 {
		t.Errorf("%d writes with nothing to do", n)
	}
	r.now.Set(start.Add(30*day - time.Second))
	r.tend(k)
	r.want("current next")
	r.now.Set(start.Add(30 * day))
	next := r.key(keys.Next).ID
	if report := r.tend(k); report.Promoted != next || report.Added == "" {
		t.Errorf("when a rotation is due: %+v", report)
	}
	r.want("retiring current next")
	r.now.Pass(66*time.Minute - time.Second)
	r.tend(k)
	r.want("retiring current next")
	r.now.Pass(time.Second)
	first := r.key(keys.Retiring).ID
	if report := r.tend(k); !slices.Equal(report.Retired, []string{first}) || len(report.Discarded) != 0 {
		t.Errorf("when the last token has expired: %+v", report)
	}
	r.want("retired current next")
	if k := r.key(keys.Retired); k.Reference != reference {
		t.Error("the key that the stack came with was discarded")
	}
	r.now.Pass(30 * day)
	second := r.key(keys.Current).ID
	r.tend(k)
	r.now.Pass(2 * time.Hour)
	if report := r.tend(k); !slices.Equal(report.Discarded, []string{second}) {
		t.Errorf("when a key of our own retires: %+v", report)
	}
	r.want("retired retired current next")
	if kept, _, _ := r.vault.count(); kept != 3 {
		t.Errorf("%d private keys are left, want those of the stack, current and next", kept)
	}
	r.now.Pass(2 * 365 * day)
	r.tend(k)
	r.want("retiring current next")
}

func TestTendIsPatient(t *testing.T) {
	r := newRig(t)
	k := r.process()
	mustSet(t, k)
	r.now.Set(start.Add(60 * day)) // nobody tended the ring
	if report := r.tend(k); report.Added == "" || report.Promoted != "" {
		t.Errorf("due, without a next key: %+v", report)
	}
	r.now.Pass(lead - time.Second)
	if report := r.tend(k); report.Promoted != "" {
		t.Errorf("due, with a next key that is too new: %+v", report)
	}
	r.now.Pass(time.Second)
	if report := r.tend(k); report.Promoted == "" {
		t.Errorf("due, with a next key that may sign: %+v", report)
	}
	r.want("retiring current next")
}

func TestRotate(t *testing.T) {
	t.Run("at once, if every verifier knows the next key", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		report, err := k.Rotate(t.Context())
		if err != nil || report.Promoted == "" || report.Added == "" {
			t.Errorf("%+v, %v", report, err)
		}
		r.want("retiring current next")
		if set := mustSet(t, k); keys.Thumbprint(set.Current.Public()) != report.Promoted {
			t.Error("this process goes on with the old key")
		}
	})
	t.Run("S99 not before, and again does no harm", func(t *testing.T) {
		r := newRig(t)
		k := r.process()
		for range 3 {
			report, err := k.Rotate(t.Context())
			rule, ok := errors.AsType[*keys.RuleError](err)
			if !ok || !rule.Until.IsZero() && !rule.Until.Equal(start.Add(lead)) || report.Promoted != "" {
				t.Errorf("%+v, %v", report, err)
			}
			r.want("current next")
		}
		r.now.Pass(lead)
		if _, err := k.Rotate(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := k.Rotate(t.Context()); err == nil {
			t.Error("twice in a row")
		}
		r.want("retiring current next")
	})
	t.Run("refuses if the next key cannot sign, and says so", func(t *testing.T) {
		for name, fail := range map[string]func(*vault){
			"down":    func(v *vault) { v.down = true },
			"swapped": func(v *vault) { v.swapped = true },
			"gone":    func(v *vault) { clear(v.keys) },
		} {
			r := newRig(t)
			r.ready()
			r.vault.set(fail)
			report, err := r.process().Rotate(t.Context())
			if err == nil || !strings.Contains(err.Error(), r.key(keys.Next).ID+", cannot sign") || report.Promoted != "" {
				t.Errorf("%s: %+v, %v", name, report, err)
			}
			r.want("current next")
		}
	})
	t.Run("four at the same time rotate once", func(t *testing.T) {
		r := newRig(t)
		r.ready()
		var group sync.WaitGroup
		var mu sync.Mutex
		promoted := 0
		for range 4 {
			k := r.process()
			group.Go(func() {
				report, err := k.Rotate(t.Context())
				if _, ok := errors.AsType[*keys.RuleError](err); err != nil && !ok {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if report.Promoted != "" {
					promoted++
				}
			})
		}
		group.Wait()
		if promoted != 1 {
			t.Errorf("%d of them say they rotated", promoted)
		}
		r.want("retiring current next")
		if kept, created, _ := r.vault.count(); kept != 3 {
			t.Errorf("%d of %d private keys are left, want 3", kept, created)
		}
	})
	t.Run("without a maker of keys there is no next one", func(t *testing.T) {
		r := newRig(t)
		k := r.process()
		mustSet(t, k)
		report, err := r.process(func(c *keyring.Config) { c.Create = nil }).Rotate(t.Context())
		if err == nil || !strings.Contains(err.Error(), "makes none") || len(report.Ring) != 1 {
			t.Errorf("%+v, %v", report, err)
		}
	})
	t.Run("a new key that cannot be used joins nothing", func(t *testing.T) {
		for name, bad := range map[string]keys.Signer{"short": short{}, "signs with another": changeling{}} {
			r := newRig(t)
			mustSet(t, r.process())
			k := r.process(func(c *keyring.Config) {
				c.Create = func(ctx context.Context) (string, keys.Signer, error) {
					reference, _, err := r.vault.create(ctx)
					return reference, bad, err
				}
			})
			if _, err := k.Tend(t.Context()); err == nil {
				t.Errorf("%s: no error", name)
			}
			r.want("current")
			if kept, _, _ := r.vault.count(); kept != 1 {
				t.Errorf("%s: the key was not discarded", name)
			}
		}
	})
	t.Run("a next key that another run made is as good", func(t *testing.T) {
		r := newRig(t)
		k := r.process()
		mustSet(t, k)
		r.table.between = func() { r.tend(r.process()) }
		if report := r.tend(k); report.Added != "" {
			t.Errorf("%+v", report)
		}
		r.want("current next")
		if kept, _, _ := r.vault.count(); kept != 2 {
			t.Errorf("%d private keys are left", kept)
		}
	})
	t.Run("no key is made that could not be published", func(t *testing.T) {
		r := newRig(t)
		k := r.process(func(c *keyring.Config) { c.Rules.TokenTTL = 365 * day })
		for range keys.MaxPublished - 1 {
			r.tend(k)
			r.now.Pass(lead)
			if _, err := k.Rotate(t.Context()); err != nil && !strings.Contains(err.Error(), "10 keys") {
				t.Fatal(err)
			}
		}
		_, before, _ := r.vault.count()
		if _, err := k.Tend(t.Context()); err == nil || !strings.Contains(err.Error(), "10 keys") {
			t.Errorf("error %v", err)
		}
		if _, after, _ := r.vault.count(); after != before {
			t.Error("a key was made in vain")
		}
	})
}

// changeling is a key whose signatures are by another.
type changeling struct{}

var changelingKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	return [2]*rsa.PrivateKey{keystest.WeakKey(), keystest.WeakKey()}
})

func (changeling) Public() *rsa.PublicKey { return &changelingKeys()[0].PublicKey }
func (changeling) SignDigest(_ context.Context, digest [sha256.Size]byte) ([]byte, error) {
	return rsa.SignPKCS1v15(nil, changelingKeys()[1], crypto.SHA256, digest[:])
}

// TestInterrupted stops Rotate at every write and every call of the vault, in
// turn, before it takes effect and after, and has another process go on.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for point := 1; ; point++ {
		reached := false
		for _, lost := range []bool{false, true} {
			for name, stop := range map[string]func(*rig){
				"table": func(r *rig) { r.table.failWrite(point, lost) },
				"vault": func(r *rig) { r.vault.set(func(v *vault) { v.failing, v.lost = point, lost }) },
			} {
				r := newRig(t)
				r.oldRing()
				stop(r)
				report, err := r.process().Rotate(t.Context())
				if len(report.Ring) == 0 {
					t.Errorf("%s %d: the report has no ring", name, point)
				}
				if promoted, ok := report.Ring.Find(report.Promoted); ok && promoted.State != keys.Current {
					t.Errorf("%s %d: reported as promoted, a key that is %s", name, point, promoted.State)
				}
				r.table.failWrite(0, false)
				r.vault.set(func(v *vault) { v.failing = 0 })
				reached = reached || err != nil
				r.checkAfter(name, point)
			}
		}
		if !reached {
			t.Logf("stopped at %d points", point-1)
			break
		}
		if point > 50 {
			t.Fatal("Rotate never succeeds")
		}
	}
}

// oldRing makes a ring in which everything is to be done: a key to retire, one
// to discard, and one to promote.
func (r *rig) oldRing() {
	r.t.Helper()
	k := r.ready()
	for range 2 {
		if _, err := k.Rotate(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		r.now.Pass(3 * time.Hour)
	}
	r.want("retired retiring current next")
}

// checkAfter runs Tend after an interruption and checks what it leaves.
func (r *rig) checkAfter(where string, point int) {
	r.t.Helper()
	published := mustSet(r.t, r.process()).Published
	if len(published) < 2 {
		r.t.Errorf("%s %d: %d keys are published after the interruption", where, point, len(published))
	}
	for range 2 {
		if _, err := r.process().Tend(r.t.Context()); err != nil {
			r.t.Errorf("%s %d: going on: %v", where, point, err)
		}
	}
	got := r.states()
	if got != "retired retired retiring current next" && got != "retired retired current next" {
		r.t.Errorf("%s %d: the ring is %q", where, point, got)
	}
	want := len(r.held())
	if kept, _, _ := r.vault.count(); kept != want && kept != want+1 {
		r.t.Errorf("%s %d: %d private keys are left, want %d, or one more that nobody heard of", where, point, kept, want)
	}
	r.now.Pass(3 * time.Hour)
	if _, err := r.process().Rotate(r.t.Context()); err != nil {
		r.t.Errorf("%s %d: the next rotation: %v", where, point, err)
	}
}

// held returns the keys of the ring that have a private key.
func (r *rig) held() []keys.RingKey {
	r.t.Helper()
	ring, err := r.process().List(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return slices.DeleteFunc(ring, func(k keys.RingKey) bool { return k.Reference == "" })
}

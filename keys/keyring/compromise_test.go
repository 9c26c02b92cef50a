package keyring_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

func TestCompromise(t *testing.T) {
	t.Run("S100 the key is out of the next answer, and another signs", func(t *testing.T) {
		r := newRig(t)
		operator := r.ready()
		mustSet(t, operator)
		other := r.process()
		bad := keys.Thumbprint(mustSet(t, other).Current.Public())
		report, err := operator.Compromise(t.Context(), bad)
		if err != nil || report.Promoted == "" || report.Added == "" || len(report.Discarded) != 1 {
			t.Errorf("%+v, %v", report, err)
		}
		r.want("compromised current next")
		for name, k := range map[string]*keyring.Keyring{"this process": operator, "a new process": r.process()} {
			set := mustSet(t, k)
			if strings.Contains(ids(set.Published), bad) || keys.Thumbprint(set.Current.Public()) != report.Promoted {
				t.Errorf("%s goes on with %s", name, ids(set.Published))
			}
		}
		r.now.Pass(5 * time.Second)
		if set := mustSet(t, other); strings.Contains(ids(set.Published), bad) {
			t.Error("another process publishes it after five seconds")
		}
	})
	t.Run("S100 it needs no KMS", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		bad := r.key(keys.Current).ID
		r.vault.set(func(v *vault) { v.down = true })
		report, err := k.Compromise(t.Context(), bad)
		if !errors.Is(err, keys.ErrUnavailable) || report.Promoted == "" {
			t.Errorf("%+v, %v", report, err)
		}
		r.want("compromised current")
		r.vault.set(func(v *vault) { v.down = false })
		if report, err := k.Compromise(t.Context(), bad); err != nil || report.Added == "" || len(report.Discarded) != 1 {
			t.Errorf("once more, with KMS: %+v, %v", report, err)
		}
		r.want("compromised current next")
	})
	t.Run("once more changes nothing", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		bad := r.key(keys.Current).ID
		for i := range 3 {
			report, err := k.Compromise(t.Context(), bad)
			if err != nil || i > 0 && report.Added != "" {
				t.Errorf("time %d: %+v, %v", i, report, err)
			}
		}
		r.want("compromised current next")
	})
	t.Run("the stack's own key is left to its stack", func(t *testing.T) {
		r := newRig(t)
		reference, _, _ := r.vault.create(t.Context())
		k := r.process(func(c *keyring.Config) { c.Adopt = reference })
		r.tend(k)
		if report, err := k.Compromise(t.Context(), r.key(keys.Current).ID); err != nil || len(report.Discarded) != 0 {
			t.Errorf("%+v, %v", report, err)
		}
		if k := r.key(keys.Compromised); k.Reference != reference {
			t.Error("the stack's key was discarded")
		}
	})
	t.Run("without a next key the ring heals itself as early as it may", func(t *testing.T) {
		r := newRig(t)
		k := r.process()
		mustSet(t, k)
		if _, err := k.Compromise(t.Context(), r.key(keys.Current).ID); err != nil {
			t.Fatal(err)
		}
		r.want("compromised next")
		login := r.process(func(c *keyring.Config) { c.Create, c.Discard = nil, nil })
		if set := mustSet(t, login); set.Current != nil || len(set.Published) != 1 {
			t.Errorf("at once: %+v", set)
		}
		r.now.Pass(keys.MaxAge + keys.Margin - time.Second)
		if set := mustSet(t, login); set.Current != nil {
			t.Error("too early")
		}
		r.now.Pass(5 * time.Second)
		if set := mustSet(t, login); set.Current == nil {
			t.Error("nothing signs, though it might")
		}
		r.want("compromised current")
	})
	t.Run("a key that is not in the ring", func(t *testing.T) {
		r := newRig(t)
		if _, err := r.ready().Compromise(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), "no key") {
			t.Errorf("error %v", err)
		}
		r.want("current next")
	})
	t.Run("S100 with the table down it says so", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		bad := r.key(keys.Current).ID
		r.table.down.Store(true)
		if _, err := k.Compromise(t.Context(), bad); err == nil {
			t.Error("no error")
		}
	})
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*testing.T, *rig, *keyring.Keyring)
		want    string // "": healthy
	}{
		{"healthy", func(*testing.T, *rig, *keyring.Keyring) {}, ""},
		{"fault 11: the private keys are out of reach", func(_ *testing.T, r *rig, _ *keyring.Keyring) {
			r.vault.set(func(v *vault) { v.down = true })
		}, "the current key"},
		{"the next key is gone", func(t *testing.T, r *rig, _ *keyring.Keyring) {
			next := r.key(keys.Next).Reference
			r.vault.set(func(v *vault) { delete(v.keys, next) })
		}, "the next key"},
		{"a rotation is overdue", func(_ *testing.T, r *rig, _ *keyring.Keyring) { r.now.Pass(32 * day) }, "is the rotator running"},
		{"a key did not retire", func(t *testing.T, r *rig, k *keyring.Keyring) {
			if _, err := k.Rotate(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.now.Pass(26 * time.Hour)
		}, "is the rotator running"},
		{"no key signs", func(t *testing.T, r *rig, k *keyring.Keyring) {
			for range 2 {
				if _, err := k.Compromise(t.Context(), r.key(keys.Current).ID); err != nil {
					t.Fatal(err)
				}
			}
		}, "no key signs: the next one may from 2026-01-01T03:20:00Z"},
		{"the table is down", func(_ *testing.T, r *rig, _ *keyring.Keyring) { r.table.down.Store(true) }, "unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			k := r.ready()
			c.prepare(t, r, k)
			err := r.process().Check(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
	r := newRig(t)
	if err := r.process().Check(t.Context()); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty ring: %v", err)
	}
	mustSet(t, r.process())
	if err := r.process().Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no next key") {
		t.Errorf("a ring of one: %v", err)
	}
}

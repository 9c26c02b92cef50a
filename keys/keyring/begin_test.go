package keyring_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

// adopting configures a process of a stack that came with a key.
func adopting(reference string) func(*keyring.Config) {
	return func(c *keyring.Config) { c.Adopt, c.Create, c.Discard = reference, nil, nil }
}

func TestFirstDeploy(t *testing.T) {
	t.Run("adopts the key of the stack", func(t *testing.T) {
		r := newRig(t)
		reference, first, _ := r.vault.create(t.Context())
		set := mustSet(t, r.process(adopting(reference)))
		if !set.Current.Public().Equal(first.Public()) || ids(set.Published) != keys.Thumbprint(first.Public()) {
			t.Errorf("the keys are %+v", set)
		}
		if k := r.key(keys.Current); !k.Adopted || k.Reference != reference || !k.PublishedAt.Equal(start) {
			t.Errorf("adopted %+v", k)
		}
	})
	t.Run("adopts once, however many start together", func(t *testing.T) {
		r := newRig(t)
		var group sync.WaitGroup
		var mu sync.Mutex
		seen := make(map[string]bool)
		for range 20 {
			// Each has a key of its own, as if the stack were confused.
			reference, _, _ := r.vault.create(t.Context())
			k := r.process(adopting(reference))
			group.Go(func() {
				set, err := k.Set(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				seen[ids(set.Published)+keys.Thumbprint(set.Current.Public())] = true
			})
		}
		group.Wait()
		if len(seen) != 1 {
			t.Errorf("%d different answers", len(seen))
		}
		r.want("current")
	})
	t.Run("adopts nothing if another was faster by a hair", func(t *testing.T) {
		r := newRig(t)
		one, _, _ := r.vault.create(t.Context())
		two, _, _ := r.vault.create(t.Context())
		r.table.between = func() { mustSet(t, r.process(adopting(two))) }
		mustSet(t, r.process(adopting(one)))
		if k := r.key(keys.Current); k.Reference != two {
			t.Error("the faster one's key is gone")
		}
		r.want("current")
	})
	t.Run("makes one key, however many start together", func(t *testing.T) {
		r := newRig(t)
		var group sync.WaitGroup
		for range 8 {
			k := r.process()
			group.Go(func() {
				if _, err := k.Set(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		r.want("current")
		if kept, created, _ := r.vault.count(); kept != 1 {
			t.Errorf("%d of %d keys are left", kept, created)
		}
	})
	t.Run("waits for a KMS that is down", func(t *testing.T) {
		r := newRig(t)
		reference, _, _ := r.vault.create(t.Context())
		k := r.process(adopting(reference))
		r.vault.set(func(v *vault) { v.down = true })
		if _, err := k.Set(t.Context()); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("S102 error %v, want ErrUnavailable", err)
		}
		r.vault.set(func(v *vault) { v.down = false })
		r.now.Pass(time.Second)
		mustSet(t, k)
	})
	t.Run("says that nothing makes a key", func(t *testing.T) {
		r := newRig(t)
		_, err := r.process(adopting("")).Set(t.Context())
		if err == nil || !strings.Contains(err.Error(), "makes none") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a later process ignores another key of the stack", func(t *testing.T) {
		r := newRig(t)
		one, _, _ := r.vault.create(t.Context())
		two, _, _ := r.vault.create(t.Context())
		before := mustSet(t, r.process(adopting(one)))
		after := mustSet(t, r.process(adopting(two)))
		if ids(before.Published) != ids(after.Published) {
			t.Error("the ring changed")
		}
	})
	t.Run("a key that is too short begins no ring", func(t *testing.T) {
		r := newRig(t)
		k := r.process(adopting("x"), func(c *keyring.Config) {
			c.Open = func(context.Context, string) (keys.Signer, error) { return short{}, nil }
		})
		if _, err := k.Set(t.Context()); err == nil || !strings.Contains(err.Error(), "want 2048") {
			t.Errorf("error %v", err)
		}
		r.want("")
	})
}

func TestNew(t *testing.T) {
	r := newRig(t)
	for want, change := range map[string]func(*keyring.Config){
		"table and open":   func(c *keyring.Config) { c.Table = nil },
		"at most a minute": func(c *keyring.Config) { c.Staleness = 2 * time.Minute },
		"staleness of -1s": func(c *keyring.Config) { c.Staleness = -time.Second },
		"lead of 1m":       func(c *keyring.Config) { c.Rules.Lead = time.Minute },
		"exported keys":    func(c *keyring.Config) { c.Exported = []byte(`{"keys":[]}`) },
	} {
		config := r.config()
		change(&config)
		if _, err := keyring.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}

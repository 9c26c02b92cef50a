package keyring_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

// short is a key that nobody may use.
type short struct{}

func (short) Public() *rsa.PublicKey { return &rsa.PublicKey{N: big.NewInt(251), E: 65537} }
func (short) SignDigest(context.Context, [sha256.Size]byte) ([]byte, error) {
	return nil, errors.New("short")
}

func TestCurrentIsASigner(t *testing.T) {
	r := newRig(t)
	k := r.process()
	keystest.Run(t, func(t *testing.T) keys.Signer { return mustSet(t, k).Current })
	if _, _, opened := r.vault.count(); opened != 1 {
		t.Errorf("the key was opened %d times", opened)
	}
}

func TestSet(t *testing.T) {
	t.Run("the current key stands first", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		if _, err := k.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		set := mustSet(t, k)
		want := []string{r.key(keys.Current).ID, r.key(keys.Next).ID, r.key(keys.Retiring).ID}
		if got := ids(set.Published); got != strings.Join(want, " ") || keys.Thumbprint(set.Current.Public()) != want[0] {
			t.Errorf("published %s, want %s", got, want)
		}
	})
	t.Run("a retired key is kept apart, and a compromised one nowhere", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		first := r.key(keys.Current)
		if _, err := k.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.now.Pass(3 * time.Hour)
		if _, err := k.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
		set := mustSet(t, k)
		if len(set.Retired) != 1 || keys.Thumbprint(set.Retired[0].Public) != first.ID || set.Retired[0].RetiredAt.IsZero() || strings.Contains(ids(set.Published), first.ID) {
			t.Errorf("retired %v, published %s", set.Retired, ids(set.Published))
		}
		if _, err := k.Compromise(t.Context(), first.ID); err != nil {
			t.Fatal(err)
		}
		r.now.Pass(time.Minute)
		if set := mustSet(t, k); len(set.Retired) != 0 {
			t.Errorf("a compromised key: %v", set.Retired)
		}
	})
	t.Run("the ring is read once in five seconds", func(t *testing.T) {
		r := newRig(t)
		k := r.process()
		mustSet(t, k)
		before := r.table.gets.Load()
		r.now.Pass(5*time.Second - 1)
		mustSet(t, k)
		if n := r.table.gets.Load() - before; n != 0 {
			t.Errorf("%d reads within five seconds", n)
		}
		r.now.Pass(1)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := k.Set(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := r.table.gets.Load() - before; n != 1 {
			t.Errorf("%d reads by 20 at the same time, want 1", n)
		}
	})
	t.Run("S100 keys to publish are read once in a second", func(t *testing.T) {
		r := newRig(t)
		k, other := r.ready(), r.process()
		before, err := other.Fresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Compromise(t.Context(), keys.Thumbprint(before.Current.Public())); err != nil {
			t.Fatal(err)
		}
		reads := r.table.gets.Load()
		r.now.Pass(time.Second - 1)
		if _, err := other.Fresh(t.Context()); err != nil || r.table.gets.Load() != reads {
			t.Errorf("within a second: %d reads, error %v", r.table.gets.Load()-reads, err)
		}
		r.now.Pass(1)
		after, err := other.Fresh(t.Context())
		if err != nil || strings.Contains(ids(after.Published), keys.Thumbprint(before.Current.Public())) {
			t.Errorf("published %s, error %v", ids(after.Published), err)
		}
		r.table.down.Store(true)
		r.now.Pass(time.Second)
		if down, err := other.Fresh(t.Context()); err != nil || ids(down.Published) != ids(after.Published) {
			t.Errorf("S101 without the table: published %s, error %v", ids(down.Published), err)
		}
		if mustSet(t, other).Current == nil {
			t.Error("nothing signs, by a ring of a second ago")
		}
	})
	t.Run("fault 9: a clock that goes back makes the copy old", func(t *testing.T) {
		r := newRig(t)
		k := r.process()
		mustSet(t, k)
		before := r.table.gets.Load()
		r.now.Pass(-time.Hour)
		mustSet(t, k)
		if n := r.table.gets.Load() - before; n != 1 {
			t.Errorf("%d reads, want 1", n)
		}
	})
	t.Run("S101 publishing asks no KMS, also on a cold start", func(t *testing.T) {
		r := newRig(t)
		r.ready()
		_, _, before := r.vault.count()
		r.vault.set(func(v *vault) { v.down = true })
		cold := r.process()
		set := mustSet(t, cold)
		if len(set.Published) != 2 {
			t.Errorf("%d keys", len(set.Published))
		}
		if _, _, after := r.vault.count(); after != before {
			t.Errorf("KMS was asked %d times", after-before)
		}
		if _, err := set.Current.SignDigest(t.Context(), [32]byte{}); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("S83 signing without KMS: %v", err)
		}
		r.vault.set(func(v *vault) { v.down = false })
		if _, err := set.Current.SignDigest(t.Context(), [32]byte{}); err != nil {
			t.Errorf("S83 signing when KMS is back: %v", err)
		}
	})
	t.Run("who leaves does not wait for a key that is being opened", func(t *testing.T) {
		r := newRig(t)
		r.ready()
		opening := make(chan struct{})
		slow := r.process(func(c *keyring.Config) {
			c.Open = func(ctx context.Context, _ string) (keys.Signer, error) {
				close(opening)
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		current := mustSet(t, slow).Current
		first, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { current.SignDigest(first, [32]byte{}) })
		<-opening
		second, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := current.SignDigest(second, [32]byte{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		leave()
		group.Wait()
	})
	t.Run("fault 12: a reference that leads to another key signs nothing", func(t *testing.T) {
		r := newRig(t)
		r.ready()
		r.vault.set(func(v *vault) { v.swapped = true })
		signature, err := mustSet(t, r.process()).Current.SignDigest(t.Context(), [32]byte{})
		if !errors.Is(err, keys.ErrUnavailable) || signature != nil {
			t.Errorf("error %v", err)
		}
	})
}

func TestTableDown(t *testing.T) {
	t.Parallel()
	t.Run("S101 the keys last seen are published, and none signs", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		before := mustSet(t, k)
		r.table.down.Store(true)
		r.now.Pass(5 * time.Second)
		during := mustSet(t, k)
		if ids(during.Published) != ids(before.Published) || during.Current != nil {
			t.Errorf("while the table is down: %+v", during)
		}
		r.table.down.Store(false)
		r.now.Pass(time.Second)
		if after := mustSet(t, k); after.Current == nil {
			t.Error("a second after the table is back, nothing signs")
		}
	})
	t.Run("S101 a cold start publishes the exported keys", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		document, err := k.Export(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if at := fmt.Sprintf(`"fetched_at":%d`, r.now.Now().Unix()); !strings.Contains(string(document), at) {
			t.Errorf("exported %s, without %s", document, at)
		}
		want := mustSet(t, k)
		r.table.down.Store(true)
		r.vault.set(func(v *vault) { v.down = true })
		cold := r.process(func(c *keyring.Config) { c.Exported = document })
		got := mustSet(t, cold)
		if ids(got.Published) != ids(want.Published) || got.Current != nil {
			t.Errorf("published %s", ids(got.Published))
		}
		r.table.down.Store(false)
		r.now.Pass(time.Second)
		if set := mustSet(t, cold); set.Current == nil {
			t.Error("a second after the table is back, nothing signs")
		}
	})
	t.Run("S102 a cold start without exported keys publishes nothing", func(t *testing.T) {
		r := newRig(t)
		r.ready()
		r.table.down.Store(true)
		set, err := r.process().Set(t.Context())
		if !errors.Is(err, keys.ErrUnavailable) || len(set.Published) != 0 {
			t.Errorf("%+v, %v; want ErrUnavailable", set, err)
		}
	})
	t.Run("S98 a table that hangs delays nobody for long, and only once a second", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		mustSet(t, k)
		r.table.hangs.Store(true)
		r.now.Pass(5 * time.Second)
		begun := time.Now()
		for range 5 {
			mustSet(t, k)
		}
		if d := time.Since(begun); d > 1500*time.Millisecond {
			t.Errorf("five answers took %v", d)
		}
		r.table.hangs.Store(false)
	})
	t.Run("a caller who leaves waits for nothing", func(t *testing.T) {
		r := newRig(t)
		k := r.ready()
		r.table.hangs.Store(true)
		defer r.table.hangs.Store(false)
		r.now.Pass(5 * time.Second)
		var group sync.WaitGroup
		before := r.table.gets.Load()
		group.Go(func() { k.Set(t.Context()) })
		for r.table.gets.Load() == before {
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		if _, err := k.Set(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if d := time.Since(begun); d > 500*time.Millisecond {
			t.Errorf("took %v", d)
		}
		group.Wait()
	})
}

func TestDamagedRing(t *testing.T) {
	key := table.Key{PK: "keys", SK: "ring"}
	der, err := x509.MarshalPKIXPublicKey(short{}.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]map[string]any{
		"a key that is too short":         {"ring": fmt.Sprintf(`[{"state":"current","public":"%s"}]`, base64.StdEncoding.EncodeToString(der))},
		"fault 22: no JSON":               {"ring": "{"},
		"fault 22: no key at all":         {"ring": `[{"state":"current"}]`},
		"fault 22: a public key cut":      {"ring": `[{"state":"current","public":"MIIB"}]`},
		"fault 22: the version is gone":   {"version": int64(0)},
		"fault 22: the version is a text": {"version": "2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			k := r.ready()
			before := mustSet(t, k)
			if err := r.table.Write(t.Context(), table.Update(key, damage)); err != nil {
				t.Fatal(err)
			}
			r.now.Pass(5 * time.Second)
			if set := mustSet(t, k); set.Current != nil || ids(set.Published) != ids(before.Published) {
				t.Errorf("a warm process: %+v", set)
			}
			if set, err := r.process().Set(t.Context()); err == nil {
				t.Errorf("a cold process: %+v", set)
			}
			if _, err := k.Rotate(t.Context()); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("Rotate: %v", err)
			}
		})
	}
}

func TestReferencesStayInside(t *testing.T) {
	r := newRig(t)
	k := r.ready()
	report, err := k.Rotate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set := mustSet(t, k)
	document, err := k.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.vault.set(func(v *vault) { v.down = true })
	r.table.down.Store(true)
	r.now.Pass(5 * time.Second)
	k.Set(t.Context())
	for name, text := range map[string]string{
		"the JWK Set":      string(document),
		"what is printed":  fmt.Sprintf("%v %+v %#v %s", set.Current, set, set.Current, set.Current),
		"the log":          r.log.String(),
		"a logged report":  report.LogValue().String(),
		"what Check tells": fmt.Sprint(k.Check(t.Context())),
	} {
		if text == "" || strings.Contains(text, "arn:") || strings.Contains(text, "111122223333") {
			t.Errorf("S70 %s: %q", name, text)
		}
	}
	digest := sha256.Sum256(nil)
	r.vault.set(func(v *vault) { v.down = false })
	signature, err := set.Current.SignDigest(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(set.Published[0], crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
}

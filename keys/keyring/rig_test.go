package keyring_test

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// rig is a table, a vault and a clock, for any number of keyrings.
type rig struct {
	t     *testing.T
	now   *fake.Clock
	table *table1
	vault *vault
	log   strings.Builder
}

func newRig(t *testing.T) *rig {
	t.Helper()
	file, err := bolttable.Open(filepath.Join(t.TempDir(), "table"), bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	r := &rig{t: t, now: fake.At(start), table: &table1{Table: file}, vault: new(vault)}
	return r
}

// config is that of a process that may do everything.
func (r *rig) config() keyring.Config {
	return keyring.Config{
		Table: r.table, Open: r.vault.open, Create: r.vault.create, Discard: r.vault.discard,
		Now: r.now.Now, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}
}

// process starts a process whose configuration is changed by change.
func (r *rig) process(change ...func(*keyring.Config)) *keyring.Keyring {
	r.t.Helper()
	config := r.config()
	for _, c := range change {
		c(&config)
	}
	k, err := keyring.New(config)
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

// ready returns a keyring whose next key may sign.
func (r *rig) ready() *keyring.Keyring {
	r.t.Helper()
	k := r.process()
	if _, err := k.Tend(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.now.Pass(3 * time.Hour)
	return k
}

// states tells the states of the keys in the table.
func (r *rig) states() string {
	r.t.Helper()
	ring, err := r.process().List(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, k := range ring {
		names = append(names, string(k.State))
	}
	return strings.Join(names, " ")
}

func (r *rig) want(want string) {
	r.t.Helper()
	if got := r.states(); got != want {
		r.t.Fatalf("the ring is %q, want %q", got, want)
	}
}

func (r *rig) key(state keys.State) keys.RingKey {
	r.t.Helper()
	ring, err := r.process().List(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, k := range ring {
		if k.State == state {
			return k
		}
	}
	r.t.Fatalf("no %s key", state)
	return keys.RingKey{}
}

func mustSet(t *testing.T, k *keyring.Keyring) keys.Set {
	t.Helper()
	set, err := k.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func ids(pubs []*rsa.PublicKey) string {
	var all []string
	for _, pub := range pubs {
		all = append(all, keys.Thumbprint(pub))
	}
	return strings.Join(all, " ")
}

// table1 is a table that can fail, and counts.
type table1 struct {
	table.Table
	down  atomic.Bool
	hangs atomic.Bool
	gets  atomic.Int64

	writes  atomic.Int64
	between func() // is called once, before the next write

	mu      sync.Mutex
	failing int  // the how-manieth write from now on fails; 0: none
	lost    bool // it takes effect, and only the answer is lost
}

func (f *table1) failWrite(n int, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing, f.lost = n, lost
}

func (f *table1) Get(ctx context.Context, key table.Key) (table.Item, error) {
	f.gets.Add(1)
	if f.hangs.Load() {
		<-ctx.Done()
		return nil, errors.Join(table.ErrUnavailable, ctx.Err())
	}
	if f.down.Load() {
		return nil, table.ErrUnavailable
	}
	return f.Table.Get(ctx, key)
}

func (f *table1) Write(ctx context.Context, writes ...table.Write) error {
	if f.down.Load() {
		return table.ErrUnavailable
	}
	f.writes.Add(1)
	if between := f.between; between != nil {
		f.between = nil
		between()
	}
	f.mu.Lock()
	f.failing--
	fails, lost := f.failing == 0, f.lost
	f.mu.Unlock()
	if !fails || lost {
		if err := f.Table.Write(ctx, writes...); err != nil {
			return err
		}
	}
	if fails {
		return table.ErrUnavailable
	}
	return nil
}

// vault keeps weak keys under references that look like ARNs.
type vault struct {
	mu      sync.Mutex
	keys    map[string]keys.Signer
	created int
	opened  int
	down    bool
	failing int  // the how-manieth call from now on fails; 0: none
	lost    bool // it takes effect, and only the answer is lost
	swapped bool // every reference leads to a key of its own
}

// shelf has the keys of every vault, which are made when first used.
var shelf = func() (shelf [64]func() keys.Signer) {
	for i := range shelf {
		shelf[i] = sync.OnceValue(func() keys.Signer { return keystest.Signer(keystest.WeakKey()) })
	}
	return shelf
}()

const arn = "arn:aws:kms:eu-central-1:111122223333:key/"

// call notes a call and tells whether it does its work and whether it says so.
func (v *vault) call() (does bool, err error) {
	v.failing--
	if v.down || v.failing == 0 {
		return v.lost && !v.down, fmt.Errorf("vault: %w", keys.ErrUnavailable)
	}
	return true, nil
}

func (v *vault) create(context.Context) (string, keys.Signer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	does, err := v.call()
	if !does {
		return "", nil, err
	}
	reference := fmt.Sprintf("%s%d", arn, v.created)
	s := shelf[v.created]()
	v.created++
	if v.keys == nil {
		v.keys = make(map[string]keys.Signer)
	}
	v.keys[reference] = s
	if err != nil {
		return "", nil, err
	}
	return reference, s, nil
}

func (v *vault) open(_ context.Context, reference string) (keys.Signer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened++
	if _, err := v.call(); err != nil {
		return nil, err
	}
	if v.swapped {
		return keystest.Signer(keystest.WeakKey()), nil
	}
	s, ok := v.keys[reference]
	if !ok {
		return nil, errors.New("vault: no such key")
	}
	return s, nil
}

func (v *vault) discard(_ context.Context, reference string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	does, err := v.call()
	if does {
		delete(v.keys, reference)
	}
	return err
}

func (v *vault) set(change func(*vault)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(v)
}

func (v *vault) count() (kept, created, opened int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.keys), v.created, v.opened
}

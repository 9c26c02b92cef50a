package registry_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

func TestLookup(t *testing.T) {
	onEngines(t, func(t *testing.T, on *counted) {
		c, clock := open(on), fake.At(morning)
		inFile := client.Client{ID: "own", Name: "of the file"}
		f := registry.NewFinder(client.List{inFile}, on, clock.Now)
		lookup := func(t *testing.T, id string, asks int) client.Client {
			t.Helper()
			on.asked()
			got, err := f.Lookup(t.Context(), id)
			if n := on.asked(); err != nil || n != asks {
				t.Errorf("%v, asked %d times, want %d", err, n, asks)
			}
			return got
		}
		t.Run("the file comes first, and the table is not asked", func(t *testing.T) {
			add(t, c, client.Client{ID: "own", Name: "of the table", RedirectURIs: []string{"https://evil.test/cb"}}, false)
			if got := lookup(t, "own", 0); got.Name != "of the file" || len(got.RedirectURIs) != 0 {
				t.Errorf("shadowed: %+v", got)
			}
		})
		t.Run("a client can be used as soon as it is added", func(t *testing.T) {
			if _, err := f.Lookup(t.Context(), "shop"); !errors.Is(err, client.ErrUnknown) {
				t.Error(err)
			}
			add(t, c, web("shop"), true)
			lookup(t, "shop", 1)
			lookup(t, "shop", 0)
		})
		t.Run("what has changed is known soon", func(t *testing.T) {
			secret, err := c.RotateSecret(t.Context(), admin, "shop")
			if err != nil {
				t.Fatal(err)
			}
			clock.Pass(registry.MaxAge)
			if got := lookup(t, "shop", 1); !got.HasSecret(string(secret)) {
				t.Error("the new secret is not known")
			}
			if err := c.Remove(t.Context(), admin, "shop"); err != nil {
				t.Fatal(err)
			}
			clock.Pass(registry.MaxAge)
			if _, err := f.Lookup(t.Context(), "shop"); !errors.Is(err, client.ErrUnknown) {
				t.Error(err)
			}
		})
		t.Run("nothing is remembered from the future", func(t *testing.T) {
			add(t, c, web("late"), false)
			lookup(t, "late", 1)
			clock.Pass(-time.Hour)
			lookup(t, "late", 1)
		})
		t.Run("the table is not asked for what no client is called", func(t *testing.T) {
			on.asked()
			for _, id := range []string{"", "a b", "x\x00", "client#own", string(make([]byte, 5000))} {
				if _, err := f.Lookup(t.Context(), id); !errors.Is(err, client.ErrUnknown) {
					t.Errorf("%q: %v", id, err)
				}
			}
			if on.asked() != 0 {
				t.Error("asked")
			}
		})
	})
}

func TestTableOutOfReach(t *testing.T) {
	t.Parallel()
	on := &counted{Table: openBolt(t)}
	c, clock := open(on), fake.At(morning)
	add(t, c, web("shop"), true)
	f := registry.NewFinder(client.List{{ID: "own", Origins: []string{"https://own.test"}}}, on, clock.Now)
	if _, err := f.Lookup(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	on.fail = fmt.Errorf("%w: switched off", table.ErrUnavailable)
	if _, err := f.Lookup(t.Context(), "own"); err != nil {
		t.Errorf("the file needs no table: %v", err)
	}
	if ok, err := f.AllowsOrigin(t.Context(), "https://own.test"); err != nil || !ok {
		t.Errorf("the file needs no table: %v %v", ok, err)
	}
	if _, err := f.Lookup(t.Context(), "shop"); err != nil {
		t.Errorf("it is known still: %v", err)
	}
	clock.Pass(registry.MaxAge)
	for _, id := range []string{"shop", "nobody"} {
		if _, err := f.Lookup(t.Context(), id); !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if ok, err := f.AllowsOrigin(t.Context(), "https://shop.test"); !errors.Is(err, table.ErrUnavailable) || ok {
		t.Error(ok, err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	on := &counted{Table: openBolt(t)}
	c, clock := open(on), fake.At(morning)
	f := registry.NewFinder(nil, on, clock.Now)
	for i := range 501 {
		id := fmt.Sprintf("c%d", i)
		add(t, c, web(id), false)
		if _, err := f.Lookup(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	on.asked()
	for _, id := range []string{"c0", "c500"} {
		if _, err := f.Lookup(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if on.asked() != 1 {
		t.Error("want the first one forgotten, and the last one known")
	}
}

func TestAllowsOrigin(t *testing.T) {
	onEngines(t, func(t *testing.T, on *counted) {
		c, clock := open(on), fake.At(morning)
		withOrigin := func(id, origin string) client.Client {
			app := web(id)
			app.Origins = []string{origin}
			return app
		}
		add(t, c, withOrigin("spa", "https://spa.test"), false)
		add(t, c, withOrigin("own", "https://evil.test"), false)
		add(t, c, withOrigin("web", "https://web.test"), false)
		if err := on.Write(t.Context(), table.Update(table.Key{PK: "client#web", SK: "client"}, map[string]any{
			"public": false, "secret_hashes": []string{"h"}, "secret_at": int64(1), // as no registration leaves it
		})); err != nil {
			t.Fatal(err)
		}
		add(t, c, web("plain"), false)
		f := registry.NewFinder(client.List{{ID: "own", Origins: []string{"https://own.test"}}}, on, clock.Now)
		on.asked()
		for origin, want := range map[string]bool{
			"https://spa.test": true, "https://own.test": true, "https://evil.test": false, "https://web.test": false, "https://SPA.test": false, "null": false, "": false,
		} {
			if got, err := f.AllowsOrigin(t.Context(), origin); err != nil || got != want {
				t.Errorf("%q: %v %v", origin, got, err)
			}
		}
		if n := on.asked(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		if err := c.Remove(t.Context(), admin, "spa"); err != nil {
			t.Fatal(err)
		}
		clock.Pass(registry.MaxAge)
		if got, err := f.AllowsOrigin(t.Context(), "https://spa.test"); err != nil || got {
			t.Errorf("a removed client: %v %v", got, err)
		}
	})
}

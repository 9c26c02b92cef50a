package bolttable_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
)

func TestOpen(t *testing.T) {
	t.Run("it creates the file and its folder for this user alone", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data", "here", "table.db")
		open(t, path)
		for path, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: mode %v, error %v; want %v", path, info.Mode(), err, want)
			}
		}
	})
	t.Run("what was written is there after closing and opening", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "table.db")
		tab, err := bolttable.Open(path, bolttable.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := tab.Write(t.Context(), table.Put(row("p", "s", 1))); err != nil {
			t.Fatal(err)
		}
		if err := tab.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, path).Get(t.Context(), table.Key{PK: "p", SK: "s"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("a closed table is unavailable", func(t *testing.T) {
		tab, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{})
		if err != nil {
			t.Fatal(err)
		}
		tab.Close()
		if err := tab.Write(t.Context(), table.Put(row("p", "s", 1))); !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("writing: %v", err)
		}
		if _, err := tab.Get(t.Context(), table.Key{PK: "p", SK: "s"}); !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("getting: %v", err)
		}
	})
	for name, place := range map[string]func(t *testing.T, dir string) string{
		"a file that is something else": func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "notes.txt")
			return path + writeFile(t, path, strings.Repeat("shopping list\n", 2000))
		},
		"a folder in place of the file": func(t *testing.T, dir string) string { return dir },
		"a file in place of the folder": func(t *testing.T, dir string) string {
			return filepath.Join(dir, "notes.txt"+writeFile(t, filepath.Join(dir, "notes.txt"), "x"), "table.db")
		},
	} {
		t.Run(name+" is refused in one line with its path", func(t *testing.T) {
			path := place(t, t.TempDir())
			_, err := bolttable.Open(path, bolttable.Options{})
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), strings.TrimSuffix(path, "/table.db")) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// writeFile returns "".
func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return ""
}

func row(pk, sk string, n int64) table.Item { return table.Item{table.PK: pk, table.SK: sk, "n": n} }

func TestDeleteExpired(t *testing.T) {
	tab := open(t, filepath.Join(t.TempDir(), "table.db"))
	now := time.Unix(1_800_000_000, 0)
	var writes []table.Write
	put := func(sk string, ttl any) {
		i := row("p", sk, 1)
		i[table.GSI1PK], i[table.GSI1SK] = "index", sk
		if ttl != nil {
			i[table.TTL] = ttl
		}
		writes = append(writes, table.Put(i))
		if len(writes) == table.MaxWrites {
			flush(t, tab, &writes)
		}
	}
	for n := range 1234 { // more than fits one transaction
		put(fmt.Sprintf("old%04d", n), now.Unix()-1-int64(n%3)*1000)
	}
	put("ancient", int64(-5))
	put("now", now.Unix())
	put("later", now.Unix()+1)
	put("never", nil)
	put("prolonged", now.Unix()-5)
	flush(t, tab, &writes)
	writes = append(writes, table.Update(table.Key{PK: "p", SK: "prolonged"}, map[string]any{table.TTL: now.Unix() + 5}))
	flush(t, tab, &writes)

	for _, want := range []int{1235, 0} {
		if n, err := tab.DeleteExpired(t.Context(), now); n != want || err != nil {
			t.Errorf("deleted %d items, error %v; want %d", n, err, want)
		}
	}
	for _, q := range []table.Query{{PK: "p", Limit: 1000}, {Index: table.GSI1, PK: "index", Limit: 1000}} {
		page, err := tab.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, i := range page.Items {
			left = append(left, i.Key().SK)
		}
		if got, want := strings.Join(left, " "), "later never now prolonged"; got != want {
			t.Errorf("index %q: %q is left, want %q", q.Index, got, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tab.DeleteExpired(ctx, now); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func flush(t *testing.T, tab table.Table, writes *[]table.Write) {
	t.Helper()
	if len(*writes) == 0 {
		return
	}
	if err := tab.Write(t.Context(), *writes...); err != nil {
		t.Fatal(err)
	}
	*writes = nil
}

// BenchmarkWrite tells what a write costs, waits for the disk included, alone
// and in company.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			tab, err := bolttable.Open(filepath.Join(b.TempDir(), "table.db"), bolttable.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer tab.Close()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for n := w; n < b.N; n += writers {
						if err := tab.Write(b.Context(), table.Put(row("p", fmt.Sprint(n), 1))); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

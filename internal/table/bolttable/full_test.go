//go:build unix

package bolttable_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
)

// fillUp writes rows until the disk is full, which here comes after 1 MB, and
// prints how many were acknowledged.
func fillUp(path string) error {
	ctx := context.Background()
	tab, err := bolttable.Open(path, bolttable.Options{})
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ) // so that a write beyond the limit is an error
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		return err
	}
	for n := 0; ; n++ {
		err := tab.Write(ctx, table.Put(large(n)), table.Put(row("small", fmt.Sprint(n), 1)))
		if errors.Is(err, table.ErrUnavailable) {
			fmt.Println(n)
			break
		}
		if err != nil {
			return err
		}
	}
	if _, err := tab.Get(ctx, large(0).Key()); err != nil {
		return fmt.Errorf("reading from the full disk: %w", err)
	}
	return tab.Close()
}

func large(n int) table.Item {
	i := row("large", fmt.Sprint(n), int64(n))
	i["s"] = strings.Repeat("x", 20_000)
	return i
}

func TestFull(t *testing.T) {
	t.Run("fault 25 a full disk loses no acknowledged write and halves none", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "table.db")
		cmd, stdout, stderr := start(t, "fill", path)
		out, err := io.ReadAll(stdout)
		if err := errors.Join(err, cmd.Wait()); err != nil {
			t.Fatalf("%v: %s", err, stderr)
		}
		var acknowledged int
		if _, err := fmt.Sscan(string(out), &acknowledged); err != nil || acknowledged < 5 {
			t.Fatalf("the other process says %q (%v)", out, err)
		}
		tab := open(t, path)
		for _, pk := range []string{"large", "small"} {
			page, err := tab.Query(t.Context(), table.Query{PK: pk, Limit: 1000})
			if err != nil || len(page.Items) != acknowledged {
				t.Errorf("%d items in %q, %d were acknowledged (%v)", len(page.Items), pk, acknowledged, err)
			}
		}
		if err := tab.Write(t.Context(), table.Put(large(acknowledged))); err != nil {
			t.Errorf("writing when there is space again: %v", err)
		}
	})
}

package bolttable_test

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/tabletest"
)

func TestTable(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t, filepath.Join(t.TempDir(), "table.db")) })
}

func open(t *testing.T, path string) *bolttable.Table {
	t.Helper()
	tab, err := bolttable.Open(path, bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	return tab
}

func TestSums(t *testing.T) {
	tab := open(t, filepath.Join(t.TempDir(), "table.db"))
	for name, test := range map[string]struct {
		before, add int64
		want        error
	}{
		"to the greatest number":    {math.MaxInt64 - 1, 1, nil},
		"beyond the greatest":       {math.MaxInt64, 1, table.ErrInvalid},
		"to the smallest number":    {math.MinInt64 + 1, -1, nil},
		"beyond the smallest":       {math.MinInt64, -1, table.ErrInvalid},
		"far beyond the smallest":   {-2, math.MinInt64, table.ErrInvalid},
		"from one end to the other": {math.MaxInt64, math.MinInt64, nil},
	} {
		t.Run(name, func(t *testing.T) {
			i := row("p", name, test.before)
			if err := tab.Write(t.Context(), table.Put(i)); err != nil {
				t.Fatal(err)
			}
			want := test.before + test.add
			if test.want != nil {
				want = test.before
			}
			if err := tab.Write(t.Context(), table.Update(i.Key(), nil).Adding("n", test.add)); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if got, err := tab.Get(t.Context(), i.Key()); err != nil || got["n"] != want {
				t.Errorf("n = %v, error %v; want %d", got["n"], err, want)
			}
		})
	}
}

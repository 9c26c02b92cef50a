package bolttable_test

import (
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

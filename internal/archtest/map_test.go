package archtest

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var mapRow = regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` \\| (.*) \\|$")

// TestMap compares the table of packages in docs/ARCHITECTURE.md with the tree.
func TestMap(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(page[strings.Index(string(page), "## Packages"):]), "\n## A ")
	rows := map[string]bool{}
	for _, m := range mapRow.FindAllStringSubmatch(table, -1) {
		if rows[m[1]] || m[2] == "" {
			t.Errorf("%s is there twice, or without its job", m[1])
		}
		rows[m[1]] = true
	}
	for _, path := range slices.Sorted(maps.Keys(list(t))) {
		if name, ours := strings.CutPrefix(path, module+"/"); ours && !rows[name] {
			t.Errorf("docs/ARCHITECTURE.md has no row for %s", name)
		} else if ours {
			delete(rows, name)
		}
	}
	for name := range rows {
		t.Errorf("docs/ARCHITECTURE.md has a row for %s, which is no package", name)
	}
}

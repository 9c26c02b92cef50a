package schema_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
)

// TestRowsAreDescribed compares the table of rows in docs/OPERATING.md with this
// package: the same kinds of rows, keys and owners.
func TestRowsAreDescribed(t *testing.T) {
	text, err := os.ReadFile("../../docs/OPERATING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "| row | pk | sk |")
	table, _, _ := strings.Cut(after, "\n\n")
	var got [][]string
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(cell)
		}
		if len(cells) != 6 {
			t.Fatalf("docs/OPERATING.md: a row with %d cells, want 6: %s", len(cells), line)
		}
		got = append(got, []string{cells[0], cells[1], cells[2], cells[5]})
	}
	var want [][]string
	for _, r := range schema.Rows() {
		want = append(want, []string{r.Name, "`" + r.Key.PK + "`", "`" + r.Key.SK + "`", r.Owner})
	}
	byName := func(a, b []string) int { return strings.Compare(a[0], b[0]) }
	slices.SortFunc(got, byName)
	slices.SortFunc(want, byName)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/OPERATING.md, section Rows: -schema +docs:\n%s", diff)
	}
}

// TestKeysDiffer checks that no two kinds of rows can share a key.
func TestKeysDiffer(t *testing.T) {
	kind := func(s string) string { before, _, _ := strings.Cut(s, "#"); return before }
	seen := map[string]string{}
	for _, r := range schema.Rows() {
		k := kind(r.Key.PK) + " " + kind(r.Key.SK)
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have keys of one form: %s", other, r.Name, k)
		}
		seen[k] = r.Name
	}
}

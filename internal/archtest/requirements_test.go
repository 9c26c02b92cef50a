package archtest

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// notYet are rows of docs/requirements.md that no test cites, each with the
// reason. The list is to stay empty, or to shrink.
var notYet = map[string]string{}

var (
	// A citation is a number at the beginning of a name or in parentheses: not
	// the S256 of PKCE, and not a part of a longer word.
	cited    = regexp.MustCompile(`\b(S\d{1,3}|I\d{1,2}|fault \d{1,2})\b`)
	required = regexp.MustCompile(`(?m)^\| (S\d+|I\d+|fault \d+) \|`)
	notCited = []string{"S256", "S384", "S512"} // names of algorithms
)

// TestRequirements compares the numbers that tests cite with docs/requirements.md,
// in both directions.
func TestRequirements(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	page, err := fs.ReadFile(root, "docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range required.FindAllSubmatch(page, -1) {
		rows = append(rows, string(m[1]))
	}
	tests := citations(t, root)
	for _, number := range slices.Sorted(maps.Keys(tests)) {
		if !slices.Contains(rows, number) {
			t.Errorf("%s cites %s: docs/requirements.md has no such row", tests[number], number)
		}
	}
	for _, number := range rows {
		_, isCited := tests[number]
		_, excused := notYet[number]
		switch {
		case !isCited && !excused:
			t.Errorf("docs/requirements.md has %s, and no test cites it", number)
		case isCited && excused:
			t.Errorf("%s is in notYet, and %s cites it", number, tests[number])
		}
	}
	slices.Sort(rows)
	if twice := slices.Compact(slices.Clone(rows)); len(twice) != len(rows) {
		t.Error("docs/requirements.md has a number twice: ", cmp.Diff(twice, rows))
	}
}

// citations returns the numbers that tests cite, each with a file that does.
func citations(t *testing.T, root fs.FS) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		isTest := strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".test.mjs") || strings.Contains(name, "test/") && strings.HasSuffix(name, ".go")
		if !isTest || name == "internal/archtest/requirements_test.go" {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		for _, m := range cited.FindAllSubmatch(source, -1) {
			if number := string(m[1]); !slices.Contains(notCited, number) {
				found[number] = name
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

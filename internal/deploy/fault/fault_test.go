package fault_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

var used = regexp.MustCompile(`(?:fault\.New|\.wrong|\.remark|tell|\.joined)\("([a-z-]+)", `)

// TestCodesAreUsed wants each code that the checks use to have a meaning, and each
// meaning to be of a code that is used.
func TestCodesAreUsed(t *testing.T) {
	t.Parallel()
	found := make(map[string]bool)
	for _, pattern := range []string{"../template/*.go", "../doctor/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range used.FindAllStringSubmatch(string(text), -1) {
				found[match[1]] = true
				if fault.Meaning(match[1]) == "" {
					t.Errorf("%s: the code %s has no meaning", file, match[1])
				}
			}
		}
	}
	for _, code := range fault.Codes() {
		if !found[code] {
			t.Errorf("the code %s is not used", code)
		}
	}
}

// TestCodesAreDescribed compares docs/OPERATING.md with the codes.
func TestCodesAreDescribed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/OPERATING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "| code | what `doctor` found |\n|---|---|\n")
	table, _, _ := strings.Cut(after, "\n\n")
	var want []string
	for _, code := range fault.Codes() {
		want = append(want, fmt.Sprintf("| `%s` | %s |", code, fault.Meaning(code)))
	}
	if diff := cmp.Diff(want, slices.Collect(strings.SplitSeq(strings.TrimSpace(table), "\n"))); diff != "" {
		t.Errorf("-fault +docs:\n%s", diff)
	}
}

package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
)

// spelling are the packages that may spell keys, and why.
var spelling = map[string]string{
	"internal/schema":        "it spells every key of the table",
	"connection/dynamostore": "its rows are in a table of the team's own",
}

// TestRowKeys refuses a key, or the beginning of one, that is spelled outside of
// internal/schema.
func TestRowKeys(t *testing.T) {
	kinds := map[string]bool{"actor": true}
	for _, r := range schema.Rows() {
		for _, key := range []string{r.Key.PK, r.Key.SK} {
			if kind, _, ok := strings.Cut(key, "#"); ok && kind == strings.ToLower(kind) {
				kinds[kind] = true
			}
		}
	}
	word := regexp.MustCompile(`^[a-z]+#`)
	seen := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel("../..", path)
		dir := filepath.ToSlash(filepath.Dir(name))
		switch {
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || name == "bench" || name == "e2e" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir(), filepath.Ext(name) != ".go", strings.HasSuffix(name, "_test.go"), spelling[dir] != "":
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		seen++
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			if found := word.FindString(text); found != "" && kinds[strings.TrimSuffix(found, "#")] {
				t.Errorf("%s:%d spells the key of a row, %s: internal/schema alone does", name, files.Position(lit.Pos()).Line, lit.Value)
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 100 {
		t.Fatal(seen, err)
	}
}

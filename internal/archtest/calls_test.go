package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mainsOnly is what only a command may name, whether it calls it or hands it
// on: everything else is given what it needs, so that a test can give it too.
var mainsOnly = map[string][]string{
	"os":  {"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Exit"},
	"log": {"Fatal", "Fatalf", "Fatalln"},
	"github.com/aws/aws-lambda-go/lambda": {"Start", "StartWithOptions", "StartHandler", "StartHandlerFunc",
		"StartHandlerWithContext", "StartWithContext"},
	"github.com/aws/aws-sdk-go-v2/config": {"LoadDefaultConfig"},
}

func TestOnlyMainsTouchTheirProcess(t *testing.T) {
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipDir(root, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "examples/") {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		found, err := misplaced(name, source)
		for _, f := range found {
			t.Error(f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// skipDir leaves out what is not of this module.
func skipDir(root fs.FS, name string) error {
	if name == "." {
		return nil
	}
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "dist" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

// misplaced lists the uses of mainsOnly in the source of a file.
func misplaced(name string, source []byte) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	imports := map[string]string{} // name in the file → path
	for _, i := range file.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		local := path.Base(p)
		if i.Name != nil {
			local = i.Name.Name
		}
		imports[local] = p
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		use, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := use.X.(*ast.Ident); ok && slices.Contains(mainsOnly[imports[of.Name]], use.Sel.Name) {
			found = append(found, fmt.Sprintf("%s: %s.%s: only a command may: take what it gives as a parameter",
				files.Position(use.Pos()), of.Name, use.Sel.Name))
		}
		return true
	})
	return found, nil
}

func TestCheckerFindsMisplacedCalls(t *testing.T) {
	const source = `package p
import (
	"os"
	"log/slog"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/gatehouse-auth/gatehouse/internal/config"
)
var get = os.Getenv
func f() { slog.Info(""); config.LoadDefaultConfig(); awsconfig.LoadDefaultConfig(); os.Open(""); os.Exit(1) }
`
	got, err := misplaced(filepath.ToSlash("p.go"), []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	const why = ": only a command may: take what it gives as a parameter"
	want := []string{"p.go:8:11: os.Getenv" + why, "p.go:9:55: awsconfig.LoadDefaultConfig" + why, "p.go:9:99: os.Exit" + why}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

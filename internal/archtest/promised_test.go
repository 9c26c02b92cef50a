package archtest

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// promised are the packages that other modules import: what they export changes
// only with a new major version. Of keys, only Signer is promised.
var promised = map[string][]string{
	"identity": nil, "identity/lambdahttp": nil, "identity/testkit": nil, "authorizer": nil, "authorizer/policy": nil, "connection": nil, "keys": {"Signer"},
}

// What the comments of packages say, so that a reader knows which may change.
const (
	promise = "Part of Gatehouse's promised API"
	wiring  = "Internal to Gatehouse:"
)

// TestPackageCommentsSayWhatIsPromised reads the comment of every package that
// another module could import.
func TestPackageCommentsSayWhatIsPromised(t *testing.T) {
	for _, p := range importable(t) {
		want := wiring
		if _, ok := promised[p.name]; ok {
			want = promise
		}
		if comment := packageComment(t, p); !strings.Contains(strings.Join(strings.Fields(comment), " "), want) {
			t.Errorf("package %s: its comment must say %q", p.name, want)
		}
	}
}

type folder struct {
	name, dir string
	files     []string
}

// importable lists the packages of the module that are neither commands nor
// internal.
func importable(t *testing.T) []folder {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Dir,GoFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []folder
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Name, Dir string
			GoFiles               []string
		}
		if err := in.Decode(&p); err == io.EOF {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		name, inside := strings.CutPrefix(p.ImportPath, module+"/")
		if inside && p.Name != "main" && len(p.GoFiles) > 0 && !isInternal(p.ImportPath) && !strings.HasPrefix(name, "examples/") {
			found = append(found, folder{name, p.Dir, p.GoFiles})
		}
	}
}

func isInternal(path string) bool { return slices.Contains(strings.Split(path, "/"), "internal") }

func packageComment(t *testing.T, p folder) string {
	t.Helper()
	comment := ""
	for _, name := range p.files {
		file, err := parser.ParseFile(token.NewFileSet(), p.dir+"/"+name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		comment += file.Doc.Text()
	}
	return comment
}

// TestPromisedSignatures refuses a type of an internal package in what a promised
// package exports: another module could neither name nor make one.
func TestPromisedSignatures(t *testing.T) {
	importing := exported(t)
	for name, only := range promised {
		p, err := importing.Import(module + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, leak := range leaks(p, only) {
			t.Error(leak)
		}
	}
}

// exported imports packages as the compiler wrote them.
func exported(t *testing.T) types.Importer {
	t.Helper()
	args := []string{"list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for name := range promised {
		args = append(args, module+"/"+name)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
}

// leaks lists what p exports that mentions a type of our internal packages.
func leaks(p *types.Package, only []string) []string {
	var found []string
	for _, name := range p.Scope().Names() {
		object := p.Scope().Lookup(name)
		if !object.Exported() || only != nil && !slices.Contains(only, name) {
			continue
		}
		told := func(what string, t types.Type) {
			for _, path := range mentions(t) {
				found = append(found, fmt.Sprintf("%s.%s mentions %s, which is internal", p.Path(), what, path))
			}
		}
		if _, isType := object.(*types.TypeName); !isType {
			told(name, object.Type())
			continue
		}
		named, ok := types.Unalias(object.Type()).(*types.Named)
		if !ok || named.Obj().Pkg() != p {
			told(name, object.Type()) // an alias for what another package has
			continue
		}
		switch under := named.Underlying().(type) {
		case *types.Struct:
			for field := range under.Fields() {
				if field.Exported() {
					told(name+"."+field.Name(), field.Type())
				}
			}
		default:
			told(name, under)
		}
		methods := types.NewMethodSet(types.NewPointer(named))
		for selected := range methods.Methods() {
			if selected.Obj().Exported() {
				told(name+"."+selected.Obj().Name(), selected.Type())
			}
		}
	}
	return found
}

// mentions lists the internal types in t, as far as one can be named.
func mentions(t types.Type) []string {
	var found []string
	types.TypeString(t, func(p *types.Package) string {
		if strings.HasPrefix(p.Path(), module+"/") && isInternal(p.Path()) {
			found = append(found, p.Path())
		}
		return p.Name()
	})
	if alias, ok := t.(*types.Alias); ok {
		found = append(found, mentions(alias.Rhs())...)
	}
	return found
}

func TestCheckerFindsLeaks(t *testing.T) {
	check := func(path, source string, known ...*types.Package) *types.Package {
		t.Helper()
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "p.go", source, 0)
		if err != nil {
			t.Fatal(err)
		}
		config := types.Config{Importer: packages(known)}
		p, err := config.Check(path, files, []*ast.File{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	hidden := check(module+"/internal/h", "package h; type T struct{}; func (T) M(T) {}")
	p := check(module+"/p", `package p
import "`+module+`/internal/h"
type hidden struct{ h.T }
type A struct { B func(h.T); c h.T }
func (A) D() []*h.T { return nil }
func (A) e(h.T) {}
type F = h.T
type G struct { hidden }
var I map[string]h.T
func j(h.T) {}
func K(A) {}
type L interface{ M(h.T) }
`, hidden)
	var want []string
	for _, what := range []string{"A.B", "A.D", "F", "G.M", "I", "L"} {
		want = append(want, module+"/p."+what+" mentions "+hidden.Path()+", which is internal")
	}
	if diff := cmp.Diff(want, leaks(p, nil)); diff != "" {
		t.Error(diff)
	}
}

type packages []*types.Package

func (all packages) Import(path string) (*types.Package, error) {
	for _, p := range all {
		if p.Path() == path {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no package %s", path)
}

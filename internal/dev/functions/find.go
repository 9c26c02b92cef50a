package functions

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
)

// errNoCode says that no code of a function is found, and how to name it.
type errNoCode struct{ name, looked string }

func (e *errNoCode) Error() string {
	return fmt.Sprintf("function %s: %s: name its folder with --function %s=DIR, or run it yourself with --upstream", e.name, e.looked, e.name)
}

// mainPackage returns the folder of a function's main package: the one that
// given names, the one that the template names, or the only one in the module
// that is called as the function or its zip.
func mainPackage(f project.Function, dir, given string) (string, error) {
	for _, named := range []string{given, f.Source, f.Handler} {
		folder := named
		if filepath.Ext(folder) == ".go" {
			folder = filepath.Dir(folder)
		}
		if named != "" && isMain(under(dir, folder)) && named != "bootstrap" {
			return under(dir, folder), nil
		}
		if named != "" && named == given {
			return "", fmt.Errorf("--function %s=%s: that folder has no Go main package", f.Name, given)
		}
	}
	names := []string{strings.ToLower(f.Artifact), strings.ToLower(f.Name), strings.TrimSuffix(strings.ToLower(f.Name), "function")}
	root := moduleRoot(dir)
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if path != root && skipped(d.Name()) {
			return fs.SkipDir
		}
		if slices.Contains(names, strings.ToLower(filepath.Base(path))) && isMain(path) {
			found = append(found, path)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && isMain(dir):
		return dir, nil // a folder with one function
	case len(found) == 0:
		return "", &errNoCode{f.Name, "no Go main package below " + root + " is called so"}
	}
	return "", &errNoCode{f.Name, "there are " + strings.Join(found, " and ")}
}

func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// skipped tells of folders that hold no code of the team.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || slices.Contains([]string{"node_modules", "vendor", "testdata", "cdk.out", "dist"}, name)
}

// moduleRoot returns the folder above dir that has a go.mod, or dir.
func moduleRoot(dir string) string {
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			return up
		}
		if up == filepath.Dir(up) {
			return dir
		}
	}
}

// isMain tells whether dir holds a Go main package.
func isMain(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return false
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
		if err == nil {
			return parsed.Name.Name == "main"
		}
	}
	return false
}

// nodeFile returns the file of a Node handler such as src/index.handler, and the
// folder that it is looked for in.
func nodeFile(f project.Function, dir, given string) (base, file string, err error) {
	base = dir
	for _, named := range []string{f.Source, given} {
		if named != "" {
			base = under(dir, named)
		}
	}
	module, _, ok := cutLast(f.Handler, ".")
	if !ok {
		return "", "", fmt.Errorf("function %s: handler %q: want a file and an export, such as src/index.handler", f.Name, f.Handler)
	}
	for _, extension := range []string{".mjs", ".js", ".cjs"} {
		path := filepath.Join(base, module+extension)
		if _, err := os.Stat(path); err == nil {
			return base, path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
	}
	return "", "", &errNoCode{f.Name, "there is no " + filepath.Join(base, module) + ".mjs, .js or .cjs"}
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

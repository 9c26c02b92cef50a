package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

type initCommand struct {
	Dir      string `arg:"" optional:"" default:"." placeholder:"DIR" help:"The folder to write into (this one)."`
	Function string `placeholder:"NAME" help:"Write a first function of this name too, with its test, its rule and a serverless.yml."`
	outputFlag
}

//go:embed starter
var starter embed.FS

// functionName is what can be a folder, a Go package's folder and a path.
var functionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// Run writes the files, all of them or none. It overwrites nothing.
func (c *initCommand) Run(w *process) error {
	name := "orders"
	files := map[string]string{"gatehouse.yml": "starter/gatehouse.yml"}
	if c.Function != "" {
		name = c.Function
		if !functionName.MatchString(name) || ourFunctions[name] {
			return fmt.Errorf("--function %s: want a name of your own in lower-case letters, digits and dashes, such as orders", name)
		}
		files["serverless.yml"] = "starter/serverless.yml"
		files[filepath.Join("functions", name, "main.go")] = "starter/main.go.txt"
		files[filepath.Join("functions", name, "main_test.go")] = "starter/main_test.go.txt"
	}
	texts := make(map[string][]byte)
	for path, from := range files {
		text, err := render(from, name)
		if err != nil {
			return err
		}
		texts[path] = text
	}
	if c.Function != "" && !inModule(c.Dir) {
		texts["go.mod"] = goMod(name)
	}
	written, err := writeNew(c.Dir, texts)
	if err != nil {
		return err
	}
	if c.json() {
		return w.printJSON(itemsOf(written))
	}
	for _, path := range written {
		fmt.Fprintf(w.stdout, "wrote %s\n", path)
	}
	if c.Function != "" {
		fmt.Fprintln(w.stdout, "next: go mod tidy, go test ./..., gatehouse dev")
	} else {
		fmt.Fprintln(w.stdout, "next: gatehouse dev")
	}
	return nil
}

var ourFunctions = map[string]bool{"authorizer": true, "loginsvc": true, "usersvc": true, "rotator": true}

// render returns a file of the starter for a function of that name.
func render(path, name string) ([]byte, error) {
	text, err := starter.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := template.New(path).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct{ Name string }{name})
	return out.Bytes(), err
}

// inModule tells whether dir is in a Go module.
func inModule(dir string) bool {
	up, err := filepath.Abs(dir)
	for err == nil {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			return true
		}
		if up == filepath.Dir(up) {
			break
		}
		up = filepath.Dir(up)
	}
	return false
}

// goMod is the go.mod of a new module. It requires this version of Gatehouse, if
// this program is a released one.
func goMod(name string) []byte {
	text := "module " + name + "\n\ngo 1.26\n"
	if v := version().Version; strings.HasPrefix(v, "v") {
		text += "\nrequire github.com/gatehouse-auth/gatehouse " + v + "\n"
	}
	return []byte(text)
}

// writeNew writes files below dir, in the order of their paths. If one is there
// already, it writes none.
func writeNew(dir string, texts map[string][]byte) ([]string, error) {
	var paths, taken []string
	for path := range texts {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		if _, err := os.Lstat(filepath.Join(dir, path)); !errors.Is(err, fs.ErrNotExist) {
			taken = append(taken, filepath.Join(dir, path))
		}
	}
	if len(taken) > 0 {
		return nil, fmt.Errorf("%s: already there, so nothing was written: init overwrites no file", strings.Join(taken, ", "))
	}
	for i, path := range paths {
		whole := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(whole), 0o755); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(whole, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, err
		}
		_, err = f.Write(texts[path])
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		paths[i] = whole
	}
	return paths, nil
}

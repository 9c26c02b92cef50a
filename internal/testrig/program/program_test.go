package program_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/program"
)

// inOwnCache keeps what the test builds out of the user's cache, but leaves the go
// command its own.
func inOwnCache(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
}

// module writes a module whose program prints what a package prints that another
// package imports.
func module(t *testing.T) (root string, edit func(name, text string)) {
	t.Helper()
	inOwnCache(t)
	root = t.TempDir()
	edit = func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit("go.mod", "module example.com/m\n\ngo 1.26\n")
	edit("cmd/say/main.go", "package main\n\nimport \"example.com/m/near\"\n\nfunc main() { near.Say() }\n")
	edit("near/near.go", "package near\n\nimport \"example.com/m/far\"\n\nfunc Say() { far.Say() }\n")
	edit("far/far.go", far("one"))
	return root, edit
}

// far is a source that changes with the text, while what it exports does not.
func far(text string) string {
	return "package far\n\nimport _ \"embed\"\n\n//go:embed word.txt\nvar word string\n\n//go:noinline\nfunc Say() { print(\"" + text + " \" + word) }\n"
}

// TestBuildIsNeverOld changes what is far from the main package, in each way that a
// program can come to be old, and runs what is built.
func TestBuildIsNeverOld(t *testing.T) {
	root, edit := module(t)
	edit("far/word.txt", "a")
	says := func(want string) {
		t.Helper()
		folder := t.TempDir()
		if err := program.Build(t.Context(), root, folder, "./cmd/say"); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "say")).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("it says %q, %v, want %q", out, err, want)
		}
	}
	says("one a")
	says("one a")
	edit("far/far.go", far("two"))
	says("two a")
	edit("far/word.txt", "b")
	says("two b")
	edit("far/far.go", far("one"))
	edit("far/word.txt", "a")
	says("one a")
	edit("near/tagged.go", "//go:build lambda.norpc\n\npackage near\n\nfunc init() { print(\"tag \") }\n")
	says("tag one a")
}

func TestBuildOfBrokenSource(t *testing.T) {
	root, edit := module(t)
	edit("far/word.txt", "a")
	if err := program.Build(t.Context(), root, t.TempDir(), "./cmd/say"); err != nil {
		t.Fatal(err)
	}
	edit("far/far.go", "package far\n\nfunc Say() {")
	folder := t.TempDir()
	if err := program.Build(t.Context(), root, folder, "./cmd/say"); err == nil {
		t.Error("broken source builds")
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 0 {
		t.Errorf("broken source leaves %v", left)
	}
}

// TestBuildAtOnce builds two programs of one name, which take turns in what is
// shared. Each test gets its own.
func TestBuildAtOnce(t *testing.T) {
	root, edit := module(t)
	for _, name := range []string{"one", "two"} {
		edit(name+"/say/main.go", "package main\n\nfunc main() { print(\""+name+"\") }\n")
	}
	var group sync.WaitGroup
	for range 2 {
		for _, name := range []string{"one", "two"} {
			folder := t.TempDir()
			group.Go(func() {
				if err := program.Build(t.Context(), root, folder, "./"+name+"/say"); err != nil {
					t.Error(err)
					return
				}
				out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "say")).CombinedOutput()
				if err != nil || string(out) != name {
					t.Errorf("%s says %q, %v", name, out, err)
				}
			})
		}
	}
	group.Wait()
}

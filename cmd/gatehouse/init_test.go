package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/doctor"
)

func initIn(dir string, args ...string) (out string, code int) {
	var both strings.Builder
	w := &process{stdout: &both, stderr: &both, getenv: func(string) string { return "" }}
	code = run(append([]string{"init", dir}, args...), w)
	return both.String(), code
}

func TestInit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if said, code := initIn(dir, "--function", "hello"); code != 0 {
		t.Fatal(said)
	}
	for _, name := range []string{"gatehouse.yml", "serverless.yml", "go.mod", "functions/hello/main.go", "functions/hello/main_test.go"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || strings.Contains(string(text), "{{") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := doctor.Files(doctor.Inputs{
		Config: filepath.Join(dir, "gatehouse.yml"), Template: filepath.Join(dir, "serverless.yml"),
		Getenv: func(name string) string {
			return map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}[name]
		},
	})
	if r.Wrong() != 0 {
		t.Errorf("doctor finds: %v", r.Findings)
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	t.Parallel()
	for _, there := range []string{"gatehouse.yml", "serverless.yml", "functions/hello/main.go"} {
		dir := t.TempDir()
		path := filepath.Join(dir, there)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		said, code := initIn(dir, "--function", "hello")
		if text, err := os.ReadFile(path); code != 1 || err != nil || string(text) != "mine" || !strings.Contains(said, path+": already there") {
			t.Errorf("%s: %d %q %s", there, code, text, said)
		}
		if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 1 {
			t.Errorf("%s: it wrote some of its files: %v", there, files)
		}
	}
}

// A link that leads nowhere is a file that is there.
func TestInitFollowsNoLink(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "x")
	if err := os.Symlink(outside, filepath.Join(dir, "gatehouse.yml")); err != nil {
		t.Skip(err)
	}
	if said, code := initIn(dir); code != 1 || !strings.Contains(said, "already there") {
		t.Errorf("%d %s", code, said)
	}
}

func TestInitRefusesNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"authorizer", "loginsvc", "../x", "a b", "Hello", "1st", strings.Repeat("a", 40)} {
		dir := t.TempDir()
		said, code := initIn(dir, "--function", name)
		if files, _ := os.ReadDir(dir); code != 1 || !strings.Contains(said, "want a name of your own") || len(files) != 0 {
			t.Errorf("%q: %d %s", name, code, said)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if code := run([]string{"version"}, &process{stdout: &out, stderr: &out}); code != 0 || !slices.Contains(strings.Fields(out.String()), "gatehouse") {
		t.Errorf("%d %s", code, &out)
	}
}

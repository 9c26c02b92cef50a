// Package lambdatest runs built Lambda functions in tests; the work is done by
// package runtime.
package lambdatest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/runtime"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/program"
)

// These are the types of package runtime.
type (
	Config   = runtime.Config
	Function = runtime.Function
	Error    = runtime.Error
)

// New returns a function. Close must be called.
func New(cfg Config) *Function { return runtime.New(cfg) }

// Start is [New] with Close at the end of the test.
func Start(t testing.TB, cfg Config) *Function {
	t.Helper()
	f := New(cfg)
	t.Cleanup(f.Close)
	return f
}

// Build compiles the main package of an import path for this machine, as
// [program.Build] does, and returns a folder that holds it as `bootstrap`.
func Build(t testing.TB, importPath string) string {
	t.Helper()
	built, root := t.TempDir(), t.TempDir()
	if err := program.Build(t.Context(), ".", built, importPath); err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob(filepath.Join(built, "*"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("building %s: %v, %v", importPath, programs, err)
	}
	if err := os.Rename(programs[0], filepath.Join(root, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	return root
}

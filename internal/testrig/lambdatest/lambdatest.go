// Package lambdatest runs built Lambda functions in tests; the work is done by
// package runtime.
package lambdatest

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/runtime"
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

// Build compiles the main package of an import path for this machine, and returns
// a folder that holds it as `bootstrap`. Flags that would have everything compiled
// a second time are left out.
func Build(t testing.TB, importPath string) string {
	t.Helper()
	root := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o",
		filepath.Join(root, "bootstrap"), importPath)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", importPath, err, out)
	}
	return root
}

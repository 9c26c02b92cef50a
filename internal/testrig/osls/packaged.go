package osls

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Packaged returns the template that `make package` made of our serverless.yml. If
// it has not made any, it skips the test. CI makes it before the tests, so that
// there it fails the test instead.
func Packaged(t testing.TB, getenv func(string) string) []byte {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			break
		}
		if at == filepath.Dir(at) {
			t.Fatal("no go.mod in this folder or above it")
		}
		at = filepath.Dir(at)
	}
	raw, err := os.ReadFile(filepath.Join(at, ".serverless", "cloudformation-template-update-stack.json"))
	if errors.Is(err, fs.ErrNotExist) && getenv("CI") != "true" {
		t.Skip("nothing is packaged: make package, then test again")
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

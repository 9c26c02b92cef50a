package osls

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestKey changes each thing that a packaged template depends on.
func TestKey(t *testing.T) {
	t.Parallel()
	modules := t.TempDir()
	install := func(text string) {
		if err := os.WriteFile(filepath.Join(modules, ".package-lock.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install("osls 1")
	in := Input{Files: map[string]string{"serverless.yml": "a"}, Variables: []string{"A=1"}, Flags: []string{"--stage", "x"}}
	hash := func(in Input, what string) string {
		t.Helper()
		k, err := key(in, what, modules)
		if err != nil {
			t.Skip(err) // there is no node
		}
		return k
	}
	seen := map[string]string{hash(in, "template"): "the input"}
	differs := func(name, k string) {
		t.Helper()
		if other, ok := seen[k]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[k] = name
	}
	if seen[hash(in, "template")] == "" {
		t.Error("the same input has two keys")
	}
	differs("another expectation", hash(in, "refused"))
	other := in
	other.Files = maps.Clone(in.Files)
	other.Files["gatehouse.yml"] = ""
	differs("another file", hash(other, "template"))
	other = in
	other.Files = map[string]string{"serverless.yml": "b"}
	differs("another text", hash(other, "template"))
	other = in
	other.Variables = []string{"A=2"}
	differs("another variable", hash(other, "template"))
	other = in
	other.Flags = []string{"--stage", "y"}
	differs("another flag", hash(other, "template"))
	install("osls 2")
	differs("another version of the tool", hash(in, "template"))
}

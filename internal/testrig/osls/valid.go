package osls

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/artifact"
)

// Valid tells whether .ci/validate.mjs, which applies CloudFormation's rules, finds
// no error in a template, and what it says otherwise. Where npm has not installed
// the validator, it skips the test, unless this is CI. Only "valid" is remembered.
func Valid(t testing.TB, getenv func(string) string, template []byte) (valid bool, said string) {
	t.Helper()
	modules := installed(t, getenv, filepath.Join("@aws", "cloudformation-validate"))
	script := filepath.Join(filepath.Dir(modules), ".ci", "validate.mjs")
	rules, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	key, err := key([]string{string(rules), string(template)}, "valid", modules)
	if err != nil {
		t.Fatal(err)
	}
	invalid := errors.New("invalid")
	_, err = artifact.Folder("osls", key, func(folder string) error {
		path := filepath.Join(folder, "template.json")
		if err := os.WriteFile(path, template, 0o600); err != nil {
			return err
		}
		out, err := exec.CommandContext(t.Context(), "node", script, path).CombinedOutput()
		said = string(out)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 && strings.Contains(said, " errors, ") {
			return invalid
		}
		if err != nil {
			return fmt.Errorf("validate.mjs: %w\n%s", err, out)
		}
		return nil
	})
	if err != nil && !errors.Is(err, invalid) {
		t.Fatal(err)
	}
	return err == nil, said
}

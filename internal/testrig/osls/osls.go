// Package osls packages a serverless.yml for tests, and has CloudFormation's rules
// hold for the result. What was done once is not done again until something changes
// that it depends on.
package osls

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/artifact"
)

// Input is all that the packaged template depends on, beside the tool.
type Input struct {
	Files     map[string]string // the folder, by name: serverless.yml and what it reads
	Variables []string          // lines of .env
	Flags     []string          // after `osls package`
}

// Package returns the packaged template of an input. The zips that serverless.yml
// names are empty. Where npm has not installed the tool, it skips the test, unless
// this is CI.
func Package(t testing.TB, getenv func(string) string, in Input) []byte {
	t.Helper()
	folder := share(t, getenv, in, "template", func(folder string) error {
		out, err := run(t, getenv, in, folder)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
	raw, err := os.ReadFile(filepath.Join(folder, ".serverless", "cloudformation-template-update-stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Refuses fails the test unless the tool refuses the input and says why.
func Refuses(t testing.TB, getenv func(string) string, in Input, why string) {
	t.Helper()
	share(t, getenv, in, "refused: "+why, func(folder string) error {
		out, err := run(t, getenv, in, folder)
		if _, refused := errors.AsType[*exec.ExitError](err); !refused || !strings.Contains(string(out), why) {
			return fmt.Errorf("packaging: %v, want %q\n%s", err, why, out)
		}
		return nil
	})
}

// share returns the folder that make fills, made now or earlier.
func share(t testing.TB, getenv func(string) string, in Input, what string, make func(folder string) error) string {
	t.Helper()
	modules := installed(t, getenv, filepath.Join(".bin", "osls"))
	key, err := key(in, what, modules)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := artifact.Folder("osls", key, make)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// installed returns the folder node_modules, in this folder or one above it. If it
// lacks a tool, it skips the test, unless this is CI: then it fails the test.
func installed(t testing.TB, getenv func(string) string, tool string) (modules string) {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		modules = filepath.Join(at, "node_modules")
		if _, err := os.Stat(filepath.Join(modules, tool)); err == nil {
			return modules
		}
		if at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	if getenv("CI") == "true" {
		t.Fatalf("%s is not installed: npm ci", tool)
	}
	t.Skipf("%s is not installed: npm ci", tool)
	return ""
}

// key is a hash of what the result depends on: the input, what is expected of it,
// every package that npm has installed, and Node.
func key(in any, what, modules string) (string, error) {
	packages, err := os.ReadFile(filepath.Join(modules, ".package-lock.json"))
	if err != nil {
		return "", err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return "", err
	}
	program, err := os.Stat(node)
	if err != nil {
		return "", err
	}
	all, err := json.Marshal([]any{in, what, string(packages), node, program.Size(), program.ModTime()})
	return fmt.Sprintf("%x", sha256.Sum256(all)), err
}

var artifacts = regexp.MustCompile(`artifact: (dist/[a-z]+\.zip)`)

const emptyZip = "PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// run writes the input into the folder and packages it.
func run(t testing.TB, getenv func(string) string, in Input, folder string) ([]byte, error) {
	files := map[string]string{".env": strings.Join(in.Variables, "\n")}
	maps.Copy(files, in.Files)
	for _, zip := range artifacts.FindAllStringSubmatch(in.Files["serverless.yml"], -1) {
		files[zip[1]] = emptyZip
	}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	tool := filepath.Join(".bin", "osls")
	cmd := exec.CommandContext(t.Context(), filepath.Join(installed(t, getenv, tool), tool), append([]string{"package"}, in.Flags...)...)
	cmd.Dir = folder
	cmd.Env = []string{"PATH=" + getenv("PATH"), "HOME=" + folder, "SLS_TELEMETRY_DISABLED=1"}
	out, err := cmd.CombinedOutput()
	return bytes.TrimSpace(out), err
}

package main

import (
	"archive/zip"
	"crypto/rsa"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys/jwks"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

// newModule writes a module with an authorizer and a login service that do
// nothing, and returns its folder.
func newModule(t *testing.T, config string) string {
	t.Helper()
	const function = "package main\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc main() { lambda.Start(nil) }\n"
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                   "module example.com/m\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.0.0\n\nreplace github.com/aws/aws-lambda-go => ./runtime\n",
		"runtime/go.mod":           "module github.com/aws/aws-lambda-go\n\ngo 1.26\n",
		"runtime/lambda/lambda.go": "package lambda\n\nfunc Start(any) {}\n",
		"cmd/authorizer/main.go":   function,
		"cmd/loginsvc/main.go":     function,
		"gatehouse.yml":            config,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// unpack returns a file of a zip.
func unpack(t *testing.T, path, name string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestPackage(t *testing.T) {
	const config = "routes:\n  - {route: GET /orders, roles: [admin]}\n"
	root := newModule(t, config)
	out := filepath.Join(root, "out")
	var stdout, stderr strings.Builder
	if code := run([]string{"package", "--root", root, "--out", out, "-o", "json"}, &process{stdout: &stdout, stderr: &stderr}); code != 0 {
		t.Fatal(&stderr)
	}
	var listed struct {
		Items []struct{ Function, Path string }
	}
	err := json.Unmarshal([]byte(stdout.String()), &listed)
	artifacts := listed.Items
	if err != nil || len(artifacts) != 2 || artifacts[1].Function != "loginsvc" {
		t.Fatalf("%s: %v", &stdout, err)
	}
	if got := unpack(t, filepath.Join(out, "authorizer.zip"), "policy.json"); !strings.Contains(got, `"GET /orders"`) {
		t.Errorf("policy.json: %s", got)
	}
	if got := unpack(t, artifacts[1].Path, "gatehouse.yml"); got != config {
		t.Errorf("gatehouse.yml: %s", got)
	}
}

func TestPackageExportedKeys(t *testing.T) {
	root := newModule(t, "{}")
	out := filepath.Join(root, "out")
	pack := func(document []byte) (code int, stderr string) {
		if err := os.WriteFile(filepath.Join(root, "jwks.json"), document, 0o644); err != nil {
			t.Fatal(err)
		}
		var outs, errs strings.Builder
		code = run([]string{"package", "--root", root, "--out", out}, &process{stdout: &outs, stderr: &errs})
		return code, errs.String()
	}
	document, err := jwks.Marshal([]*rsa.PublicKey{&keystest.WeakKey().PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	if code, stderr := pack(document); code != 0 {
		t.Fatal(stderr)
	}
	for _, zip := range []string{"authorizer.zip", "loginsvc.zip"} {
		if got := unpack(t, filepath.Join(out, zip), "jwks.json"); got != string(document) {
			t.Errorf("S101 %s: jwks.json: %s", zip, got)
		}
	}
	if code, stderr := pack([]byte(`{"keys":[]}`)); code != exitFailed || !strings.Contains(stderr, "gatehouse keys export > jwks.json") {
		t.Errorf("S102 an empty set: exit code %d: %s", code, stderr)
	}
}

func TestPackageRefusesMistakes(t *testing.T) {
	for config, want := range map[string]string{
		"roels: []": "gatehouse.yml:1: roels",
		"clients:\n  - {id: a, secret: s, redirect_uris: [https://a.example/cb]}\n": "a secret in a file is for a laptop",
	} {
		root := newModule(t, config)
		var stdout, stderr strings.Builder
		if code := run([]string{"package", "--root", root, "--out", root}, &process{stdout: &stdout, stderr: &stderr}); code != exitFailed || !strings.Contains(stderr.String(), want) {
			t.Errorf("exit code %d: %s", code, &stderr)
		}
	}
}

// TestPackageAuthorizer builds the authorizer of a team's API: its rules and
// settings are in the zip.
func TestPackageAuthorizer(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "gatehouse.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pack := func(env map[string]string) (string, int) {
		var stdout, stderr strings.Builder
		code := run([]string{"package", "authorizer", "--config", file, "--out", dir, "--source", "../..", "--arch", "x86_64", "--offline"},
			&process{stdout: &stdout, stderr: &stderr, getenv: func(name string) string { return env[name] }})
		return stderr.String(), code
	}
	const rules = "routes:\n  - {route: GET /cart, roles: [user]}\n"
	for name, tc := range map[string]struct{ text, want string }{
		"no issuer": {rules, "issuer: not set"},
		"no rules":  {"issuer: https://auth.example.com\n", "routes: not set"},
	} {
		write(tc.text)
		if said, code := pack(nil); code != 1 || !strings.Contains(said, tc.want) {
			t.Errorf("%s: %d %s", name, code, said)
		}
	}
	write("issuer: https://auth.example.com\nroutes: [{route: GET /users, roles: [admin]}]\n")
	if said, code := pack(nil); code != 0 { // the team's own API can have a route that the user API has, too
		t.Fatal(said)
	}
	if got := unpack(t, filepath.Join(dir, "authorizer.zip"), "policy.json"); !strings.Contains(got, `"GET /users","roles":["admin"]`) {
		t.Errorf("a route that our own API has, too: %s", got)
	}
	write(rules)
	if said, code := pack(map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}); code != 0 {
		t.Fatal(said)
	}
	zip := filepath.Join(dir, "authorizer.zip")
	if got := unpack(t, zip, "settings.json"); got != `{"GATEHOUSE_AUDIENCE":"https://auth.example.com/api","GATEHOUSE_ISSUER":"https://auth.example.com"}` {
		t.Errorf("settings.json: %s", got)
	}
	if got := unpack(t, zip, "policy.json"); !strings.Contains(got, `"GET /cart"`) || strings.Contains(got, "/me") {
		t.Errorf("policy.json: %s", got)
	}
	program := unpack(t, zip, "bootstrap")
	if !strings.HasPrefix(program, "\x7fELF") || program[18] != 0x3e {
		t.Error("bootstrap is no program for x86_64")
	}
}

// TestPackageLogin builds the login stack of a team, from the configuration alone.
func TestPackageLogin(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "team.yml")
	const text = "providers: [{id: google, client_id: x}]\nroutes:\n  - {route: GET /cart, roles: [user]}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	w := &process{stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }}
	if code := run([]string{"package", "login", "--config", file, "--out", dir, "--source", "../.."}, w); code != 0 {
		t.Fatal(&stderr)
	}
	if got := unpack(t, filepath.Join(dir, "loginsvc.zip"), "gatehouse.yml"); got != text {
		t.Errorf("gatehouse.yml: %s", got)
	}
	if got := unpack(t, filepath.Join(dir, "authorizer.zip"), "policy.json"); !strings.Contains(got, `"GET /cart"`) || !strings.Contains(got, `"GET /me"`) {
		t.Errorf("policy.json: %s", got)
	}
	stdout.Reset()
	doctor := []string{"doctor", "--config", file, "--dist", dir, "--packaged", filepath.Join(dir, "login.template.json"), "--template", "../../serverless.yml"}
	run(doctor, w)
	for line := range strings.Lines(stdout.String()) {
		if strings.HasPrefix(line, "wrong") && !strings.Contains(line, "[rule-unused]") { // GET /cart is another stack's
			t.Errorf("doctor: %s", line)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

const readme = "../../README.md"

// block is a code block of README.md.
type block struct {
	line     int
	language string
	text     string
	away     bool // it needs an AWS account
	output   string
}

var fence = regexp.MustCompile("(?m)^(<!-- needs an AWS account -->\n)?```([a-z]*)\n((?s:.*?))^```$")

// blocks returns the code blocks. A text block that follows commands is their
// output.
func blocks(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	for _, m := range fence.FindAllSubmatchIndex(text, -1) {
		b := block{
			line: 1 + bytes.Count(text[:m[0]], []byte("\n")), language: string(text[m[4]:m[5]]), text: string(text[m[6]:m[7]]), away: m[2] >= 0,
		}
		if last := len(all) - 1; b.language == "text" && last >= 0 && all[last].language == "sh" {
			all[last].output = b.text
			continue
		}
		all = append(all, b)
	}
	return all
}

// TestREADME runs the commands of README.md, one after the other, against a
// gatehouse dev on free ports, and compares what they print: … stands for
// anything.
func TestREADME(t *testing.T) {
	server, err := server.Start(t.Context(), server.Options{Config: "../../gatehouse.yml", Template: "../../serverless.yml"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	here := strings.NewReplacer(
		"go run ./cmd/gatehouse token", "gatehouse token --url "+server.Issuer,
		"go run ./cmd/gatehouse explain", "gatehouse explain --url "+server.Issuer,
		"http://localhost:8787", server.Issuer,
	)
	ran := 0
	for _, b := range blocks(t) {
		switch {
		case b.language != "sh" || b.away:
		case b.text == "go run ./cmd/gatehouse dev\n", b.text == "go test ./...\n": // this is they
			ran++
		default:
			ran++
			got := bash(t, b, here.Replace(b.text))
			want := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(b.output)), "…", "(?s:.*)")
			if !regexp.MustCompile("^" + want + "$").MatchString(strings.TrimSpace(got)) {
				t.Errorf("README.md:%d prints\n%s\nand not\n%s", b.line, got, b.output)
			}
		}
	}
	if ran < 5 {
		t.Errorf("only %d blocks were found", ran)
	}
}

func bash(t *testing.T, b block, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	var stderr strings.Builder
	cmd.Dir, cmd.Stderr = t.TempDir(), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("README.md:%d: %v\n%s%s", b.line, err, out, &stderr)
	}
	return string(out)
}

// TestREADMECompiles builds the Go of README.md as a function in this module.
func TestREADMECompiles(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	found := false
	for _, b := range blocks(t) {
		if b.language != "go" {
			continue
		}
		found = true
		source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
		replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "examples/readme/main.go"): source}})
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string][]byte{source: []byte(b.text), overlay: replace} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, "-overlay", overlay, "./examples/readme")
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("README.md:%d: %v\n%s", b.line, err, out)
		}
	}
	if !found {
		t.Error("no Go in README.md")
	}
}

// TestREADMEConfigures reads the pieces of gatehouse.yml in README.md.
func TestREADMEConfigures(t *testing.T) {
	issuer := func(name string) string {
		return map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}[name]
	}
	for _, b := range blocks(t) {
		if b.language != "yaml" || strings.HasPrefix(b.text, " ") { // a piece of serverless.yml
			continue
		}
		if _, err := config.Parse("README.md", []byte(b.text), issuer); err != nil {
			t.Errorf("README.md:%d: %v", b.line, err)
		}
	}
}

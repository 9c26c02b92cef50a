package main

import (
	"bytes"
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
	away     bool // it needs what a test has not, such as an AWS account
	output   string
}

var fence = regexp.MustCompile("(?m)^(<!-- needs [a-zA-Z ]+ -->\n)?```([a-z]*)\n((?s:.*?))^```$")

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
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	shop := filepath.Join(t.TempDir(), "shop")
	issuer, dir, ran := "", t.TempDir(), 0
	dev := func(o server.Options) {
		t.Helper()
		s, err := server.Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		issuer = s.Issuer
	}
	for _, b := range blocks(t) {
		if b.language != "sh" || b.away {
			continue
		}
		ran++
		switch b.text {
		case "go test ./...\n": // this is they
		case "go run ./cmd/gatehouse dev\n":
			dev(server.Options{Config: "../../gatehouse.yml", Template: "../../serverless.yml"})
		case "gatehouse dev\n":
			dir = shop
			dev(server.Options{Config: filepath.Join(shop, "gatehouse.yml"), Template: filepath.Join(shop, "serverless.yml")})
		default:
			got := bash(t, b, dir, strings.NewReplacer(
				"https://github.com/gatehouse-auth/gatehouse\n", root+" gatehouse\n", "go install ./cmd/gatehouse\n", "", "../shop", shop, "../gatehouse", root,
				"go run ./cmd/gatehouse token", "gatehouse token --url "+issuer, "go run ./cmd/gatehouse explain", "gatehouse explain --url "+issuer,
				"$(gatehouse token", "$(gatehouse token --url "+issuer, "http://localhost:8787", issuer,
			).Replace(b.text))
			want := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(b.output)), "…", "(?s:.*)")
			if b.output != "" && !regexp.MustCompile("^"+want+"$").MatchString(strings.TrimSpace(got)) {
				t.Errorf("README.md:%d prints\n%s\nand not\n%s", b.line, got, b.output)
			}
		}
	}
	if ran < 10 {
		t.Errorf("only %d blocks were found", ran)
	}
}

func bash(t *testing.T, b block, dir, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	var stderr strings.Builder
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("README.md:%d: %v\n%s%s", b.line, err, out, &stderr)
	}
	return string(out)
}

// TestREADMEShowsTheStarter compares the code of README.md with what gatehouse init
// writes, which TestREADME builds and runs.
func TestREADMEShowsTheStarter(t *testing.T) {
	shown := map[string]int{}
	for _, b := range blocks(t) {
		from := map[string]string{"go": "starter/main.go.txt", "yaml": "starter/gatehouse.yml"}[b.language]
		if b.language == "yaml" && strings.HasPrefix(b.text, " ") {
			from = "starter/serverless.yml"
		}
		if b.language == "go" && strings.Contains(b.text, "testing.T") {
			from = "starter/main_test.go.txt"
		}
		if from == "" {
			continue
		}
		written, err := render(from, "orders")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(written, []byte(b.text)) {
			t.Errorf("README.md:%d is not in what gatehouse init writes:\n%s", b.line, b.text)
		}
		shown[from]++
	}
	if len(shown) != 4 {
		t.Errorf("README.md shows only %v", shown)
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

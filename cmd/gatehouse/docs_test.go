package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// shownCommand is a command of ours in a code block: at the start of a line, in a fence or
// indented.
var shownCommand = regexp.MustCompile(`(?m)^(?:    |\t|  )?(?:[A-Z_]+=\S+ )*(?:gatehouse|go run ./cmd/gatehouse) ((?:\\\n|[^\n])*)$`)

// TestDocumentsShowCommandsThatExist reads every command of ours that documents show,
// and has the command line parse it: a flag that is gone is found.
func TestDocumentsShowCommandsThatExist(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md", "../../examples/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	read := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shownCommand.FindAllStringSubmatch(string(text), -1) {
			line := regexp.MustCompile(` [|>;&] ?.*| &&.*|\$\([^)]*\)`).ReplaceAllString(m[1], " x")
			line = strings.TrimSuffix(line, " x")
			out, err := exec.CommandContext(t.Context(), "bash", "-c", "set -f\nprintf '%s\\n' "+line).Output()
			if err != nil {
				t.Errorf("%s: %s: %v", file, m[1], err)
				continue
			}
			parser, err := kong.New(&commands{}, kong.Name("gatehouse"), kong.Exit(func(int) {}))
			if err != nil {
				t.Fatal(err)
			}
			read++
			if _, err := parser.Parse(strings.Split(strings.TrimRight(string(out), "\n"), "\n")); err != nil && !strings.Contains(err.Error(), "no such file") {
				t.Errorf("%s: gatehouse %s: %v", file, m[1], err)
			}
		}
	}
	if read < 20 {
		t.Errorf("only %d commands were found", read)
	}
}

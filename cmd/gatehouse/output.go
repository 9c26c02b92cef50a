package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// outputFlag is the flag --output of every command that prints a result.
type outputFlag struct {
	Output string `short:"o" default:"text" enum:"text,json" help:"Print the result as text, or as one JSON object; lists are in its member items."`
}

func (f outputFlag) json() bool { return f.Output == "json" }

// items is how a list is printed as JSON, as in the API.
type items[T any] struct {
	Items []T `json:"items"`
}

func itemsOf[T any](list []T) items[T] { return items[T]{append([]T{}, list...)} }

// printJSON prints the one JSON object of a command.
func (w *process) printJSON(v any) error {
	out := json.NewEncoder(w.stdout)
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

// target says what a command is about to change, before it does. It goes to stderr, so
// that stdout has the result alone.
func (w *process) target(format string, args ...any) error {
	_, err := fmt.Fprintf(w.stderr, "target: "+format+"\n", args...)
	return err
}

// errRefused ends a command whose answer is no, and was printed.
var errRefused = errors.New("refused")

// printable is text from outside as a terminal can show it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// printableLines is printable for text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// printRaw prints JSON as it came, on one line or indented.
func (w *process) printRaw(text []byte, indent bool) error {
	var out bytes.Buffer
	err := json.Compact(&out, text)
	if indent {
		out.Reset()
		err = json.Indent(&out, text, "", "  ")
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "%s\n", bytes.TrimSpace(out.Bytes()))
	return err
}

package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every command has --output, and its flags say what it is about.
func TestEveryCommandHasOutput(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, kong.Vars{})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		found := false
		for _, group := range leaf.AllFlags(false) {
			for _, flag := range group {
				if flag.Name == "output" {
					found = flag.Short == 'o' && strings.Contains(flag.Help, "one JSON object")
				}
			}
		}
		if !found {
			t.Errorf("%s has no --output", leaf.Path())
		}
	}
}

package model_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/model"
)

var states = flag.Int("states", 400_000, "how many states of each scope are visited at most")

// TestLaws visits every state near the beginning of each scope.
func TestLaws(t *testing.T) {
	visited := 0
	for _, scope := range model.Scopes() { // one after the other: each needs memory
		r := scope.Explore(*states)
		t.Logf("%-9s %8d states, all to a depth of %d steps", scope.Name, r.States, r.Depth)
		if r.Broken != 0 {
			t.Errorf("%s:\n%s", scope.Name, scope.Tell(r.Trace))
		}
		visited += r.States
	}
	if t.Logf("%d states", visited); visited < 1_000_000 {
		t.Errorf("%d states are too few", visited)
	}
}

// TestLawsFarAway walks at random, and so gets farther from the beginning.
func TestLawsFarAway(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(22, 22))
	for _, scope := range model.Scopes() {
		for range 5_000 {
			s, trace := scope.Begin, []model.Action(nil)
			for range 50 {
				a := scope.Actions[random.IntN(len(scope.Actions))]
				after, _, broken, ok := scope.Next(s, a)
				if !ok {
					continue
				}
				s, trace = after, append(trace, a)
				if broken != 0 {
					t.Fatalf("%s:\n%s", scope.Name, scope.Tell(trace))
				}
			}
		}
	}
}

// TestFaults switches off one check at a time. The law that it keeps must break, in
// few steps.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, f := range model.Faults {
		t.Run(f.Words, func(t *testing.T) {
			t.Parallel()
			scopes := model.Scopes()
			scope := scopes[slices.IndexFunc(scopes, func(s *model.Scope) bool { return s.Name == f.Scope })]
			scope.Faults = f.Fault
			r := scope.Explore(*states)
			if r.Broken != f.Breaks || len(r.Trace) > 15 {
				t.Fatalf("%d states, law %d, want %d, after %d steps\n%s", r.States, r.Broken, f.Breaks, len(r.Trace), scope.Tell(r.Trace))
			}
			t.Logf("%d states, %d steps\n%s", r.States, len(r.Trace), scope.Tell(r.Trace))
		})
	}
}

// TestDocument compares docs/model.md with the laws, scopes and faults.
func TestDocument(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/model.md")
	if err != nil {
		t.Fatal(err)
	}
	has := func(cells ...string) {
		if row := "\n| " + strings.Join(cells, " | ") + " |\n"; !strings.Contains(string(page), row) {
			t.Errorf("docs/model.md lacks the row%s", row)
		}
	}
	for _, law := range model.Laws {
		has(law.Words, law.Keeper)
	}
	for _, scope := range model.Scopes() {
		has(scope.Name, scope.Covers)
	}
	for _, f := range model.Faults {
		has(f.Words, model.Laws[f.Breaks].Words)
	}
}

// TestEveryLawBreaks finds laws that no fault breaks: they might say nothing.
func TestEveryLawBreaks(t *testing.T) {
	t.Parallel()
	for law, says := range model.Laws {
		if !slices.ContainsFunc(model.Faults, func(f model.FaultWords) bool { return f.Breaks == law }) {
			t.Errorf("no fault breaks %q", says.Words)
		}
	}
}

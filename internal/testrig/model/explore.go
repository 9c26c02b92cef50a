package model

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// Scope is a part of the world: where it begins, and what can happen in it.
type Scope struct {
	Name    string
	Covers  string // in words
	Begin   State
	Actions []Action
	Params
}

// Result is what an exploration has found.
type Result struct {
	States int
	Depth  int      // steps to the states that are farthest from the beginning
	Broken Law      // 0: none
	Trace  []Action // the shortest way to break it
}

// Explore visits the states in the order of their distance from the beginning,
// until a law breaks, or there is no new state, or limit states were visited.
//
// It remembers a state by 64 bits of a hash with a random seed. Two of n states
// have the same with a chance of n²/2⁶⁵, for ten million one in 300,000. Then one
// of them is not explored further in that run.
func (c *Scope) Explore(limit int) Result {
	type step struct {
		before int32
		action uint8
	}
	seed := maphash.MakeSeed()
	seen := map[uint64]struct{}{fingerprint(seed, c.Begin): {}}

	steps := []step{{-1, 0}}
	states := []State{c.Begin} // of the present distance; the last ones of steps
	for depth := 0; ; depth++ {
		first := len(steps) - len(states)
		var next []State
		for i, s := range states {
			for n, a := range c.Actions {
				after, _, broken, ok := c.Next(s, a)
				if !ok {
					continue
				}
				if broken == 0 {
					before := len(seen)
					seen[fingerprint(seed, after)] = struct{}{}
					if len(seen) == before {
						continue
					}
				}
				steps = append(steps, step{int32(first + i), uint8(n)})
				if broken != 0 {
					r := Result{States: len(steps), Depth: depth + 1, Broken: broken}
					for at := len(steps) - 1; at > 0; at = int(steps[at].before) {
						r.Trace = append([]Action{c.Actions[steps[at].action]}, r.Trace...)
					}
					return r
				}
				next = append(next, after)
			}
			if len(steps) >= limit {
				return Result{States: len(steps), Depth: depth}
			}
		}
		if len(next) == 0 {
			return Result{States: len(steps), Depth: depth}
		}
		states = next
	}
}

// fingerprint is the same for states that differ in the order of their requests or
// tokens only: what can follow is the same.
func fingerprint(seed maphash.Seed, s State) uint64 {
	var sum uint64
	for _, q := range s.Requests {
		sum += maphash.Comparable(seed, q)
	}
	for _, t := range s.Tokens {
		sum += maphash.Comparable(seed, t)
	}
	s.Requests, s.Tokens = [2]request{}, [3]token{}
	return sum ^ maphash.Comparable(seed, s)
}

// Tell says a trace step by step.
func (c *Scope) Tell(trace []Action) string {
	var text strings.Builder
	s := c.Begin
	for i, a := range trace {
		after, out, broken, _ := c.Next(s, a)
		fmt.Fprintf(&text, "%3d  %3d s  %s", i+1, s.Now, a)
		if out.Answer != Quiet {
			fmt.Fprintf(&text, ": %s", out)
		}
		if broken != 0 {
			fmt.Fprintf(&text, "\n            BROKEN: %s", Laws[broken].Words)
		}
		text.WriteString("\n")
		s = after
	}
	return text.String()
}

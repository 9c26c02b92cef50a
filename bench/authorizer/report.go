package main

import (
	"fmt"
	"slices"
	"time"
)

// report prints every figure beside its goal, and tells whether all are met.
func report(all *subjects, zip int, in inProcess) bool {
	a, d, e, n := all.authorizer, all.deployed, all.empty, all.node
	fmt.Printf("%-44s %10s %10s %10s %10s\n", "medians", "authorizer", "+ feed", "empty Go", "Node")
	line := func(name string, figure func(*subject) string) {
		fmt.Printf("%-44s %10s %10s %10s %10s\n", name, figure(a), figure(d), figure(e), figure(n))
	}
	line("init: process start to first poll", func(s *subject) string { return show(median(s.init)) })
	line("init, CPU", func(s *subject) string { return show(median(s.initCPU)) })
	line("first decision, keys from the zip", func(s *subject) string { return show(median(s.first)) })
	line("first decision, CPU", func(s *subject) string { return show(median(s.firstCPU)) })
	line("CPU per decision, a new token each time", func(s *subject) string { return show(median(s.new)) })
	line("CPU per decision, 256 tokens seen before", func(s *subject) string { return show(median(s.seen)) })
	line("peak memory, MB", func(s *subject) string { return fmt.Sprintf("%.1f", float64(s.peak)/1024) })

	fmt.Printf("\n%-58s %10s %16s\n", "", "", "goal")
	ok := true
	judge := func(name, figure, goal string, met bool) {
		verdict := "ok"
		if !met {
			verdict, ok = "MISSED", false
		}
		fmt.Printf("%-58s %10s %16s  %s\n", name, figure, goal, verdict)
	}
	atMost := func(name string, figure, limit float64, format string) {
		judge(name, fmt.Sprintf(format, figure), "at most "+fmt.Sprintf(format, limit), figure <= limit)
	}
	ratio := func(x, y time.Duration) float64 { return float64(x) / float64(y) }
	below := func(name string, figure float64) {
		judge(name, fmt.Sprintf("%.2f", figure), "below 1.00", figure < 1)
	}
	for _, s := range []*subject{a, d} {
		suffix := ""
		if s == d {
			suffix = ", + feed"
		}
		atMost("init, of the empty function's"+suffix, ratio(median(s.init), median(e.init)), 1.15, "%.2f")
		atMost("CPU over the empty function, new tokens"+suffix, micro(more(s.new, e.new)), 60, "%.1f µs")
		atMost("CPU over the empty function, seen tokens"+suffix, micro(more(s.seen, e.seen)), 15, "%.1f µs")
		atMost("peak memory, of Node's"+suffix, float64(s.peak)/float64(n.peak), 0.25, "%.2f")
		below("init, of Node's"+suffix, ratio(median(s.init), median(n.init)))
		below("first decision, of Node's"+suffix, ratio(median(s.first), median(n.first)))
		below("CPU per decision, of Node's, new tokens"+suffix, ratio(median(s.new), median(n.new)))
		below("CPU per decision, of Node's, seen tokens"+suffix, ratio(median(s.seen), median(n.seen)))
	}
	atMost("zip for arm64, MB", float64(zip)/1e6, 3, "%.2f")
	atMost(fmt.Sprintf("strict verification, of VerifyPKCS1v15's (%s)", show(slices.Min(in.rsa))), ratio(slices.Min(in.strict), slices.Min(in.rsa)), 1.25, "%.2f")
	atMost("the same token again, in process", micro(slices.Min(in.again)), 1.5, "%.2f µs")
	atMost("its allocations", float64(in.allocs), 0, "%.0f")
	return ok
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// show writes d in a unit that fits it.
func show(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return fmt.Sprintf("%.0f ms", micro(d)/1e3)
	}
	if d >= time.Millisecond {
		return fmt.Sprintf("%.1f ms", micro(d)/1e3)
	}
	return fmt.Sprintf("%.0f µs", micro(d))
}

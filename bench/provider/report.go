package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

var names = []string{"refresh", "discovery", "jwks", "empty"}

// report prints every figure and then the goals, and tells whether all are met.
func (all *subjects) report() bool {
	fmt.Printf("%-10s %-17s %10s %8s | %8s %8s | %8s %8s\n", "", "", "", "CPU of a", "all at once:", "", "one alone:", "")
	fmt.Printf("%-10s %-17s %10s %8s | %8s %8s | %8s %8s\n", "", "", "requests/s", "request", "p50", "p99", "p50", "p99")
	for _, name := range names {
		for _, s := range all.each(0) {
			if r := s.request(name); r != nil {
				slices.Sort(r.latencies)
				slices.Sort(r.alone)
				fmt.Printf("%-10s %-17s %10.0f %8s | %8s %8s | %8s %8s\n", name, s.name, median(r.perSecond), show(median(r.cpu)),
					show(at(r.latencies, 50)), show(at(r.latencies, 99)), show(at(r.alone, 50)), show(at(r.alone, 99)))
			}
		}
	}
	fmt.Printf("%-10s %-17s %10.0f %8s |\n\n", "signature", "alone", median(all.signed.perSecond), show(median(all.signed.cpu)))
	fmt.Print("CPU beside signing and storage: go test -run '^$' -bench Renew ./loginsvc, in the folder above.\n\n")
	return all.goals()
}

// goals compares requests per second of CPU time, which is what a core does if
// nobody else is on it: on a machine with other work, requests per second tell
// more of that work.
func (all *subjects) goals() bool {
	ok := true
	atLeast := func(name string, ours, theirs *series, limit float64) {
		ratio := median(ratios(ours.cpu, theirs.cpu))
		verdict := "ok"
		if ratio < limit {
			verdict, ok = "MISSED", false
		}
		fmt.Printf("%-58s %6.2f   at least %.2f  %s\n", name, ratio, limit, verdict)
	}
	note := func(name string, ours, theirs *series) {
		fmt.Printf("%-58s %6.2f   (no goal)\n", name, median(ratios(ours.cpu, theirs.cpu)))
	}
	fmt.Println("requests per second of CPU time")
	nodes := []*subject{all.provider, all.openAuth}
	for _, name := range names[:3] {
		for _, s := range nodes {
			atLeast(name+", of "+s.name+"'s", &all.service.request(name).series, &s.request(name).series, 4)
		}
	}
	atLeast("refresh with a local key, of signatures alone", &all.local.request("refresh").series, &all.signed, 0.9)
	empty := &all.emptyGo.request("empty").series
	for _, name := range names[1:3] {
		for _, s := range nodes {
			note("empty answers of net/http, of "+s.name+"'s "+name, empty, &s.request(name).series)
		}
		note(name+", of empty answers of net/http", &all.service.request(name).series, empty)
	}
	note("empty answers of net/http, of node:http's", empty, &all.emptyNode.request("empty").series)
	return ok
}

// ratios compares what two do in a second, round by round, so that what slows a
// whole round down does not count.
func ratios(ours, theirs []time.Duration) []float64 {
	var r []float64
	for i := range ours {
		r = append(r, float64(theirs[i])/float64(ours[i]))
	}
	return r
}

func median[T cmp.Ordered](values []T) T {
	return at(slices.Sorted(slices.Values(values)), 50)
}

// at is the value that percent of sorted do not exceed.
func at[T any](sorted []T, percent int) T { return sorted[(len(sorted)-1)*percent/100] }

func show(d time.Duration) string {
	if d >= time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}

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

func (all *subjects) goals() bool {
	ok := true
	atLeast := func(name string, ours, theirs *series, limit float64) {
		ratio := median(ratios(ours.perSecond, theirs.perSecond))
		verdict := "ok"
		if ratio < limit {
			verdict, ok = "MISSED", false
		}
		fmt.Printf("%-52s %6.2f   at least %.2f  %s\n", name, ratio, limit, verdict)
	}
	for _, name := range names[:3] {
		for _, s := range []*subject{all.provider, all.openAuth} {
			atLeast(name+" per second, of "+s.name+"'s", &all.house.request(name).series, &s.request(name).series, 4)
		}
	}
	atLeast("refresh with a local key, of signatures alone", &all.local.request("refresh").series, &all.signed, 0.9)
	note := func(name string, of, in *request) {
		fmt.Printf("%-52s %6.2f   (no goal)\n", name, float64(median(of.cpu))/float64(median(in.cpu)))
	}
	for _, name := range names[:3] {
		for _, s := range []*subject{all.provider, all.openAuth} {
			note("CPU of "+s.name+"'s "+name+", in ours", s.request(name), all.house.request(name))
		}
	}
	floor := all.emptyGo.request("empty")
	for _, name := range names[1:3] {
		note("CPU of our "+name+", in an empty answer's in Go", all.house.request(name), floor)
		note("CPU of openauth's "+name+", in an empty answer's in Go", all.openAuth.request(name), floor)
	}
	note("CPU of an empty answer in Node, in one's in Go", all.emptyNode.request("empty"), floor)
	return ok
}

// ratios compares round by round, so that what slows a whole round down does
// not count.
func ratios(a, b []float64) []float64 {
	var r []float64
	for i := range a {
		r = append(r, a[i]/b[i])
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

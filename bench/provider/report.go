package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// report prints every figure and then the goals, and tells whether all are met.
func (all *subjects) report() bool {
	names := []string{"refresh", "discovery", "jwks"}
	fmt.Printf("%-11s %-17s %10s %10s %10s %14s\n", "", "medians of rounds", "requests/s", "p50", "p99", "CPU/request")
	for i, name := range names {
		for _, s := range all.each(0) {
			r := s.requests[i]
			if len(r.perSecond) == 0 {
				continue
			}
			slices.Sort(r.latencies)
			fmt.Printf("%-11s %-17s %10.0f %10s %10s %14s\n", name, s.name, median(r.perSecond), show(at(r.latencies, 50)), show(at(r.latencies, 99)), show(median(r.cpu)))
		}
	}
	fmt.Printf("%-11s %-17s %10.0f %10s %10s %14s\n\n", "signature", "alone", median(all.signed), "", "", show(median(all.signedCPU)))
	fmt.Print("CPU beside signing and storage: go test -run '^$' -bench Renew ./loginsvc, in the folder above.\n\n")

	ok := true
	atLeast := func(name string, ours, theirs []float64, limit float64) {
		ratio := median(ratios(ours, theirs))
		verdict := "ok"
		if ratio < limit {
			verdict, ok = "MISSED", false
		}
		fmt.Printf("%-52s %6.2f   at least %.2f  %s\n", name, ratio, limit, verdict)
	}
	for i, name := range names {
		for _, s := range []*subject{all.provider, all.openAuth} {
			atLeast(name+" per second, of "+s.name+"'s", all.house.requests[i].perSecond, s.requests[i].perSecond, 4)
		}
	}
	for i, name := range names {
		for _, s := range []*subject{all.provider, all.openAuth} {
			fmt.Printf("%-52s %6.2f   (no goal)\n", "CPU of "+s.name+"'s "+name+", of ours", float64(median(s.requests[i].cpu))/float64(median(all.house.requests[i].cpu)))
		}
	}
	atLeast("refresh with a local key, of signatures alone", all.local.requests[0].perSecond, all.signed, 0.9)
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

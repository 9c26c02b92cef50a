package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// inProcess is what the module's own benchmarks say, one of each for every run.
// The fastest is the one that nothing else disturbed.
type inProcess struct {
	strict, rsa []time.Duration // verification of a token, and crypto/rsa's share
	again       []time.Duration // verification of a token that was seen before
	allocs      int             // the most that took
}

// measureInProcess runs the benchmarks in turn.
func measureInProcess(ctx context.Context) (in inProcess, err error) {
	const base = "github.com/gatehouse-auth/gatehouse/"
	for range 7 {
		for _, b := range []struct {
			into      *[]time.Duration
			pkg, name string
		}{
			{&in.strict, "internal/token", "BenchmarkVerifyAccess"},
			{&in.rsa, "internal/token", "BenchmarkVerifyPKCS1v15"},
			{&in.again, "authorizer", "BenchmarkVerifyAgain"},
		} {
			took, allocs, err := benchmark(ctx, base+b.pkg, b.name)
			if err != nil {
				return in, err
			}
			*b.into = append(*b.into, took)
			if b.into == &in.again {
				in.allocs = max(in.allocs, allocs)
			}
		}
	}
	return in, nil
}

// benchmark runs one benchmark and returns what an iteration takes.
func benchmark(ctx context.Context, pkg, name string) (took time.Duration, allocs int, err error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", "300ms", pkg).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("go test %s: %w\n%s", pkg, err, out)
	}
	for line := range strings.Lines(string(out)) {
		// BenchmarkX-2   100   3052 ns/op   344 B/op   18 allocs/op
		f := strings.Fields(line)
		if len(f) != 8 || !strings.HasPrefix(f[0], name) {
			continue
		}
		took, err = time.ParseDuration(f[2] + "ns")
		if err != nil {
			return 0, 0, err
		}
		allocs, err = strconv.Atoi(f[6])
		return took, allocs, err
	}
	return 0, 0, fmt.Errorf("%s: no result in\n%s", name, out)
}

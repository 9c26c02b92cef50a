// Loginsvc measures what Lambda and AWS add to the login service: the start of
// its built function, beside one that does nothing, and the CPU time of a
// signature by KMS, beside the same call without the SDK. It exits with 1 if a
// goal is missed.
//
// Run it in the folder bench:
//
//	go run ./loginsvc
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/bench/machine"
)

type options struct {
	starts, rounds, calls int
	role                  string
}

func main() {
	var o options
	flag.IntVar(&o.starts, "starts", 15, "how often each function is started")
	flag.IntVar(&o.rounds, "rounds", 9, "rounds of calls to KMS that count, after one that does not")
	flag.IntVar(&o.calls, "calls", 300, "calls in a round")
	flag.StringVar(&o.role, "role", "", "what this process is; set by the program for its child")
	flag.Parse()
	ok, err := run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "loginsvc:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (bool, error) {
	if o.role == "kms" {
		return true, serveKMS()
	}
	fmt.Printf("%s\n\n", machine.Load())
	ok, err := measureInit(ctx, o.starts)
	if err != nil {
		return false, err
	}
	return ok, measureKMS(ctx, o.rounds, o.calls)
}

// goal prints a ratio beside what it may be at most.
func goal(name string, ratio, limit float64) bool {
	verdict := "ok"
	if ratio > limit {
		verdict = "MISSED"
	}
	fmt.Printf("%-45s %8.2f   at most %.2f  %s\n\n", name, ratio, limit, verdict)
	return ratio <= limit
}

func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

func show(d time.Duration) string {
	if d >= time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}

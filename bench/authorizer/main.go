// Authorizer measures the built authorizer as Lambda runs it, beside a function
// that does nothing and beside the same work in Node, in turn, on this machine.
// It exits with 1 if a goal is missed.
//
// Run it in the folder bench, with Node 20 on the PATH, after npm ci in
// authorizer/node:
//
//	go run ./authorizer
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/gatehouse-auth/gatehouse/bench/machine"
)

func main() {
	var o options
	flag.IntVar(&o.starts, "starts", 15, "how often each function is started")
	flag.IntVar(&o.warmUp, "warm-up", 8, "rounds of 256 tokens before those that count")
	flag.IntVar(&o.rounds, "rounds", 30, "rounds of 256 tokens that count")
	flag.Parse()
	ok, err := run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "authorizer:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

type options struct{ starts, warmUp, rounds int }

func run(ctx context.Context, o options) (bool, error) {
	folder, err := os.MkdirTemp("", "bench-authorizer")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	h, err := newIssuer()
	if err != nil {
		return false, err
	}
	defer h.server.Close()
	size, err := build(ctx, folder, h.files)
	if err != nil {
		return false, err
	}
	all := newSubjects(folder, h.server.URL)
	defer all.close()
	if err := agree(ctx, h, all); err != nil {
		return false, err
	}
	printHead(ctx)
	if err := measureStarts(ctx, h, all, o.starts); err != nil {
		return false, err
	}
	if err := measureWarm(ctx, h, all, o); err != nil {
		return false, err
	}
	in, err := measureInProcess(ctx)
	if err != nil {
		return false, err
	}
	return report(all, size, in), nil
}

// printHead says on what the figures below were taken.
func printHead(ctx context.Context) {
	fmt.Println(machine.Line(ctx))
	fmt.Print("Node's loop over the Runtime API is our own on node:http, leaner than aws-lambda-ric,\n" +
		"whose native part needs cmake and autotools to be built.\n\n")
}

// Provider measures the login service beside two providers in Node, as they
// come, and beside servers that do nothing: each a process of its own on one
// core, in turn, on this machine. It
// exits with 1 if a goal is missed.
//
// Run it in the folder bench, with Node 20 on the PATH, after npm ci in
// provider/node:
//
//	go run ./provider
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "rounds that count, after one that does not")
	flag.DurationVar(&o.turn, "turn", 500*time.Millisecond, "how long each is loaded in a round")
	flag.IntVar(&o.connections, "connections", 64, "connections at once, each with one request under way")
	flag.StringVar(&o.role, "role", "", "what this process is; set by the program for its children")
	flag.StringVar(&o.signer, "signer", "", "address of the signer, for a child")
	flag.Parse()
	ok, err := run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

type options struct {
	rounds      int
	turn        time.Duration
	connections int

	role, signer string
}

func run(ctx context.Context, o options) (bool, error) {
	switch o.role {
	case "signer":
		return true, serveSignatures()
	case "service":
		return true, serveHouse(ctx, o)
	case "empty":
		return true, serveEmpty(o)
	case "key":
		return true, signForever(ctx)
	}
	if err := stayOn(loadCore); err != nil {
		return false, err
	}
	all, err := start(o)
	if err != nil {
		return false, err
	}
	defer all.stop()
	printHead(ctx, o)
	if err := all.measure(ctx, o); err != nil {
		return false, err
	}
	return all.report(), nil
}

// Table counts what each operation asks of DynamoDB, and how many capacity units
// that takes, on tables of different sizes. It exits with 1 if an operation takes
// more requests than it may, or more with many users than with few.
//
// Run it in the folder bench, after npm ci at the top of the repository:
//
//	go run ./table -users 1000,10000
//
// With -sign-ins it simulates sign-ins at a rate instead, and counts the writes
// into each partition. It exits with 1 if one takes more than DynamoDB writes.
//
//	go run ./table -sign-ins 2000 -first 10 -seconds 3600
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse"
	"github.com/gatehouse-auth/gatehouse/internal/table/definition"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
)

func main() {
	sizes := flag.String("users", "1000,10000", "the sizes of the table, ascending: how many users have signed in before")
	rate := flag.Int("sign-ins", 0, "simulate so many sign-ins a second")
	first := flag.Int("first", 10, "of which so many in a hundred are the first of a user")
	seconds := flag.Int("seconds", 3600, "for so long, by the simulated clock")
	flag.Parse()
	measure := func() (bool, error) { return run(context.Background(), *sizes) }
	if *rate != 0 {
		measure = func() (bool, error) { return simulate(context.Background(), *rate, *first, *seconds) }
	}
	ok, err := measure()
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

const name = "gatehouse"

// operation is something to measure, and the most requests that it may take.
// A goal below 0 is none.
type operation struct {
	name               string
	goal, transactions int
	do                 func() error
}

func run(ctx context.Context, sizes string) (ok bool, err error) {
	endpoint, stop, err := startEmulator()
	if err != nil {
		return false, err
	}
	defer stop()
	text, err := gatehouse.Files.ReadFile("serverless.yml")
	if err != nil {
		return false, err
	}
	in, err := definition.Parse(text, name)
	if err != nil {
		return false, err
	}
	plain := newClient(endpoint)
	if err := dynamotable.Create(ctx, plain, in); err != nil {
		return false, err
	}
	m := &meter{}
	h, err := newService(dynamotable.New(newClient(endpoint, m.attach), name))
	if err != nil {
		return false, err
	}
	ok = true
	seeded := 0
	var before map[string]cost
	for _, field := range strings.Split(sizes, ",") {
		size, err := strconv.Atoi(field)
		if err != nil || size < seeded || size < 50 {
			return false, fmt.Errorf("-users %q: want numbers from 50, ascending", sizes)
		}
		began := time.Now()
		bytes, err := seed(ctx, plain, name, *h.users, seeded, size)
		if err != nil {
			return false, err
		}
		fmt.Printf("\n%d users of %d bytes, with one session each and the indexes (seeded in %v)\n", size, bytes, time.Since(began).Round(time.Second))
		seeded = size
		costs, good, err := measure(h, m, before)
		if err != nil {
			return false, err
		}
		ok, before = ok && good, costs
	}
	return ok, nil
}

// measure does every operation once and prints what it costs. With costs of a
// smaller table, it wants the same.
func measure(h *service, m *meter, before map[string]cost) (map[string]cost, bool, error) {
	if err := h.clean(); err != nil {
		return nil, false, err
	}
	var t tokens
	costs, ok := map[string]cost{}, true
	fmt.Printf("%-42s %8s %4s %5s %7s %7s  %s\n", "", "requests", "goal", "trans", "RCU", "WCU", "")
	for _, o := range []operation{
		{"first sign-in, request to session", 3, 1, h.signIn},
		{"returning sign-in, request to session", 2, 1, h.signIn},
		{"returning sign-in at an app, to its tokens", -1, 2, func() (err error) { t, err = h.signInAtApp(); return err }},
		{"refresh", 2, 1, func() (err error) { t, err = h.refresh(t); return err }},
		{"refresh again", 2, 1, func() (err error) { t, err = h.refresh(t); return err }},
		{"authorizer decision", 0, 0, func() error { return h.decide(t) }},
		{"revocation feed, for the first time", 5, 0, func() error { return h.feed(true) }},
		{"revocation feed, within the second", 0, 0, func() error { return h.feed(false) }},
		{"a page of 50 users", 1, 0, func() error { return h.list("", 50) }},
		{"a page of 50 users, search by address", 1, 0, func() error { return h.list("user000000", 50) }},
		{"one user, search by the whole address", 1, 0, func() error { return h.list("user00000042@example.com", 1) }},
	} {
		c, err := m.during(o.do)
		if err != nil {
			return nil, false, fmt.Errorf("%s: %w", o.name, err)
		}
		costs[o.name] = c
		verdict := "ok"
		switch smaller, known := before[o.name]; {
		case o.goal >= 0 && c.requests > o.goal || c.transactions > o.transactions:
			verdict, ok = "MISSED", false
		case known && c != smaller:
			verdict, ok = "GROWS", false
		case o.goal < 0:
			verdict = ""
		}
		goal := "-"
		if o.goal >= 0 {
			goal = strconv.Itoa(o.goal)
		}
		fmt.Printf("%-42s %8d %4s %5d %7.1f %7.1f  %s\n", o.name, c.requests, goal, c.transactions, c.read, c.write, verdict)
	}
	return costs, ok, nil
}

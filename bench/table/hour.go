package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// maxWrites is how many small rows a second DynamoDB writes into one partition.
const maxWrites = 1000

// hour counts the writes of sign-ins by partition and second. It has users who
// have signed in before, remembers no others, and forgets sessions and audit rows.
type hour struct {
	table.Table
	known map[table.Key]table.Item // rows of identities
	keep  bool                     // what is written from now on

	now    time.Time
	second map[string]int  // writes of this second, by partition
	most   map[string]peak // of all seconds, by the kind of partition
}

// peak is the second with the most writes into one partition.
type peak struct {
	partition string
	writes    int
}

func (h *hour) Get(_ context.Context, key table.Key) (table.Item, error) {
	if item, ok := h.known[key]; ok {
		return item, nil
	}
	return nil, table.ErrNotFound
}

func (h *hour) Write(_ context.Context, writes ...table.Write) error {
	for _, w := range writes {
		if h.keep && w.Op == table.OpPut && w.Key.SK == "identity" {
			h.known[w.Key] = w.Item
		}
		if w.Op == table.OpCheck || h.second == nil {
			continue
		}
		h.second["table "+w.Key.PK]++
		for _, index := range []string{table.GSI1PK, table.GSI2PK} {
			if pk, ok := w.Item[index].(string); ok {
				h.second[strings.TrimSuffix(index, "pk")+" "+pk]++
			}
		}
	}
	return nil
}

// end ends a second.
func (h *hour) end() {
	for partition, writes := range h.second {
		kind, _, _ := strings.Cut(partition, "#")
		if writes > h.most[kind].writes {
			h.most[kind] = peak{partition, writes}
		}
	}
	clear(h.second)
	h.now = h.now.Add(time.Second)
}

// simulate signs people in for a number of seconds, a share of them for the first
// time, and prints the most loaded partitions. It tells whether each stays below
// what DynamoDB writes.
func simulate(ctx context.Context, rate, firstPercent, seconds int) (bool, error) {
	if rate < 1 || firstPercent < 0 || firstPercent > 100 || seconds < 1 {
		return false, errors.New("want a rate and seconds from 1, and a percentage")
	}
	h := &hour{known: map[table.Key]table.Item{}, most: map[string]peak{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	users := &usersvc.Users{Table: h, TrustedProviders: []string{"demo"}, Now: func() time.Time { return h.now }}
	signIn := func(subject string) error {
		p := usersvc.Profile{
			Issuer: "https://demo.bench", Subject: subject, Provider: "demo",
			Email: subject + "@example.com", EmailVerified: true, Name: "Person " + subject,
		}
		_, _, _, err := users.SignIn(ctx, p, usersvc.SignInInfo{UserAgent: "bench", SourceIP: "192.0.2.1"})
		return err
	}
	const returning = 20_000
	h.keep = true
	for i := range returning {
		if err := signIn(fmt.Sprint("r", i)); err != nil {
			return false, err
		}
	}
	h.keep, h.second = false, map[string]int{}
	began, n := time.Now(), 0
	for range seconds {
		for i := range rate {
			subject := fmt.Sprint("r", n%returning)
			if i*firstPercent%100 < firstPercent { // spread over the second
				subject = fmt.Sprint("f", n)
			}
			if err := signIn(subject); err != nil {
				return false, err
			}
			n++
		}
		h.end()
	}
	fmt.Printf("\n%d sign-ins a second for %d s, %d %% of them the first of a user (simulated in %v)\n", rate, seconds, firstPercent, time.Since(began).Round(time.Second))
	fmt.Printf("%-24s %s\n", "most loaded partition", "writes in its worst second")
	ok := true
	kinds := make([]string, 0, len(h.most))
	for kind := range h.most {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b string) int { return h.most[b].writes - h.most[a].writes })
	for _, kind := range kinds {
		worst, verdict := h.most[kind], "ok"
		if worst.writes >= maxWrites {
			verdict, ok = "MISSED: not below 1000", false
		}
		fmt.Printf("%-24s %6d  %s\n", worst.partition[:min(len(worst.partition), 24)], worst.writes, verdict)
	}
	return ok, nil
}

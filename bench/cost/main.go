// Cost prints what a month of Gatehouse costs in AWS, as the table of
// docs/OPERATING.md, by list prices and by what people do:
//
//	go run ./cost -sign-ins 4 -refreshes 60 -calls 600
package main

import (
	"flag"
	"fmt"
	"math"
	"strings"
)

// The list prices of us-east-1 in dollars, as known in November 2026. Check them
// before you rely on a figure. Free tiers are left out.
const (
	perWrite    = 0.625 / 1e6 // a write unit of DynamoDB, on demand
	perRead     = 0.125 / 1e6
	perGBMonth  = 0.25 + 0.20  // storage and point-in-time recovery
	perSign     = 0.03 / 10e3  // KMS with RSA_2048
	perKey      = 1.00         // a KMS key for a month
	perCall     = 1.00 / 1e6   // an HTTP API
	perInvoke   = 0.20 / 1e6   // Lambda
	perGBSecond = 0.0000133334 // Lambda on arm64
	perLogGB    = 0.50
	perTrace    = 5.00 / 1e6
	perAlarm    = 0.10
	perMetric   = 0.30 // for a month in which it is counted
	perBoard    = 3.00
)

// What bench/table measures of each operation.
const (
	signInWrites, signInReads   = 18, 5
	refreshWrites, refreshReads = 6, 1
	meReads                     = 1
	userBytes, signInBytes      = 4244, 1022 // kept for ever: the rows of a user; an entry of the audit trail
	sessionBytes                = 492 + 1000 // for 30 days: a session and a family of refresh tokens
	secondsPerMonth             = 30 * 24 * 3600
	alarms                      = 17
	metrics                     = 25 // of internal/metric, with one provider and without failures; each value of a label is one
	kept                        = 12 // months that the audit trail has grown
)

// use is what one user does in a month.
type use struct {
	signIns, refreshes, calls, me float64
	cached                        float64 // share of the calls that the gateway answers for the authorizer
}

// line is a line of the bill.
type line struct {
	name    string
	dollars float64
}

func bill(users float64, u use) []line {
	writes := users * (u.signIns*signInWrites + u.refreshes*refreshWrites)
	reads := users * (u.signIns*signInReads + u.refreshes*refreshReads + u.me*meReads)
	gigabytes := users * (userBytes + kept*u.signIns*signInBytes + u.signIns*sessionBytes) / 1e9
	decisions := users * u.calls * (1 - u.cached)
	// A warm authorizer reads the feed every four seconds.
	polls := math.Ceil(users/200_000) * secondsPerMonth / 4
	login := users*(u.signIns*5+u.refreshes) + polls
	invocations := decisions + login + users*u.me
	return []line{
		{"DynamoDB, requests", writes*perWrite + reads*perRead},
		{"DynamoDB, storage after a year", gigabytes * perGBMonth},
		{"KMS, signatures and three keys", users*(u.signIns+u.refreshes)*2*perSign + 3*perKey},
		{"Lambda authorizer", lambda(decisions, 128, 5)},
		{"Lambda loginsvc", lambda(login, 256, 50)},
		{"Lambda usersvc", lambda(users*u.me, 128, 20)},
		{"API Gateway, calls of loginsvc", login * perCall},
		{"Logs", (login + users*u.calls + invocations) * 400 / 1e9 * perLogGB},
		{"Traces, at most", (math.Min(invocations, secondsPerMonth) + 0.05*invocations) * perTrace},
		{"Alarms, metrics and dashboard", alarms*perAlarm + metrics*perMetric + perBoard},
	}
}

func lambda(calls, megabytes, milliseconds float64) float64 {
	return calls * (perInvoke + megabytes/1024*milliseconds/1000*perGBSecond)
}

func main() {
	var u use
	flag.Float64Var(&u.signIns, "sign-ins", 4, "sign-ins of a user in a month")
	flag.Float64Var(&u.refreshes, "refreshes", 60, "refreshes of a user in a month")
	flag.Float64Var(&u.calls, "calls", 600, "calls of guarded routes by a user in a month")
	flag.Float64Var(&u.me, "me", 20, "calls of /me among them")
	flag.Float64Var(&u.cached, "cached", 0.5, "share of the calls for which the gateway has kept the authorizer's answer")
	flag.Parse()
	sizes := []float64{10_000, 100_000, 1_000_000}
	fmt.Println("| dollars a month | 10,000 users | 100,000 users | 1,000,000 users |")
	fmt.Println("|---|---:|---:|---:|")
	totals := make([]float64, len(sizes))
	for i := range bill(1, u) {
		var s strings.Builder
		for n, users := range sizes {
			l := bill(users, u)[i]
			if n == 0 {
				s.WriteString("| " + l.name)
			}
			totals[n] += l.dollars
			fmt.Fprintf(&s, " | %.2f", l.dollars)
		}
		fmt.Println(s.String() + " |")
	}
	fmt.Printf("| **in all** | **%.2f** | **%.2f** | **%.2f** |\n", totals[0], totals[1], totals[2])
	fmt.Print("| your own calls through the API, with or without Gatehouse")
	for _, users := range sizes {
		fmt.Printf(" | %.2f", users*u.calls*perCall)
	}
	fmt.Println(" |")
}

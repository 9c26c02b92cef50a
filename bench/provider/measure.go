package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/bench/machine"
)

// measure loads all in turn. The first round, which is longer, warms them up and
// does not count.
func (all *subjects) measure(ctx context.Context, o options) error {
	for round := range o.rounds + 1 {
		turn := o.turn
		if round == 0 {
			turn *= 4
		}
		for _, s := range all.each(round) {
			for _, r := range s.requests {
				if err := s.measure(r, turn, round > 0); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
			}
			if s == all.local {
				if err := all.sign(o.turn, round > 0); err != nil {
					return err
				}
			}
		}
	}
	return ctx.Err()
}

// measure loads the subject with a request for a turn, and then has one
// connection ask, when nobody waits for another.
func (s *subject) measure(r *request, turn time.Duration, counts bool) error {
	together, err := r.drive(s.child, s.connections, turn)
	if err != nil {
		return err
	}
	alone, err := r.drive(s.child, s.connections[:1], turn/8)
	if err != nil || !counts {
		return err
	}
	n := len(together.latencies)
	r.perSecond = append(r.perSecond, float64(n)/together.ended.Sub(together.began).Seconds())
	r.cpu = append(r.cpu, together.cpu/time.Duration(n))
	r.latencies, r.alone = append(r.latencies, together.latencies...), append(r.alone, alone.latencies...)
	return nil
}

// sign has the process that only signs do so.
func (all *subjects) sign(turn time.Duration, counts bool) error {
	before, err := all.key.cpu()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(all.key.in, int64(turn)); err != nil {
		return err
	}
	if err := all.key.next(); err != nil {
		return err
	}
	after, err := all.key.cpu()
	if err != nil || !counts {
		return err
	}
	all.signed.perSecond = append(all.signed.perSecond, float64(all.key.Count)/turn.Seconds())
	all.signed.cpu = append(all.signed.cpu, (after-before)/time.Duration(all.key.Count))
	return nil
}

// printHead says on what the figures were taken.
func printHead(ctx context.Context, o options) {
	fmt.Println(machine.Line(ctx))
	fmt.Printf("%d connections, %d rounds of %v each, in turn. The login service's key is in another process on\n"+
		"the other core and takes %v; it signs one token a renewal (RS256). oidc-provider signs an ID token\n"+
		"(RS256) with a key of its own, and its access tokens are opaque; openauth signs an access token (ES256).\n\n",
		o.connections, o.rounds, o.turn, signingTime)
}

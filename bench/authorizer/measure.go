package main

import (
	"context"
	"slices"
	"time"
)

// measureStarts starts every function as often, in turn, and has each process
// make one decision.
func measureStarts(ctx context.Context, h *issuer, all *subjects, n int) error {
	for i := range n {
		events, err := h.events(ctx, 1)
		if err != nil {
			return err
		}
		for _, s := range all.turn(i) {
			if err := s.measureStart(ctx, events[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *subject) measureStart(ctx context.Context, event []byte) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	defer func() {
		s.function.Close()
		s.function = nil
	}()
	before, err := s.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.ask(ctx, event); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := s.cpu()
	if err != nil {
		return err
	}
	s.init, s.first = append(s.init, s.function.Inits()[0]), append(s.first, took)
	s.initCPU, s.firstCPU = append(s.initCPU, before), append(s.firstCPU, after-before)
	return nil
}

// tokens is how many are used in turn.
const tokens = 256

// measureWarm gives one process of each function 256 tokens in a round: first
// when nobody has seen them, then again.
func measureWarm(ctx context.Context, h *issuer, all *subjects, o options) error {
	for _, s := range all.turn(0) {
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	for i := range o.warmUp + o.rounds {
		events, err := h.events(ctx, tokens)
		if err != nil {
			return err
		}
		unseen, err := inTurn(ctx, all, i, events)
		if err != nil {
			return err
		}
		seen, err := inTurn(ctx, all, i, events)
		if err != nil {
			return err
		}
		for _, s := range all.turn(0) {
			if i >= o.warmUp {
				s.new, s.seen = append(s.new, unseen[s]), append(s.seen, seen[s])
			}
		}
	}
	for _, s := range all.turn(0) {
		var err error
		if s.peak, err = s.peakMemory(); err != nil {
			return err
		}
	}
	return nil
}

// inTurn sends all events to all functions, a few to each at a time, so that what
// else goes on in this machine falls on all alike. It returns the CPU time of each
// for one event.
func inTurn(ctx context.Context, all *subjects, round int, events [][]byte) (map[*subject]time.Duration, error) {
	const few = 32
	out := make(map[*subject]time.Duration)
	for i := 0; i < len(events); i += few {
		for _, s := range all.turn(round + i/few) {
			took, err := s.perEvent(ctx, events[i:i+few])
			if err != nil {
				return nil, err
			}
			out[s] += took * few / time.Duration(len(events))
		}
	}
	return out, nil
}

// perEvent sends all events and returns the CPU time for one.
func (s *subject) perEvent(ctx context.Context, events [][]byte) (time.Duration, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	for _, event := range events {
		if err := s.ask(ctx, event); err != nil {
			return 0, err
		}
	}
	after, err := s.cpu()
	return (after - before) / time.Duration(len(events)), err
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return (d[(len(d)-1)/2] + d[len(d)/2]) / 2
}

// more is the median of how much more the first took than the second in the same
// round.
func more(first, second []time.Duration) time.Duration {
	between := make([]time.Duration, len(first))
	for i := range first {
		between[i] = first[i] - second[i]
	}
	return median(between)
}

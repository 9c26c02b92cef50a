package kmstest

import (
	"context"
	"slices"
	"time"
)

// Faults are what goes wrong. The zero value is good health.
type Faults struct {
	Operations []string // the operations concerned; empty: every one

	Latency      time.Duration // before each answer
	Throttled    bool          // ThrottlingException
	AccessDenied bool          // AccessDeniedException, as when a policy has changed
	Internal     bool          // KMSInternalException
	// WrongKey makes Sign use a key that is not the one asked for, and say
	// nothing about it.
	WrongKey bool
	// NotYet makes a key unknown until it has been asked for so many times
	// since its creation: KMS is eventually consistent.
	NotYet int
}

// SetFaults replaces the faults. Calls under way keep the ones they met.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

func (f Faults) concern(name string) bool {
	return len(f.Operations) == 0 || slices.Contains(f.Operations, name)
}

// strike waits and fails as the faults say.
func (f Faults) strike(ctx context.Context, name string) error {
	if !f.concern(name) {
		return nil
	}
	if f.Latency > 0 {
		select {
		case <-time.After(f.Latency):
		case <-ctx.Done():
		}
	}
	switch {
	case f.Throttled:
		return &apiError{400, "ThrottlingException", "Rate exceeded"}
	case f.AccessDenied:
		return &apiError{400, "AccessDeniedException", "User: " + caller + " is not authorized to perform: kms:" + name +
			" on this resource because no identity-based policy allows the action"}
	case f.Internal:
		return &apiError{500, "KMSInternalException", "The request was rejected because an internal exception occurred."}
	}
	return nil
}

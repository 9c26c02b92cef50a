package loginsvc

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// feedTTL is how long the feed is kept in memory, so that many authorizers cost
// one query a second.
const feedTTL = time.Second

// feed is the revocation feed as it was read last.
type feed struct {
	mu     sync.Mutex
	list   *document
	readAt time.Time
}

// handleRevocations lists the tokens that are dead before their time. Anyone may
// read it: it names nobody. A request that says no-cache gets what the table
// says now.
func (s *Service) handleRevocations(w http.ResponseWriter, r *http.Request) error {
	fresh := strings.Contains(strings.Join(r.Header.Values("Cache-Control"), ","), "no-cache")
	list, err := s.readFeed(r.Context(), fresh)
	if err != nil {
		return err
	}
	list.serve(w, r)
	return nil
}

func (s *Service) readFeed(ctx context.Context, fresh bool) (*document, error) {
	now := s.now()
	s.feed.mu.Lock()
	list, age := s.feed.list, now.Sub(s.feed.readAt)
	s.feed.mu.Unlock()
	if !fresh && list != nil && age >= 0 && age < feedTTL {
		return list, nil
	}
	revoked, err := s.Users.Revocations(ctx)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(revoked)
	if err != nil {
		return nil, err
	}
	list = newDocument("application/json", "no-cache", body)
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if now.After(s.feed.readAt) { // a slow answer does not replace a newer one
		s.feed.list, s.feed.readAt = list, now
	}
	return list, nil
}

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
	body   []byte
	readAt time.Time
}

// handleRevocations lists the tokens that are dead before their time. Anyone may
// read it: it names nobody. A request that says no-cache gets what the table
// says now.
func (s *Service) handleRevocations(w http.ResponseWriter, r *http.Request) error {
	fresh := strings.Contains(strings.Join(r.Header.Values("Cache-Control"), ","), "no-cache")
	body, err := s.readFeed(r.Context(), fresh)
	if err != nil {
		return err
	}
	serveDocument(w, r, "application/json", "no-cache", body)
	return nil
}

func (s *Service) readFeed(ctx context.Context, fresh bool) ([]byte, error) {
	now := s.now()
	s.feed.mu.Lock()
	body, age := s.feed.body, now.Sub(s.feed.readAt)
	s.feed.mu.Unlock()
	if !fresh && body != nil && age >= 0 && age < feedTTL {
		return body, nil
	}
	list, err := s.Users.Revocations(ctx)
	if err != nil {
		return nil, err
	}
	if body, err = json.Marshal(list); err != nil {
		return nil, err
	}
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if now.After(s.feed.readAt) { // a slow answer does not replace a newer one
		s.feed.body, s.feed.readAt = body, now
	}
	return body, nil
}

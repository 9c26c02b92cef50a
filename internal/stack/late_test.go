package stack_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// late is a handler that is known only once its address is.
type late struct{ handler atomic.Value }

func (l *late) set(h http.Handler) { l.handler.Store(&h) }

func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, _ := l.handler.Load().(*http.Handler)
	(*h).ServeHTTP(w, r)
}

// synced lets several processes write to one place.
type synced struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *synced) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

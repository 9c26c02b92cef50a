package stacktest

import (
	"net/http"
	"strings"
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

// Log is what several processes wrote.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

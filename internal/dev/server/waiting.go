package server

import (
	"net"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// here lets in requests that were made to this machine by a name of this
// machine. A page elsewhere can make its own name lead here, and would then be
// of the same origin as the demo provider, where a click is all it takes.
func here(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !loopback.Host(host) {
			http.Error(w, "the demo provider answers to names of this machine only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// waiting is a handler that is still being made: making the demo provider's key
// takes long, and nobody needs it before somebody has clicked.
type waiting struct {
	done    chan struct{}
	handler http.Handler
	err     error
}

func newWaiting(build func() (http.Handler, error)) *waiting {
	w := &waiting{done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.handler, w.err = build()
	}()
	return w
}

func (wt *waiting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-wt.done:
	case <-r.Context().Done():
		return
	}
	if wt.err != nil {
		http.Error(w, "the demo provider did not start: "+wt.err.Error(), http.StatusInternalServerError)
		return
	}
	wt.handler.ServeHTTP(w, r)
}

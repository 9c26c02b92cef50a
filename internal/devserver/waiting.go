package devserver

import "net/http"

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

package runtime

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	region  = "local-1"
	account = "000000000000"

	maxResponse = 6 << 20 // bytes
)

// Error is what a function, or Lambda in its place, answers to an event that
// went wrong.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// invocation is one event.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	done     chan result // takes one
}

type result struct {
	payload []byte
	err     error
}

// runtimeAPI is the Runtime API (2018-06-01) of one environment.
type runtimeAPI struct {
	name string
	mux  *http.ServeMux

	next       chan *invocation
	polled     chan time.Time // one for each poll that waits for an event
	initFailed chan error

	mu      sync.Mutex
	current *invocation // being worked on
}

func newRuntimeAPI(name string) *runtimeAPI {
	a := &runtimeAPI{name: name, mux: http.NewServeMux(), next: make(chan *invocation),
		polled: make(chan time.Time, 1), initFailed: make(chan error, 1)}
	const base = "/2018-06-01/runtime"
	a.mux.HandleFunc("GET "+base+"/invocation/next", a.serveNext)
	a.mux.HandleFunc("POST "+base+"/invocation/{id}/response", a.serveResponse)
	a.mux.HandleFunc("POST "+base+"/invocation/{id}/error", a.serveError)
	a.mux.HandleFunc("POST "+base+"/init/error", a.serveInitError)
	return a
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// serveNext waits for an event, and hands it out.
func (a *runtimeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case a.polled <- time.Now():
	default: // a second poll while the first is still unread
	}
	select {
	case i := <-a.next:
		a.mu.Lock()
		a.current = i
		a.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:"+region+":"+account+":function:"+a.name)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+i.id+";Sampled=0")
		w.Write(i.payload)
	case <-r.Context().Done():
	}
}

// take returns the event with an id, if it is being worked on, and ends that.
func (a *runtimeAPI) take(w http.ResponseWriter, r *http.Request) *invocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil || a.current.id != r.PathValue("id") {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no event has this id")
		return nil
	}
	i := a.current
	a.current = nil
	return i
}

func (a *runtimeAPI) serveResponse(w http.ResponseWriter, r *http.Request) {
	i := a.take(w, r)
	if i == nil {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	switch {
	case err != nil:
		i.done <- result{err: &Error{"Runtime.TruncatedResponse", err.Error()}}
	case len(body) > maxResponse:
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "an answer over 6 MB")
		i.done <- result{err: &Error{"Function.ResponseSizeTooLarge", fmt.Sprintf("an answer over %d bytes", maxResponse)}}
		return
	default:
		i.done <- result{payload: body}
	}
	w.WriteHeader(http.StatusAccepted)
}

func (a *runtimeAPI) serveError(w http.ResponseWriter, r *http.Request) {
	if i := a.take(w, r); i != nil {
		i.done <- result{err: readError(r)}
		w.WriteHeader(http.StatusAccepted)
	}
}

func (a *runtimeAPI) serveInitError(w http.ResponseWriter, r *http.Request) {
	select {
	case a.initFailed <- readError(r):
	default:
	}
	w.WriteHeader(http.StatusAccepted)
}

func readError(r *http.Request) error {
	e := &Error{}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxResponse)).Decode(e); err != nil || e.Type == "" {
		e.Type = "Runtime.Unknown"
	}
	return e
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(Error{kind, message})
}

// Package httpx is the one place where errors become HTTP answers and requests
// become log lines. A handler returns an error; what a client may hear and what
// only the log may hear are different fields of it.
package httpx

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error is a refusal or a failure as the client is to hear it.
type Error struct {
	Status     int           // HTTP status, 400 or more
	Code       string        // a short name: from RFC 6749, Section 5.2, or RFC 6750, Section 3.1, where one fits
	Detail     string        // for a person; never holds a secret, the request's input or an upstream's message
	RetryAfter time.Duration // sent as Retry-After in whole seconds; 0: not sent
	Err        error         // the cause, for the log only; may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%d %s: %v", e.Status, e.Code, e.Err)
	}
	return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As returns err as an *Error. Anything that is not one is a mute 500, because
// its message may hold what no client should read.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Status: http.StatusInternalServerError, Code: "server_error", Detail: "internal error", Err: err}
}

// Unavailable is the answer when a part that Gatehouse needs is out of reach.
func Unavailable(cause error) *Error {
	return &Error{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable",
		Detail: "try again in a moment", RetryAfter: time.Second, Err: cause}
}

// Problem writes e as problem details (RFC 9457).
func Problem(w http.ResponseWriter, r *http.Request, e *Error) {
	header(w, e, "application/problem+json")
	json.NewEncoder(w).Encode(struct {
		Type      string `json:"type"`
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Code      string `json:"code"`
		Detail    string `json:"detail,omitempty"`
		RequestID string `json:"request_id,omitempty"`
	}{"about:blank", http.StatusText(e.Status), e.Status, e.Code, e.Detail, RequestID(r.Context())})
}

// OAuth writes e as the JSON error of an OAuth endpoint (RFC 6749, Section 5.2).
func OAuth(w http.ResponseWriter, _ *http.Request, e *Error) {
	header(w, e, "application/json")
	json.NewEncoder(w).Encode(struct {
		Error       string `json:"error"`
		Description string `json:"error_description,omitempty"`
	}{e.Code, e.Detail})
}

// header writes what every error answer has in common. No error is cacheable.
func header(w http.ResponseWriter, e *Error, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		seconds := (e.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	w.WriteHeader(e.Status)
}

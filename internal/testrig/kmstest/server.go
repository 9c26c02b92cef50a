// Package kmstest is the part of AWS KMS that Gatehouse uses, on loopback: its
// wire protocol (JSON 1.1, "TrentService.*"), its limits, its error names, and
// switches for what goes wrong in AWS. Keys are made at random and live as long
// as the process; it is never linked into a Lambda function.
package kmstest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a KMS. Its zero value is ready, without any key. Set the exported
// fields before the first request.
type Server struct {
	// Generate makes the private key of an RSA key; nil: crypto/rsa. Tests
	// that need many keys take them from a shelf.
	Generate func(bits int) (*rsa.PrivateKey, error)
	// Now dates keys; nil: time.Now.
	Now func() time.Time

	mu      sync.Mutex
	keys    map[string]*key   // by key id
	order   []string          // key ids, oldest first
	aliases map[string]string // "alias/…" to key id
	calls   map[string]int
	faults  Faults
}

// Start serves until the test ends and returns the URL to use as BaseEndpoint,
// or as AWS_ENDPOINT_URL_KMS of a whole binary.
func (s *Server) Start(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

// Calls returns how often each operation was called so far, by its name.
// Refused calls count; so does every repeat by the SDK.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// operation answers a call whose JSON is body, with s.mu held.
type operation func(s *Server, body []byte) (any, error)

var operations = map[string]operation{
	"CancelKeyDeletion":   handle((*Server).cancelKeyDeletion),
	"CreateAlias":         handle((*Server).createAlias),
	"CreateKey":           handle((*Server).createKey),
	"DescribeKey":         handle((*Server).describeKey),
	"DisableKey":          handle((*Server).disableKey),
	"EnableKey":           handle((*Server).enableKey),
	"GetPublicKey":        handle((*Server).getPublicKey),
	"ListAliases":         handle((*Server).listAliases),
	"ListKeys":            handle((*Server).listKeys),
	"ListResourceTags":    handle((*Server).listResourceTags),
	"ScheduleKeyDeletion": handle((*Server).scheduleKeyDeletion),
	"Sign":                handle((*Server).sign),
	"TagResource":         handle((*Server).tagResource),
	"UpdateAlias":         handle((*Server).updateAlias),
}

func handle[In any](call func(*Server, In) (any, error)) operation {
	return func(s *Server, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &apiError{400, "SerializationException", ""}
		}
		return call(s, in)
	}
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	out, err := s.answer(r, name)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", rand.Text())
	if e, ok := err.(*apiError); ok {
		w.WriteHeader(e.status)
		out = map[string]string{"__type": e.name, "message": e.message}
	}
	if out != nil {
		json.NewEncoder(w).Encode(out)
	}
}

func (s *Server) answer(r *http.Request, name string) (any, error) {
	call, ok := operations[name]
	if !ok || r.Method != http.MethodPost {
		return nil, &apiError{400, "UnknownOperationException", ""}
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		return nil, &apiError{400, "MissingAuthenticationTokenException", "Request is missing Authentication Token"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 1<<20))
	if err != nil {
		return nil, &apiError{400, "SerializationException", ""}
	}
	faults := s.count(name)
	if err := faults.strike(r.Context(), name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return call(s, body)
}

// count notes a call and returns the faults to meet it with.
func (s *Server) count(name string) Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = make(map[string]int)
	}
	s.calls[name]++
	return s.faults
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

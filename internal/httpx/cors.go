package httpx

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// CORS lets scripts of registered origins read responses. Cookies are never
// allowed: what scripts call reads none.
type CORS struct {
	// Allowed tells whether an origin is registered; nil: none is. After an error
	// the origin counts as unregistered.
	Allowed func(ctx context.Context, origin string) (bool, error)
}

// corsHeaders are those that clients send: of HTTP, MCP and OpenTelemetry.
const corsHeaders = "Authorization, Content-Type, If-Match, If-None-Match, MCP-Protocol-Version, Traceparent"

// Handler adds the headers to the responses of next.
func (c CORS) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.allow(w, r)
		next.ServeHTTP(w, r)
	})
}

// Preflight answers what a browser asks before a script's request (Fetch,
// CORS-preflight request), for a path with these methods.
func (c CORS) Preflight(methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.allow(w, r) {
			h := w.Header()
			h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
			h.Set("Access-Control-Allow-Headers", corsHeaders)
			h.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// Methods serves a path with the methods m: it answers preflights, and adds the
// headers to every other response. write writes the 405.
func (c CORS) Methods(m Methods, write func(http.ResponseWriter, *http.Request, *Error)) http.Handler {
	preflight, others := c.Preflight(slices.Sorted(maps.Keys(m))...), c.Handler(m.Handler(write))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			preflight.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// PublicPreflight answers what a browser asks before a script reads a document that
// is for everyone: from any origin, with any header. The star does not stand for
// Authorization (Fetch, CORS-unsafe request-header names).
func PublicPreflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "*, Authorization")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// allow names the origin of the request in the response if it is registered.
func (c CORS) allow(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" || c.Allowed == nil {
		return false
	}
	if ok, err := c.Allowed(r.Context(), origin); err != nil || !ok {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, ETag, Location, Link")
	return true
}

package loginsvc

import (
	"net/http"
	"strings"
)

// cors lets scripts of registered origins read the answers of next. Credentials
// are never allowed: what scripts call reads no cookie.
func (s *Service) cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.allowOrigin(w, r)
		next.ServeHTTP(w, r)
	})
}

// preflight answers what a browser asks before a script's request.
func (s *Service) preflight(methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.allowOrigin(w, r) {
			h := w.Header()
			h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			h.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// allowOrigin names the origin of the request in the answer if it is registered.
// An origin that cannot be looked up now is not.
func (s *Service) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" || s.Origins == nil {
		return false
	}
	if ok, err := s.Origins(r.Context(), origin); err != nil || !ok {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	return true
}

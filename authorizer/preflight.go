package authorizer

import (
	"net/http"
	"strings"
)

// isPreflight tells whether a browser asks if a page may send another request. It
// sends no credentials with it.
func isPreflight(r *http.Request) bool {
	h := r.Header
	return r.Method == http.MethodOptions && h.Get("Origin") != "" && h.Get("Access-Control-Request-Method") != "" &&
		h.Get("Authorization") == ""
}

// servePreflight lets next answer without a body, in either direction.
func servePreflight(w http.ResponseWriter, r *http.Request, next http.Handler) {
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = http.NoBody, 0
	r.Header.Del("Content-Length")
	out := &preflightResponse{ResponseWriter: w, header: http.Header{}}
	next.ServeHTTP(out, r)
	out.WriteHeader(http.StatusOK)
}

// preflightResponse keeps the status and what CORS says.
type preflightResponse struct {
	http.ResponseWriter
	header http.Header
	done   bool
}

func (p *preflightResponse) Header() http.Header { return p.header }

func (p *preflightResponse) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return len(b), nil
}

func (p *preflightResponse) WriteHeader(status int) {
	if p.done || status < 200 {
		return
	}
	p.done = true
	for name, values := range p.header {
		if name == "Vary" || name == "Allow" || strings.HasPrefix(name, "Access-Control-") {
			p.ResponseWriter.Header()[name] = values
		}
	}
	p.ResponseWriter.WriteHeader(status)
}

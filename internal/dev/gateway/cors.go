package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// CORS is the cors block of an HTTP API. With it the gateway answers preflights,
// adds these headers to responses, and drops those that functions set.
type CORS struct {
	AllowOrigins  []string // "https://app.example.com", "https://*", or "*"
	AllowMethods  []string // "*": every method
	AllowHeaders  []string // "*": every header but Authorization (Fetch, CORS protocol)
	ExposeHeaders []string
	MaxAge        int // seconds; 0: no header
	Credentials   bool
}

// check returns what AWS refuses when it deploys.
func (c *CORS) check() error {
	switch {
	case c == nil:
		return nil
	case c.Credentials && slices.Contains(c.AllowOrigins, "*"):
		return errors.New(`cors: AWS refuses allowCredentials with the origin "*": name the origins`)
	case c.MaxAge < -1 || c.MaxAge > 86_400:
		return errors.New("cors: maxAge is at most 86400")
	}
	return nil
}

// allowed returns the value of Access-Control-Allow-Origin for an origin, or "".
func (c *CORS) allowed(origin string) string {
	scheme, _, _ := strings.Cut(origin, "://")
	switch {
	case origin == "":
		return ""
	case slices.Contains(c.AllowOrigins, "*"):
		return "*"
	case slices.Contains(c.AllowOrigins, origin), slices.Contains(c.AllowOrigins, scheme+"://*"):
		return origin
	}
	return ""
}

// AllowsHeader tells whether a browser can send a header that CORS guards.
func (c *CORS) AllowsHeader(name string) bool {
	for _, allowed := range c.AllowHeaders {
		if strings.EqualFold(allowed, name) || allowed == "*" && !strings.EqualFold(name, "Authorization") {
			return true
		}
	}
	return false
}

// isPreflight tells whether a browser asks what it can send (Fetch, CORS-preflight
// request).
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight answers a preflight. An origin that is not allowed gets the same
// status and no headers.
func (c *CORS) preflight(w http.ResponseWriter, r *http.Request) {
	if c.write(w.Header(), r) {
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
		h.Set("Access-Control-Allow-Headers", strings.ToLower(strings.Join(c.AllowHeaders, ",")))
		if c.MaxAge != 0 {
			h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// write sets the headers of a response to r. False: r is from no allowed origin.
func (c *CORS) write(h http.Header, r *http.Request) bool {
	origin := c.allowed(r.Header.Get("Origin"))
	if origin == "" {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.ToLower(strings.Join(c.ExposeHeaders, ",")))
	}
	return true
}

// dropCORS deletes what a function set: "API Gateway ignores CORS headers
// returned from your backend integration" where the API has a cors block.
func dropCORS(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}

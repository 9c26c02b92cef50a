// Package resource describes an API to its clients: which login service issues tokens
// for it, and with which scopes (RFC 9728).
//
// Internal to Gatehouse: it may change with any release.
package resource

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// WellKnown is where the document lies on the API's host, before the API's own path
// (RFC 9728, Section 3.1).
const WellKnown = "/.well-known/oauth-protected-resource"

// Metadata is the document of one API (RFC 9728, Section 2).
type Metadata struct {
	Resource             string   `json:"resource"` // its address, which is the audience of its tokens
	AuthorizationServers []string `json:"authorization_servers"`
	Scopes               []string `json:"scopes_supported,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
	Name                 string   `json:"resource_name,omitempty"`
}

// URL returns where the document of the API at the address lies. It returns "" if that
// is no address.
func URL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	return u.Scheme + "://" + u.Host + WellKnown + path
}

// ServeHTTP answers with the document. Scripts of any origin may read it: it holds
// nothing that a browser adds.
func (m Metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.BearerMethods = []string{"header"}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "public, max-age=300")
	switch r.Method {
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "*")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet, http.MethodHead:
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		h.Set("Cache-Control", "no-store")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	text, err := json.Marshal(m)
	if err != nil { // strings alone: never
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/json")
	w.Write(text)
}

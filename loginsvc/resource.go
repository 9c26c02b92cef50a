package loginsvc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/resource"
)

// Resource is an API for which clients ask by its address (RFC 8707).
type Resource struct {
	URL    string
	Name   string   // for people; "" means its address
	Scopes []string // what a client may ask for there
}

func (s *Service) resourceURLs() []string {
	var urls []string
	for _, r := range s.Resources {
		urls = append(urls, r.URL)
	}
	return urls
}

// handleResource describes a resource on the issuer's own host (RFC 9728, Section 3.1).
// A resource on another host serves its own document.
func (s *Service) handleResource(w http.ResponseWriter, r *http.Request) error {
	asked := s.origin
	if path := r.PathValue("path"); path != "" {
		asked += "/" + path
	}
	for _, api := range s.Resources {
		if api.URL == asked {
			resource.Metadata{Resource: api.URL, AuthorizationServers: []string{s.Issuer}, Scopes: api.Scopes, Name: api.Name}.ServeHTTP(w, r)
			return nil
		}
	}
	return &httpx.Error{Status: http.StatusNotFound, Code: "not_found"}
}

// resourceNames returns the resources among the audiences, each by name and address,
// for pages.
func (s *Service) resourceNames(audiences []string) []string {
	var names []string
	for _, r := range s.Resources {
		if !slices.Contains(audiences, r.URL) {
			continue
		}
		name := strings.TrimPrefix(r.URL, "https://")
		if r.Name != "" {
			name = r.Name + " (" + name + ")"
		}
		names = append(names, name)
	}
	return names
}

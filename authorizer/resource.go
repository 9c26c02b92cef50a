package authorizer

import (
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/resource"
)

// ResourceMetadata describes an API to clients that know nothing but its address, such
// as MCP clients (RFC 9728). It is a handler for the route at the path of [ResourceMetadata.URL],
// which needs no token.
type ResourceMetadata struct {
	// Resource is the address of the API as people type it, without a slash at its
	// end. It is the audience of tokens for the API.
	Resource string
	// Issuer is the login service that issues those tokens.
	Issuer string
	// Scopes are those that a client may ask for; empty: the document names none.
	Scopes []string
	// Name is for people; "" leaves it out.
	Name string
}

// URL returns where clients look for the document: the path of the API follows
// /.well-known/oauth-protected-resource. It returns "" if Resource is no address.
func (m ResourceMetadata) URL() string { return resource.URL(m.Resource) }

// ServeHTTP answers GET with the document, also to scripts of other origins.
func (m ResourceMetadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resource.Metadata{Resource: m.Resource, AuthorizationServers: []string{m.Issuer}, Scopes: m.Scopes, Name: m.Name}.ServeHTTP(w, r)
}

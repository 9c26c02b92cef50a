package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// Resource is an API that clients find by its address, such as an MCP server.
type Resource struct {
	URL    string   // its address, which is the audience of tokens for it (RFC 8707)
	Name   string   // for people; "" means its address
	Scopes []string // what a client may ask for there
}

// SelfRegistration says which clients may come that nobody registered. The zero value
// is none.
type SelfRegistration struct {
	// Documents are the hosts whose client ID metadata documents are fetched, or
	// [client.AnyHost] alone.
	Documents []string
	// Dynamic lets clients register themselves (RFC 7591).
	Dynamic bool
}

// Terms is the most that a client may have that nobody registered: the standard scopes
// and those of the resources, at the resources alone, or at the team's API if there
// are none.
func (c *Config) Terms() client.Client {
	terms := client.Client{ThirdParty: true, Scopes: []string{"openid", "profile", "email", "offline_access"}}
	for _, r := range c.Resources {
		terms.Audiences = append(terms.Audiences, r.URL)
		for _, scope := range r.Scopes {
			if !slices.Contains(terms.Scopes, scope) {
				terms.Scopes = append(terms.Scopes, scope)
			}
		}
	}
	return terms
}

func readResource(m *mapping) Resource {
	var r Resource
	m.string("resource", &r.URL)
	m.string("name", &r.Name)
	m.strings("scopes", &r.Scopes)
	return r
}

func (c *Config) checkResources(d *document) {
	seen := map[string]string{}
	for i, r := range c.Resources {
		at := fmt.Sprintf("resources[%d]", i+1)
		if err := checkResource(r.URL); err != nil {
			d.refuse(at+".resource", "%v", err)
		} else if err := client.CheckAudience(r.URL, c.Issuer); err != nil {
			d.refuse(at+".resource", "%v", err)
		} else if seen[r.URL] != "" {
			d.refuse(at+".resource", "is that of %s as well: take one of the two out", seen[r.URL])
		}
		seen[r.URL] = at
		checkShown(d, at+".name", r.Name)
		for j, scope := range r.Scopes {
			if !slices.Contains(c.Scopes, scope) {
				d.refuse(fmt.Sprintf("%s.scopes[%d]", at, j+1), "unknown scope %q%s", scope, suggest(scope, c.Scopes))
			}
		}
	}
	if len(c.Resources) > 10 {
		d.refuse("resources", "are %d: want at most 10", len(c.Resources))
	}
	for i, host := range c.SelfRegistration.Documents {
		at := fmt.Sprintf("self_registration.documents[%d]", i+1)
		if _, ok := client.DocumentHost("https://" + host + "/x"); !ok && host != client.AnyHost {
			d.refuse(at, "want the host of metadata documents, such as claude.ai, or any, not %q", host)
		} else if host == client.AnyHost && len(c.SelfRegistration.Documents) > 1 {
			d.refuse(at, "stands for all hosts: take the others out")
		}
	}
}

// checkResource tells what is wrong with the address of a resource (RFC 9728, Section
// 1.2). Clients compare it byte for byte with what a person typed.
func checkResource(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopback.URL(u)):
		return fmt.Errorf("want the address of the API, such as https://api.example.com/mcp, not %q", address)
	case strings.ContainsAny(address, "?#"):
		return fmt.Errorf("want an address without a query or a fragment, not %q", address)
	case strings.HasSuffix(address, "/"):
		return fmt.Errorf("want the address without the slash at its end, %q", strings.TrimRight(address, "/"))
	case address != u.String() || u.Host != strings.ToLower(u.Host):
		return fmt.Errorf("want the address as clients send it, in lower case and without escapes that it does not need")
	}
	return nil
}

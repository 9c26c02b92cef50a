package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// document is what Gatehouse reads of a client's description of itself (RFC 7591,
// Section 2). Other members are ignored.
type document struct {
	ID           string
	Name         string
	RedirectURIs []string
	Grants       []string
	Responses    []string
	AuthMethod   string
	Scope        string
}

const (
	maxSelfName     = 80 // bytes of a name that a client gives itself
	maxRedirectURIs = 50
)

var errShared = errors.New("a shared secret")

// readDocument reads the members that Gatehouse knows. A member that stands twice is an
// error, because two readers could take different ones.
func readDocument(data []byte) (document, error) {
	var d document
	fields := map[string]any{
		"client_id": &d.ID, "client_name": &d.Name, "redirect_uris": &d.RedirectURIs, "grant_types": &d.Grants,
		"response_types": &d.Responses, "token_endpoint_auth_method": &d.AuthMethod, "scope": &d.Scope,
	}
	seen := map[string]bool{}
	err := strictjson.Members(string(data), func(name, value string) error {
		if seen[name] {
			return errors.New("a member stands twice")
		}
		seen[name] = true
		if name == "client_secret" || name == "client_secret_expires_at" {
			return errShared
		}
		if into := fields[name]; into != nil {
			return json.Unmarshal([]byte(value), into)
		}
		return nil
	})
	return d, err
}

// client returns the public third-party client that d describes, without an id. terms is
// the most that it may have. A problem's Text follows the Field in a sentence.
func (d document) client(terms Client) (Client, *Problem) {
	switch {
	case d.Responses != nil && !slices.Contains(d.Responses, "code"):
		return Client{}, &Problem{Field: "response_types", Text: "do not hold code"}
	case d.Grants != nil && !slices.Contains(d.Grants, GrantCode):
		return Client{}, &Problem{Field: "grant_types", Text: "do not hold authorization_code"}
	case strings.TrimSpace(d.Name) == "" || len(d.Name) > maxSelfName || plaintext.HasHidden(d.Name):
		return Client{}, &Problem{Field: "client_name", Text: fmt.Sprintf("is missing, longer than %d bytes, or has hidden characters", maxSelfName)}
	}
	c := terms
	c.Name, c.ThirdParty = d.Name, true
	c.Secret, c.SecretEnv, c.SecretHashes = "", "", nil
	c.Grants = []string{GrantCode}
	if d.Grants == nil || slices.Contains(d.Grants, GrantRefresh) {
		c.Grants = append(c.Grants, GrantRefresh)
	}
	if slices.ContainsFunc(d.RedirectURIs, func(uri string) bool { _, _, ok := cutPort(uri, httpLocalhost); return ok }) {
		c.Loopback = LoopbackLocalhost // native clients take the port that is free
	}
	if c.RedirectURIs = c.usable(d.RedirectURIs); len(c.RedirectURIs) == 0 {
		return Client{}, &Problem{Field: "redirect_uris", Text: fmt.Sprintf("hold none that can be used: want https, or http on this machine, in at most %d", maxRedirectURIs)}
	}
	if d.Scope != "" {
		asked := strings.Fields(d.Scope)
		c.Scopes = slices.DeleteFunc(slices.Clone(c.AllowedScopes()), func(scope string) bool { return !slices.Contains(asked, scope) })
		if len(c.Scopes) == 0 {
			return Client{}, &Problem{Field: "scope", Text: "names no scope that there is here"}
		}
	}
	return c, nil
}

// usable returns the redirect URIs that the client could be registered with.
func (c Client) usable(uris []string) []string {
	if len(uris) > maxRedirectURIs {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(uris), func(uri string) bool { return c.CheckRedirectURI(uri) != nil })
}

// ParseRegistration returns the client that a registration request describes (RFC 7591,
// Section 2), without an id. It is a public client, whatever it asks to be: the answer
// tells it so (Section 3.2.1). A private-use scheme of its redirect URIs is allowed as
// if gatehouse.yml said so. The error is a [Problem].
func ParseRegistration(data []byte, terms Client) (Client, error) {
	d, err := readDocument(data)
	if errors.Is(err, errShared) {
		return Client{}, Problem{Field: "client_secret", Text: "is not for clients to choose"}
	}
	if err != nil {
		return Client{}, Problem{Field: "body", Text: "is not a JSON object with the members of RFC 7591, each once"}
	}
	for _, uri := range d.RedirectURIs {
		scheme, _, _ := strings.Cut(uri, ":")
		if !strings.Contains(scheme, ".") && checkPrivateScheme(scheme) == nil && !slices.Contains(terms.RedirectSchemes, scheme) {
			terms.RedirectSchemes = append(slices.Clip(terms.RedirectSchemes), scheme)
		}
	}
	c, problem := d.client(terms)
	if problem != nil {
		return Client{}, *problem
	}
	return c, nil
}

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// A client ID metadata document describes a client that nobody registered: the
// client's id is the document's address
// (draft-ietf-oauth-client-id-metadata-document).

// DocumentError says why a client with a metadata document cannot be used. Its text
// holds nothing that the document said, so that a page can show it.
type DocumentError struct {
	Host      string // of the client id
	Fault     string // what is wrong, for people
	Temporary bool   // the same request may succeed later
	Err       error  // for the log; may be nil
}

func (e *DocumentError) Error() string {
	if e.Err != nil {
		return "metadata document of " + e.Host + ": " + e.Fault + ": " + e.Err.Error()
	}
	return "metadata document of " + e.Host + ": " + e.Fault
}

func (e *DocumentError) Unwrap() error { return e.Err }

// Is makes the client of a document that is wrong or gone an unknown one. It stays known
// while its document is merely out of reach.
func (e *DocumentError) Is(target error) bool { return target == ErrUnknown && !e.Temporary }

// OnThisComputer tells whether a redirect URI leads to a program on the person's computer.
// Any program there can receive what is sent to it.
func OnThisComputer(redirectURI string) bool {
	u, err := url.Parse(redirectURI)
	return err == nil && u.Scheme == "http" && loopback.URL(u)
}

// AnyHost stands for all hosts where a list names those whose documents are fetched.
const AnyHost = "any"

// maxDocumentID bounds a client id that is an address, in bytes. It stands in rows and
// in tokens.
const maxDocumentID = 400

// hostname is a name of the Domain Name System as it is resolved: lower case, ASCII.
var hostname = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

// DocumentHost returns the host of a client id that is the address of a metadata
// document. ok is false for all others, also for addresses that are not written as
// they are requested: one client has one id.
func DocumentHost(id string) (host string, ok bool) {
	if len(id) > maxDocumentID || !strings.HasPrefix(id, "https://") || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) ||
		strings.ContainsAny(id, "\\\"<>^`{|}?#") {
		return "", false
	}
	u, err := url.Parse(id)
	if err != nil || u.User != nil || u.Path == "" || u.Path == "/" || u.String() != id || strings.HasSuffix(u.Host, ":") {
		return "", false
	}
	for _, segment := range strings.Split(u.Path, "/") { // decoded: %2e%2e is .. too
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil || !hostname.MatchString(u.Hostname()) {
		return "", false
	}
	if port := u.Port(); port != "" && (!isPort(port) || port == "443") {
		return "", false
	}
	return u.Host, true
}

// document is what Gatehouse reads of a metadata document (RFC 7591, Section 2).
type document struct {
	ID           string   `json:"client_id"`
	Name         string   `json:"client_name"`
	RedirectURIs []string `json:"redirect_uris"`
	Grants       []string `json:"grant_types"`
	Responses    []string `json:"response_types"`
	AuthMethod   string   `json:"token_endpoint_auth_method"`
	Scope        string   `json:"scope"`
}

// ParseDocument returns the client that the document at the address id describes. It
// is a public third-party client; what it may have is given by terms. Of its redirect
// URIs only those count that a client of gatehouse.yml could have. The error is a
// [DocumentError].
func ParseDocument(id string, data []byte, terms Client) (Client, error) {
	host, ok := DocumentHost(id)
	wrong := func(fault string, err error) (Client, error) {
		return Client{}, &DocumentError{Host: host, Fault: fault, Err: err}
	}
	if !ok {
		return wrong("the address is not that of a document: want https, a host name and a path, and nothing after them", nil)
	}
	d, err := readDocument(data)
	switch {
	case errors.Is(err, errShared):
		return wrong("it holds a secret, which cannot be one in a public document", nil)
	case err != nil:
		return wrong("it is not a JSON object with the members of RFC 7591, each once", err)
	case slices.Contains(terms.Audiences, id):
		return wrong("its address is that of an API here, which its ID tokens would be for", nil)
	case d.ID != id:
		return wrong("its client_id is not its own address", nil)
	case d.AuthMethod != "" && d.AuthMethod != "none":
		return wrong("its token_endpoint_auth_method is not none", nil)
	case d.Responses != nil && !slices.Contains(d.Responses, "code"):
		return wrong("its response_types do not hold code", nil)
	case d.Grants != nil && !slices.Contains(d.Grants, GrantCode):
		return wrong("its grant_types do not hold authorization_code", nil)
	case strings.TrimSpace(d.Name) == "" || len(d.Name) > maxDocumentName || plaintext.HasHidden(d.Name):
		return wrong(fmt.Sprintf("its client_name is missing, longer than %d bytes, or has hidden characters", maxDocumentName), nil)
	}
	c := terms
	c.ID, c.Name, c.DocumentHost, c.ThirdParty = id, d.Name, host, true
	c.Secret, c.SecretEnv, c.SecretHashes = "", "", nil
	c.Grants = []string{GrantCode}
	if d.Grants == nil || slices.Contains(d.Grants, GrantRefresh) {
		c.Grants = append(c.Grants, GrantRefresh)
	}
	c.Loopback = LoopbackLocalhost // native MCP clients take the port that is free
	if c.RedirectURIs = c.usable(d.RedirectURIs); len(c.RedirectURIs) == 0 {
		return wrong("none of its redirect_uris can be used: want https, or http on this machine, in at most 50", nil)
	}
	if d.Scope != "" {
		asked := strings.Fields(d.Scope)
		c.Scopes = slices.DeleteFunc(slices.Clone(c.AllowedScopes()), func(scope string) bool { return !slices.Contains(asked, scope) })
		if len(c.Scopes) == 0 {
			return wrong("there is no scope here that its scope names", nil)
		}
	}
	return c, nil
}

const (
	maxDocumentName = 80 // bytes
	maxRedirectURIs = 50
)

var errShared = errors.New("a shared secret")

// readDocument reads the members that Gatehouse knows. Others are ignored; a member
// that stands twice is an error, because two readers could take different ones.
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

// usable returns the redirect URIs on https, and on http of this machine, that could be
// registered. A private-use scheme proves nothing about the program that has it.
func (c Client) usable(uris []string) []string {
	if len(uris) > maxRedirectURIs {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(uris), func(uri string) bool {
		scheme, _, _ := strings.Cut(uri, ":")
		return scheme != "https" && scheme != "http" || c.CheckRedirectURI(uri) != nil
	})
}

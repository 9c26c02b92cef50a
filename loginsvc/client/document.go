package client

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
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
	if slices.Contains(terms.Audiences, id) {
		return wrong("its address is that of an API here, which its ID tokens would be for", nil)
	}
	d, err := readDocument(data)
	switch {
	case errors.Is(err, errShared):
		return wrong("it holds a secret, which cannot be one in a public document", nil)
	case err != nil:
		return wrong("it is not a JSON object with the members of RFC 7591, each once", err)
	case d.ID != id:
		return wrong("its client_id is not its own address", nil)
	case d.AuthMethod != "" && d.AuthMethod != "none":
		return wrong("its token_endpoint_auth_method is not none", nil)
	}
	// A private-use scheme proves nothing about the program that has it.
	d.RedirectURIs = slices.DeleteFunc(d.RedirectURIs, func(uri string) bool {
		return !strings.HasPrefix(uri, "https:") && !strings.HasPrefix(uri, "http:")
	})
	c, problem := d.client(terms)
	if problem != nil {
		return wrong("its "+problem.Field+" "+problem.Text, nil)
	}
	c.ID, c.DocumentHost = id, host
	return c, nil
}

package client

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// MatchRedirectURI tells whether a code may be sent to uri: it is one of the
// registered redirect URIs, byte for byte (RFC 9700, Section 2.1), or one of the
// loopback addresses among them on another port (RFC 8252, Section 7.3).
func (c Client) MatchRedirectURI(uri string) bool { return matchAny(c.RedirectURIs, uri) }

// MatchPostLogout tells whether the browser may be sent to uri after a logout
// that the client asked for; the rule is that of [Client.MatchRedirectURI].
func (c Client) MatchPostLogout(uri string) bool { return matchAny(c.PostLogoutRedirectURIs, uri) }

func matchAny(registered []string, uri string) bool {
	for _, r := range registered {
		if matchOne(r, uri) {
			return true
		}
	}
	return false
}

// matchOne compares strings and parses nothing of what was presented: two
// parsers that disagree about a URI are how codes go astray.
func matchOne(registered, uri string) bool {
	if CheckRedirectURI(registered) != nil { // may not be registered: is not
		return false
	}
	if registered == uri {
		return true
	}
	host, rest, ok := cutLoopback(registered)
	if !ok {
		return false
	}
	gotHost, gotRest, ok := cutLoopback(uri)
	return ok && gotHost == host && gotRest == rest
}

// cutLoopback cuts the port out of a redirect URI for which any port is allowed.
// RFC 8252, Section 7.3, allows it for 127.0.0.1 and [::1] only, and not for the
// name localhost (Section 8.3). Others on this machine match byte for byte.
func cutLoopback(uri string) (host, rest string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, found := strings.CutPrefix(uri, host)
		if !found {
			continue
		}
		if port, hasPort := strings.CutPrefix(rest, ":"); hasPort {
			digits := strings.IndexAny(port+"/", "/?")
			if !isPort(port[:digits]) {
				return "", "", false
			}
			rest = port[digits:]
		}
		return host, rest, rest == "" || rest[0] == '/' || rest[0] == '?'
	}
	return "", "", false
}

func isPort(s string) bool {
	if s == "" || len(s) > 5 || s[0] == '0' || (len(s) == 5 && s > "65535") {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

// maxURI bounds a redirect URI, so that it fits a row and a Location header.
const maxURI = 2048

// reserved are the parameters that an authorization response adds.
var reserved = []string{"code", "state", "iss", "error", "error_description", "error_uri", "response"}

// CheckRedirectURI tells why uri cannot be registered, in words for the person
// who wrote it; nil means that it can.
func CheckRedirectURI(uri string) error {
	if uri == "" || len(uri) > maxURI {
		return fmt.Errorf("a redirect URI has 1 to %d characters", maxURI)
	}
	for i := range len(uri) {
		if c := uri[i]; c <= ' ' || c > '~' || strings.IndexByte("\\\"<>^`{|}*", c) >= 0 {
			return fmt.Errorf("character %q is not allowed: write the URI as it goes over the wire, without wildcards", c)
		}
	}
	if strings.Contains(uri, "#") {
		return errors.New("a redirect URI has no fragment (RFC 6749, Section 3.1.2)")
	}
	u, err := url.Parse(uri)
	if err != nil {
		return errors.New("not a URI")
	}
	if u.User != nil || strings.Contains(u.Host, "@") {
		return errors.New("a redirect URI has no user name or password")
	}
	if err := checkQueryAndPath(u); err != nil {
		return err
	}
	return checkScheme(uri, u)
}

func checkQueryAndPath(u *url.URL) error {
	for _, segment := range strings.Split(u.Path, "/") { // decoded: %2e%2e is .. too
		if segment == "." || segment == ".." {
			return errors.New("write the path without . and .. segments")
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("the query is malformed")
	}
	for name := range query {
		if slices.Contains(reserved, name) {
			return fmt.Errorf("the query may not hold %q: an authorization response adds it", name)
		}
	}
	return nil
}

func checkScheme(uri string, u *url.URL) error {
	scheme, _, hasScheme := strings.Cut(uri, ":")
	switch {
	case u.Scheme == "" && (!hasScheme || u.Host != "" || strings.HasPrefix(uri, "/")):
		return errors.New("want a whole URI, with scheme and host, such as https://app.example.com/callback")
	case scheme != u.Scheme: // url.Parse lower-cases it
		return errors.New("write the scheme in lower case")
	case u.Host != strings.ToLower(u.Host):
		return errors.New("write the host in lower case")
	case scheme == "https":
		if u.Hostname() == "" {
			return errors.New("the host is missing")
		}
		return nil
	case scheme == "http":
		if loopback.URL(u) {
			return nil
		}
		return errors.New("http is only for " + loopback.Rule + ": use https")
	case strings.Contains(scheme, "."):
		return nil // RFC 8252, Section 7.1: a domain name, reversed
	default:
		return errors.New("use https, http://127.0.0.1, or a private-use scheme with a dot in it, such as com.example.app")
	}
}

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
func (c Client) MatchRedirectURI(uri string) bool { return c.matchAny(c.RedirectURIs, uri) }

// MatchPostLogout tells whether the browser may be sent to uri after a logout
// that the client asked for; the rule is that of [Client.MatchRedirectURI].
func (c Client) MatchPostLogout(uri string) bool {
	return c.matchAny(c.PostLogoutRedirectURIs, uri)
}

func (c Client) matchAny(registered []string, uri string) bool {
	for _, r := range registered {
		if c.matchOne(r, uri) {
			return true
		}
	}
	return false
}

// matchOne compares strings and parses nothing of what was presented: two
// parsers that disagree about a URI are how codes go astray.
func (c Client) matchOne(registered, uri string) bool {
	if c.CheckRedirectURI(registered) != nil { // may not be registered: is not
		return false
	}
	if registered == uri {
		return true
	}
	for _, host := range c.anyPort() {
		if _, rest, ok := cutPort(registered, host); ok {
			_, gotRest, ok := cutPort(uri, host)
			return ok && gotRest == rest
		}
	}
	return false
}

const httpLocalhost = "http://localhost"

// anyPort are the beginnings of redirect URIs for which any port is allowed. RFC
// 8252, Section 7.3, allows it for 127.0.0.1 and [::1] only, and not for the name
// localhost (Section 8.3). Others on this machine match byte for byte.
func (c Client) anyPort() []string {
	hosts := []string{"http://127.0.0.1", "http://[::1]"}
	if c.Public() && c.Loopback == LoopbackLocalhost {
		hosts = append(hosts, httpLocalhost)
	}
	return hosts
}

// cutPort cuts scheme, host and port off a URI that begins with host, and returns
// the port, "" if there is none, and the rest.
func cutPort(uri, host string) (port, rest string, ok bool) {
	rest, ok = strings.CutPrefix(uri, host)
	if !ok {
		return "", "", false
	}
	if after, hasPort := strings.CutPrefix(rest, ":"); hasPort {
		digits := strings.IndexAny(after+"/", "/?")
		if !isPort(after[:digits]) {
			return "", "", false
		}
		port, rest = after[:digits], after[digits:]
	}
	return port, rest, rest == "" || rest[0] == '/' || rest[0] == '?'
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

// CheckRedirectURI tells why uri cannot be registered for the client, in words for
// the person who wrote it; nil means that it can.
func (c Client) CheckRedirectURI(uri string) error {
	if uri == "" || len(uri) > maxURI {
		return fmt.Errorf("a redirect URI has 1 to %d characters", maxURI)
	}
	for i := range len(uri) {
		if b := uri[i]; b <= ' ' || b > '~' || strings.IndexByte("\\\"<>^`{|}*", b) >= 0 {
			return fmt.Errorf("character %q is not allowed: write the URI as it goes over the wire, without wildcards", b)
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
	return c.checkScheme(uri, u)
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

func (c Client) checkScheme(uri string, u *url.URL) error {
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
	case c.hasScheme(scheme):
		return nil
	case c.Public() && checkPrivateScheme(scheme) == nil:
		return fmt.Errorf("use https, http://127.0.0.1, or a private-use scheme with a dot in it, such as com.example.app; or allow this one by redirect_schemes: [%s]", scheme)
	default:
		return errors.New("use https, http://127.0.0.1, or a private-use scheme with a dot in it, such as com.example.app")
	}
}

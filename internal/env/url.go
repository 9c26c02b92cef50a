package env

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

// CheckURL tells what is wrong with raw as the address of a service that others
// compare byte by byte: an issuer (RFC 8414, Section 2: "a URL that uses the
// "https" scheme and has no query or fragment components"). Plain http is only
// for this machine: localhost and loopback addresses.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return fmt.Errorf("want a URL such as https://auth.example.com, not %q", raw)
	}
	switch {
	case u.User != nil:
		return errors.New("holds a user name or password: take it out")
	case u.RawQuery != "" || u.ForceQuery:
		return errors.New("has a query: an issuer has none (RFC 8414, Section 2)")
	case strings.Contains(raw, "#"):
		return errors.New("has a fragment: an issuer has none (RFC 8414, Section 2)")
	case strings.HasSuffix(raw, "/"):
		return fmt.Errorf("ends in a slash, and verifiers compare byte by byte: write %q", strings.TrimRight(raw, "/"))
	case u.Scheme == "http" && !loopback.URL(u):
		return fmt.Errorf("want https; plain http is only for this machine: write %q", "https://"+strings.TrimPrefix(raw, "http://"))
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("want https, not %q", u.Scheme)
	case u.Host != strings.ToLower(u.Host):
		return fmt.Errorf("has upper-case letters in its host: write %q", strings.Replace(raw, u.Host, strings.ToLower(u.Host), 1))
	case u.String() != raw:
		return fmt.Errorf("is not spelt as URLs are: write %q", u.String())
	}
	return nil
}

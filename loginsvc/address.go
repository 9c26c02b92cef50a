package loginsvc

import (
	"errors"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

func parseIssuer(issuer string) (*url.URL, error) {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || strings.ContainsAny(issuer, "?#"):
		return nil, errors.New("issuer is not a plain URL: write https://login.example.com")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback.URL(u)):
		return nil, errors.New("issuer is not https: http is only for " + loopback.Rule)
	case u.String() != issuer || strings.HasSuffix(issuer, "/"):
		return nil, errors.New("issuer is not in its plain form: no slash at the end, no escapes, lower case")
	}
	return u, nil
}

// url is the address of a path of ours, with its query.
func (s *Service) url(path string) string { return s.Issuer + path }

// path is the same without scheme and host, for forms and links on our pages.
func (s *Service) path(path string) string { return s.basePath + path }

// addQuery adds values to a registered URI and leaves its own query as it is. A
// space becomes %20, which every decoder reads as a space.
func addQuery(uri string, values url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + strings.ReplaceAll(values.Encode(), "+", "%20")
}

// hostOf is where a URL leads, for people.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return strings.TrimPrefix(u.Host, "www.")
}

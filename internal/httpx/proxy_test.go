package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

func TestProxy(t *testing.T) {
	t.Parallel()
	const gateway, secret = "192.0.2.7", "a secret of the proxy with 32 characters"
	whole := httpx.Proxy{AddressHeader: "X-Viewer", SecretHeader: "X-Proxy-Secret", Secret: secret}
	for name, test := range map[string]struct {
		proxy  httpx.Proxy
		header http.Header
		want   string
	}{
		"the proxy names an address": {whole, http.Header{"X-Viewer": {"198.51.100.9"}, "X-Proxy-Secret": {secret}}, "198.51.100.9"},
		"with a port":                {whole, http.Header{"X-Viewer": {"198.51.100.9:46532"}, "X-Proxy-Secret": {secret}}, "198.51.100.9"},
		"IPv6":                       {whole, http.Header{"X-Viewer": {"2001:db8::1"}, "X-Proxy-Secret": {secret}}, "2001:db8::1"},
		"IPv6 with a port":           {whole, http.Header{"X-Viewer": {"[2001:db8::1]:443"}, "X-Proxy-Secret": {secret}}, "2001:db8::1"},
		"IPv6 as CloudFront writes":  {whole, http.Header{"X-Viewer": {"2001:0db8:0000:0000:0000:0000:0000:0001:443"}, "X-Proxy-Secret": {secret}}, "2001:db8::1"},
		"IPv4 inside IPv6":           {whole, http.Header{"X-Viewer": {"::ffff:198.51.100.9"}, "X-Proxy-Secret": {secret}}, "198.51.100.9"},

		"no secret":           {whole, http.Header{"X-Viewer": {"198.51.100.9"}}, gateway},
		"an empty secret":     {whole, http.Header{"X-Viewer": {"198.51.100.9"}, "X-Proxy-Secret": {""}}, gateway},
		"a wrong secret":      {whole, http.Header{"X-Viewer": {"198.51.100.9"}, "X-Proxy-Secret": {secret[1:]}}, gateway},
		"two secrets":         {whole, http.Header{"X-Viewer": {"198.51.100.9"}, "X-Proxy-Secret": {secret, secret}}, gateway},
		"no address":          {whole, http.Header{"X-Proxy-Secret": {secret}}, gateway},
		"two addresses":       {whole, http.Header{"X-Viewer": {"198.51.100.9", "198.51.100.10"}, "X-Proxy-Secret": {secret}}, gateway},
		"a list of addresses": {whole, http.Header{"X-Viewer": {"203.0.113.1, 198.51.100.9"}, "X-Proxy-Secret": {secret}}, gateway},
		"a name":              {whole, http.Header{"X-Viewer": {"localhost"}, "X-Proxy-Secret": {secret}}, gateway},
		"another header":      {whole, http.Header{"X-Forwarded-For": {"198.51.100.9"}, "X-Proxy-Secret": {secret}}, gateway},

		"no secret is configured":     {httpx.Proxy{AddressHeader: "X-Viewer", SecretHeader: "X-Proxy-Secret"}, http.Header{"X-Viewer": {"198.51.100.9"}, "X-Proxy-Secret": {""}}, gateway},
		"no secret header":            {httpx.Proxy{AddressHeader: "X-Viewer", Secret: secret}, http.Header{"X-Viewer": {"198.51.100.9"}, "": {secret}}, gateway},
		"no proxy at all, and a liar": {httpx.Proxy{}, http.Header{"X-Viewer": {"198.51.100.9"}, "X-Forwarded-For": {"198.51.100.9"}}, gateway},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header = gateway+":4711", test.header
		got := ""
		test.proxy.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = httpx.SourceIP(r) })).ServeHTTP(nil, r)
		if got != test.want || r.RemoteAddr != gateway+":4711" {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

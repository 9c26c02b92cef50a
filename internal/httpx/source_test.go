package httpx_test

import (
	"net/http"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

func TestSourceIP(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "192.0.2.7:4711": "192.0.2.7", "[2001:db8::1]:80": "2001:db8::1", "2001:db8::1": "2001:db8::1", "": "",
	} {
		r := &http.Request{RemoteAddr: address, Header: http.Header{"X-Forwarded-For": {"198.51.100.9"}}}
		if got := httpx.SourceIP(r); got != want {
			t.Errorf("SourceIP(%q) = %q", address, got)
		}
	}
}

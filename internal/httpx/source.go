package httpx

import (
	"net"
	"net/http"
)

// SourceIP returns the IP address that the gateway saw, without a port. It is
// what limits count by and what the audit trail records. No header of the
// request changes it, but those of a [Proxy] that proved itself.
func SourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // Lambda events have no port
	}
	return host
}

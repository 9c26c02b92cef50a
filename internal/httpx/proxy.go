package httpx

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxy is the reverse proxy in front of a service, such as CloudFront. It sends
// the address of its client in one header and proves itself by a secret in another.
// Without all three nothing is trusted: the zero value is no proxy.
type Proxy struct {
	AddressHeader string
	SecretHeader  string
	Secret        string
}

// Handler makes [SourceIP] return the address that the proxy names. A request
// without the proxy's secret, or with anything but one address, keeps the address
// that the gateway saw.
func (p Proxy) Handler(next http.Handler) http.Handler {
	if p.AddressHeader == "" || p.SecretHeader == "" || p.Secret == "" {
		return next
	}
	want := sha256.Sum256([]byte(p.Secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secrets, addresses := r.Header.Values(p.SecretHeader), r.Header.Values(p.AddressHeader)
		if len(secrets) == 1 && len(addresses) == 1 {
			got := sha256.Sum256([]byte(secrets[0]))
			if ip, ok := parseAddress(addresses[0]); ok && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
				r = r.Clone(r.Context())
				r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// parseAddress reads one IP address, with or without a port. CloudFront writes an
// IPv6 address in full and a port after it, without brackets. A list, to which any
// client can add, is no address.
func parseAddress(text string) (netip.Addr, bool) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return plain(ip)
	}
	if at, err := netip.ParseAddrPort(text); err == nil {
		return plain(at.Addr())
	}
	if i := strings.LastIndexByte(text, ':'); i > 0 {
		if ip, err := netip.ParseAddr(text[:i]); err == nil && ip.Is6() {
			return plain(ip)
		}
	}
	return netip.Addr{}, false
}

func plain(ip netip.Addr) (netip.Addr, bool) { return ip.Unmap().WithZone(""), true }

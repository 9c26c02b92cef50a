// Package publicnet connects to public addresses of the Internet and to no others,
// for documents whose address a stranger names. A name that leads to this machine, to
// its network or to a metadata service of a cloud is never connected to.
//
// Internal to Gatehouse: it may change with any release.
package publicnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
)

// ErrNotPublic says that a name or an address leads to no public address.
var ErrNotPublic = errors.New("is not a public address")

// special are the blocks of global unicast addresses that are not public: RFC 6890 and
// the registries of special-purpose addresses of IANA that continue it.
var special = prefixes(
	// IPv4. Private, loopback, link-local and multicast addresses are found by name.
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
	"192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	// IPv6, inside global: Teredo and others, documentation, 6to4, segment routing.
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

// global holds all IPv6 addresses that are assigned to networks. What lies outside,
// such as the translated IPv4 addresses of 64:ff9b::/96, is not public.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// Public tells whether the address belongs to the public Internet. An IPv4 address
// written as IPv6 is the IPv4 address; an address with a zone is never public.
func Public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Transport returns a transport that connects to public addresses alone. It resolves a
// name, judges each address and connects to that address, so that a name cannot lead
// elsewhere between the check and its use. It uses no proxy, keeps no connection, and
// decompresses nothing. resolve and allow are for tests; nil is the resolver of this
// machine, and [Public].
func Transport(resolve func(ctx context.Context, host string) ([]netip.Addr, error), allow func(netip.Addr) bool) *http.Transport {
	if resolve == nil {
		resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if allow == nil {
		allow = Public
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			all, err := resolve(ctx, host)
			if err != nil {
				return nil, err
			}
			err = fmt.Errorf("%s %w", host, ErrNotPublic)
			for _, a := range all {
				if !allow(a) {
					continue
				}
				var conn net.Conn
				if conn, err = new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port)); err == nil {
					return conn, nil
				}
			}
			return nil, err
		},
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 16 << 10,
	}
}

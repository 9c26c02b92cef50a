package publicnet_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/publicnet"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, public := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450:4001::1", "2600::", "3ffe:ffff::1",
	} {
		if !publicnet.Public(netip.MustParseAddr(public)) {
			t.Errorf("%s is not public", public)
		}
	}
	for _, other := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.170.2",
		"172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.175.48.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1",
		"100::1", "2001::1", "2001:0:4136:e378::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2620:4f:8000::1", "3fff::1", "4000::1",
		"5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::1111%lo",
	} {
		if publicnet.Public(netip.MustParseAddr(other)) {
			t.Errorf("%s is public", other)
		}
	}
}

// A name that is resolved again for the connection could lead elsewhere.
func TestTransport(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	here := netip.MustParseAddr("127.0.0.1")
	get := func(allow func(netip.Addr) bool, answers ...netip.Addr) (asked int, err error) {
		transport := publicnet.Transport(func(context.Context, string) ([]netip.Addr, error) {
			asked++
			return answers, nil
		}, allow)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://name.test:"+at.Port()+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(r)
		if err == nil {
			answer.Body.Close()
		}
		return asked, err
	}
	if _, err := get(nil, here); !errors.Is(err, publicnet.ErrNotPublic) {
		t.Errorf("connected to %s: %v", here, err)
	}
	if _, err := get(nil); !errors.Is(err, publicnet.ErrNotPublic) {
		t.Errorf("a name without address: %v", err)
	}
	allow := func(a netip.Addr) bool { return a == here }
	if asked, err := get(allow, netip.MustParseAddr("10.0.0.1"), here); err != nil || asked != 1 {
		t.Errorf("the address that is allowed: resolved %d times, %v", asked, err)
	}
}

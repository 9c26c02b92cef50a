package loopback_test

import (
	"net/url"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

func TestHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.0.0.2": true, "127.255.255.254": true, "::1": true, "0:0:0:0:0:0:0:1": true,
		"": false, "0.0.0.0": false, "::": false, "128.0.0.1": false, "10.0.0.1": false, "::2": false, "fe80::1": false,
		"::ffff:127.0.0.1": false, "::1%lo": false, "[::1]": false, "127.1": false, "127.0.0.01": false, "2130706433": false,
		"localhost.": false, "localhost.example.com": false, "my.localhost": false, "127.0.0.1.example.com": false, " 127.0.0.1": false,
	} {
		if got := loopback.Host(host); got != want {
			t.Errorf("Host(%q) = %v", host, got)
		}
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"http://127.0.0.9:8080/a": true, "https://[::1]:1": true, "http://localhost": true,
		"http://localhost@example.com/": false, "http://example.com/127.0.0.1": false, "mailto:localhost": false,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := loopback.URL(u); got != want {
			t.Errorf("URL(%q) = %v", raw, got)
		}
	}
}

package client_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func TestMatchRedirectURI(t *testing.T) {
	c := client.Client{RedirectURIs: []string{
		"https://good.test/cb", "https://good.test/q?a=1", "http://127.0.0.1/cb", "http://[::1]/cb",
		"http://127.0.0.1:4000/fixed", "http://127.0.0.1", "http://localhost:5173/callback",
		"com.example.app:/cb", "com.example.app://cb",
		"http://good.test/plain", "javascript:alert(1)", "myapp://cb", // not registrable: must match nothing
	}}
	accept := []string{
		"https://good.test/cb", "https://good.test/q?a=1",
		"http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", "http://[::1]:8080/cb",
		"http://127.0.0.1:4001/fixed", "http://127.0.0.1/fixed", "http://127.0.0.1:99",
		"http://localhost:5173/callback", "com.example.app:/cb", "com.example.app://cb",
	}
	refuse := map[string][]string{
		"S3 a variant of a registered URI": {
			"https://good.test/cb/", "https://good.test/cb?x=1", "https://good.test/cb?", "https://good.test/cb#frag",
			"https://good.test/CB", "https://good.test/%2e%2e/cb", "https://good.test/x/../cb", "https://good.test/c%62",
			"https://good@evil.test/cb", "https://good.test@evil.test/cb", "https://good.test.evil.test/cb",
			"https://good.test:443/cb", "https://good.test:8443/cb", "http://good.test/cb", "https:\\\\good.test\\cb",
			"https://good.test\\@evil.test/cb", "https://good.test/\tcb", "https://good.test/cb\n", " https://good.test/cb",
			"https://gооd.test/cb", "https://xn--gd-jbca.test/cb", "HTTPS://good.test/cb", "https://GOOD.test/cb",
			"//good.test/cb", "/cb", "", "https://good.test/q?a=2", "https://good.test/q?a=1&b=2",
		},
		"S4 what only looks like a loopback address": {
			"http://127.0.0.1/other", "http://127.0.0.1.evil.test/cb", "http://127.1/cb", "http://127.0.0.2/cb",
			"http://127.0.0.1:80@evil.test/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:0/cb", "http://127.0.0.1:080/cb",
			"http://127.0.0.1:65536/cb", "http://127.0.0.1:99999999/cb", "http://127.0.0.1:8o/cb", "http://127.0.0.1:1#/cb",
			"https://127.0.0.1/cb", "http://localhost/cb", "http://localhost:1/callback", "http://[::1].evil.test/cb",
			"http://[::2]/cb", "http://0x7f.0.0.1/cb", "http://2130706433/cb", "http://127.0.0.1:1\\@evil.test/cb",
			"http://user@127.0.0.1/cb", "http://127.0.0.1?x",
		},
		"S5 plain http elsewhere":                           {"http://good.test/plain"},
		"S6 schemes that run code or that anyone can claim": {"javascript:alert(1)", "myapp://cb", "data:text/html,x", "com.example.app:/other"},
	}
	for _, uri := range accept {
		if !c.MatchRedirectURI(uri) {
			t.Errorf("refused %q", uri)
		}
	}
	for name, uris := range refuse {
		t.Run(name, func(t *testing.T) {
			for _, uri := range uris {
				if c.MatchRedirectURI(uri) {
					t.Errorf("accepted %q", uri)
				}
			}
		})
	}
}

func TestCheckRedirectURI(t *testing.T) {
	good := []string{
		"https://a.test/cb", "https://a.test:8443/cb?x=1", "https://a.test", "http://127.0.0.1/", "http://127.0.0.1:3000/cb",
		"http://[::1]:3000/cb", "http://localhost:5173/callback", "com.example.app:/oauth", "com.example.app://oauth",
		"https://xn--gd-jbca.test/cb",
	}
	for _, uri := range good {
		if err := (client.Client{}).CheckRedirectURI(uri); err != nil {
			t.Errorf("%q: %v", uri, err)
		}
	}
	for name, uris := range map[string][]string{
		"S5 http only for loopback": {"http://a.test/cb", "http://10.0.0.1/cb", "http://127.0.0.1.evil.test/", "http://localhost.evil.test/"},
		"S6 private-use schemes have a dot": {
			"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "myapp:/cb",
			"myapp://cb", "blob:https://a.test/x", "about:blank",
		},
		"what is not a plain URI": {
			"", "/cb", "//a.test/cb", "a.test/cb", "https://", "https:///cb", "https://a.test/cb#x", "https://a.test/cb#",
			"https://u@a.test/cb", "https://u:p@a.test/cb", "https://a.test/a b", "https://a.test/\tcb", "https://a.test/\ncb",
			"https://*.a.test/cb", "https://a.test/*", "https://a.test\\cb", "HTTPS://a.test/cb", "https://A.test/cb",
			"https://gооd.test/cb", "https://a.test/../cb", "https://a.test/%2e%2e/cb", "https://a.test/cb?code=1", "https://a.test/cb?x=1&state=",
			"https://a.test/%zz", "https://a.test/cb?%zz", "https://a.test/" + strings.Repeat("a", 2100),
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, uri := range uris {
				if (client.Client{}).CheckRedirectURI(uri) == nil {
					t.Errorf("accepted %q", uri)
				}
			}
		})
	}
}

// FuzzMatchRedirectURI holds the matcher against an oracle: besides byte
// equality, only a change of port on a loopback address may ever match.
func FuzzMatchRedirectURI(f *testing.F) {
	registered := []string{"https://good.test/cb", "http://127.0.0.1/cb", "http://[::1]:7/cb?x=1", "com.example.app:/cb"}
	c := client.Client{RedirectURIs: registered}
	for _, seed := range append(registered, "http://127.0.0.1:8080/cb", "http://[::1]/cb?x=1", "http://127.0.0.1:1@evil/cb", "http://127.0.0.1:08/cb") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		want := false
		for _, r := range registered {
			want = want || uri == r
		}
		if u, err := url.Parse(uri); !want && err == nil && u.Scheme == "http" && u.User == nil && u.Fragment == "" {
			port := u.Port()
			switch u.Hostname() {
			case "127.0.0.1":
				want = uri == "http://127.0.0.1:"+port+"/cb" && inRange(port)
			case "::1":
				want = uri == "http://[::1]:"+port+"/cb?x=1" && inRange(port) || uri == "http://[::1]/cb?x=1"
			}
		}
		if got := c.MatchRedirectURI(uri); got != want {
			t.Errorf("MatchRedirectURI(%q) = %v, want %v", uri, got, want)
		}
	})
}

func inRange(port string) bool {
	n := 0
	for _, c := range port {
		n = n*10 + int(c-'0')
		if n > 65535 {
			return false
		}
	}
	return n > 0 && port[0] != '0'
}

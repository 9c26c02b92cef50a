package client_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// public and confidential are clients without exceptions.
func public() client.Client {
	return client.Client{ID: "public", RedirectURIs: []string{
		"https://c.test/cb", "http://localhost/cb", "http://localhost:5173/other", "http://127.0.0.1/cb", "com.example.app:/cb",
	}, PostLogoutRedirectURIs: []string{"http://localhost/bye"}}
}

func confidential() client.Client {
	return client.Client{ID: "confidential", Secret: "s", RedirectURIs: []string{"https://c.test/cb", "http://127.0.0.1/cb"}}
}

// texts are the problems of a client, as text.
func texts(c client.Client) []string {
	var out []string
	for _, p := range c.Problems(client.Limits{Scopes: []string{"openid", "profile"}}) {
		out = append(out, p.Error())
	}
	return out
}

func TestExceptionsAreJudged(t *testing.T) {
	t.Parallel()
	set := func(c client.Client, change func(*client.Client)) client.Client { change(&c); return c }
	for _, tt := range []struct {
		name string
		c    client.Client
		want string // "" for none
	}{
		{"a nonce in place of a challenge", set(confidential(), func(c *client.Client) { c.PKCE = client.PKCENonce }), ""},
		{"no challenge", set(confidential(), func(c *client.Client) { c.PKCE = client.PKCEOff }), ""},
		{"a public client without a challenge", set(public(), func(c *client.Client) { c.PKCE = client.PKCENonce }), "pkce: a public client has nothing but PKCE"},
		{"a nonce without ID tokens", set(confidential(), func(c *client.Client) { c.PKCE, c.Scopes = client.PKCENonce, []string{"profile"} }), "pkce: only ID tokens have a nonce"},
		{"no challenge without codes", set(confidential(), func(c *client.Client) { c.PKCE, c.Grants = client.PKCEOff, []string{client.GrantClientCredentials} }), "pkce: has no effect without the grant authorization_code"},
		{"no challenge for another app's scheme", set(confidential(), func(c *client.Client) {
			c.PKCE, c.RedirectURIs = client.PKCEOff, []string{"https://c.test/cb", "com.example.app:/cb"}
		}), "pkce: without PKCE, another app could use a code that com.example.app:/cb brings"},
		{"a word that there is not", set(confidential(), func(c *client.Client) { c.PKCE = "plain" }), `pkce: unknown value "plain"; known: nonce, off`},
		{"any port of localhost", set(public(), func(c *client.Client) { c.Loopback = client.LoopbackLocalhost }), ""},
		{"any port of localhost for a secret", set(confidential(), func(c *client.Client) { c.Loopback = client.LoopbackLocalhost }), "loopback: is for programs on people's own machines"},
		{"any port of another host", set(public(), func(c *client.Client) { c.Loopback = "127.0.0.2" }), `loopback: unknown value "127.0.0.2"; known: localhost`},
		{"any port of no URI", set(public(), func(c *client.Client) {
			c.Loopback, c.RedirectURIs, c.PostLogoutRedirectURIs = client.LoopbackLocalhost, []string{"http://127.0.0.1/cb"}, nil
		}), "loopback: has no effect: no redirect URI is on http://localhost"},
		{"schemes without a dot", set(public(), func(c *client.Client) {
			c.RedirectSchemes, c.RedirectURIs = []string{"cursor", "vscode", "exp", "myapp"}, []string{"cursor://a.b/cb", "vscode://pub.ext/cb", "exp://192.168.1.5:8081/--/cb", "myapp:/cb"}
		}), ""},
		{"a scheme for a secret", set(confidential(), func(c *client.Client) { c.RedirectSchemes = []string{"cursor"} }), "redirect_schemes: is for apps on people's own devices"},
		{"a scheme that no URI has", set(public(), func(c *client.Client) { c.RedirectSchemes = []string{"cursor"} }), "redirect_schemes: has no effect: no redirect URI begins with cursor:"},
		{"a scheme that has a dot", set(public(), func(c *client.Client) { c.RedirectSchemes = []string{"com.example.app"} }), "needs no exception"},
		{"a scheme in capitals", set(public(), func(c *client.Client) { c.RedirectSchemes = []string{"Cursor"} }), "want a scheme in lower case"},
		{"a scheme with its colon", set(public(), func(c *client.Client) { c.RedirectSchemes = []string{"cursor://"} }), "want a scheme in lower case"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := texts(tt.c)
			if tt.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], tt.want) || tt.want == "" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestDangerousSchemesHaveNoException(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "about:blank", "blob:x", "view-source:https://c.test",
		"intent://cb", "mailto:a@b.test", "ws://c.test/", "ftp://c.test/", "chrome-extension://abc/", "ms-settings:x", "sms:1", "http://c.test/cb", "x:/cb",
	} {
		scheme, _, _ := strings.Cut(uri, ":")
		c := client.Client{ID: "c", RedirectURIs: []string{uri}, Exceptions: client.Exceptions{RedirectSchemes: []string{scheme}}}
		if len(texts(c)) == 0 {
			t.Errorf("%s can be registered", uri)
		}
		if c.MatchRedirectURI(uri) {
			t.Errorf("%s matches", uri)
		}
	}
}

func TestRedirectsByException(t *testing.T) {
	t.Parallel()
	local, scheme := public(), public()
	local.Loopback = client.LoopbackLocalhost
	scheme.RedirectSchemes = []string{"cursor"}
	scheme.RedirectURIs = append(scheme.RedirectURIs, "cursor://a.b/cb", "vscode://a.b/cb")
	byLoopback := []string{"http://localhost:58135/cb", "http://localhost:1/other", "http://localhost/other"}
	for _, uri := range byLoopback {
		if !local.MatchRedirectURI(uri) {
			t.Errorf("%s is refused", uri)
		}
		if public().MatchRedirectURI(uri) || scheme.MatchRedirectURI(uri) {
			t.Errorf("%s matches without the exception", uri)
		}
	}
	if !local.MatchPostLogout("http://localhost:3/bye") || public().MatchPostLogout("http://localhost:3/bye") {
		t.Error("post-logout redirect URIs")
	}
	for _, uri := range []string{
		"http://localhost:58135/cb2", "https://localhost:58135/cb", "http://localhost.evil.test/cb", "http://localhost:1@evil.test/cb", "http://localhost:/cb",
		"http://localhost:0/cb", "http://localhost:65536/cb", "http://LOCALHOST:1/cb", "http://127.0.0.1:1/other", "http://[::1]:1/cb", "http://localhost#/cb",
	} {
		if local.MatchRedirectURI(uri) {
			t.Errorf("%s matches", uri)
		}
	}
	if !scheme.MatchRedirectURI("cursor://a.b/cb") || scheme.MatchRedirectURI("vscode://a.b/cb") || scheme.MatchRedirectURI("cursor://a.b/cb2") {
		t.Error("a scheme allows its own registered URIs alone")
	}
	withSecret := local
	withSecret.Secret, withSecret.RedirectSchemes, withSecret.RedirectURIs = "s", []string{"cursor"}, append(slices.Clone(local.RedirectURIs), "cursor://a.b/cb")
	for _, uri := range append(byLoopback[:2:2], "cursor://a.b/cb") {
		if withSecret.MatchRedirectURI(uri) {
			t.Errorf("a confidential client gets a code at %s", uri)
		}
	}
}

func TestNeedsChallenge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		c             client.Client
		plain, openID bool
	}{
		{"a public client, whatever it says", client.Client{Exceptions: client.Exceptions{PKCE: client.PKCEOff}}, true, true},
		{"a client without the exception", confidential(), true, true},
		{"nonce", client.Client{Secret: "s", Exceptions: client.Exceptions{PKCE: client.PKCENonce}}, true, false},
		{"off", client.Client{Secret: "s", Exceptions: client.Exceptions{PKCE: client.PKCEOff}}, false, false},
		{"a word that there is not", client.Client{Secret: "s", Exceptions: client.Exceptions{PKCE: "no"}}, true, true},
	} {
		if plain, openID := tt.c.NeedsChallenge(false), tt.c.NeedsChallenge(true); plain != tt.plain || openID != tt.openID {
			t.Errorf("%s: %v without a nonce, %v with one", tt.name, plain, openID)
		}
	}
}

func TestClientIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"shop", "a:b", "a@b", "a@example.com", "https://app.example.com/x", "urn:example:app:1", "api://4f1c", "app+test", "a?b=c&d", "A.b_c~d-e"} {
		if err := client.CheckID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", " ", "a b", "a#b", "#a", ":a", "@a", "/a", "../a", "<b>", `a"b`, `a\b`, "a'b", "a%20b", "a\x00", "a\n", "ä", strings.Repeat("a", 101)} {
		if client.CheckID(id) == nil {
			t.Errorf("%q is an id", id)
		}
	}
}

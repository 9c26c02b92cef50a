package stacktest_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

// TestIssuerWithPath has the stack at a custom domain that maps it under a key,
// and under the name of a stage.
func TestIssuerWithPath(t *testing.T) {
	for name, c := range map[string]stacktest.Config{
		"a custom domain": {TLS: true, Mapping: "auth"},
		"a named stage":   {TLS: true, Stage: "prod"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, c)
			t.Run("the documents", w.documents)
			t.Run("tokens", w.guarded)
			t.Run("pages", w.pages)
			if c.Mapping != "" {
				t.Run("the root of the host", w.root)
			}
			if t.Failed() {
				t.Log(w.Log)
			}
		})
	}
}

// documents says that all we name is under the issuer, and answers.
func (w *world) documents(t *testing.T) {
	_, text := w.ask(t, "GET", "/.well-known/openid-configuration", "", "")
	var metadata map[string]any
	if err := json.Unmarshal([]byte(text), &metadata); err != nil || metadata["issuer"] != w.Issuer {
		t.Fatalf("%v: %s", err, text)
	}
	n := 0
	for name, value := range metadata {
		address, _ := value.(string)
		if !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" {
			continue
		}
		n++
		if !strings.HasPrefix(address, w.Issuer+"/") {
			t.Errorf("%s is %s", name, address)
		}
		if status, _ := w.ask(t, "GET", address, "", ""); status == 404 && name != "token_endpoint" && name != "revocation_endpoint" && name != "introspection_endpoint" && name != "device_authorization_endpoint" {
			t.Errorf("%s: 404", address)
		}
	}
	if n < 6 {
		t.Errorf("%d addresses: %s", n, text)
	}
	if status, again := w.ask(t, "GET", "/.well-known/oauth-authorization-server", "", ""); status != 200 || again != text {
		t.Errorf("%d %s", status, again)
	}
}

func (w *world) guarded(t *testing.T) {
	tokens := w.tokens(t, "lin")
	for path, want := range map[string]string{"/me": "lin@example.com", "/userinfo": "lin@example.com", "/notes": "[]"} {
		if status, body := w.ask(t, "GET", path, tokens.AccessToken, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := w.ask(t, "GET", "/users", tokens.AccessToken, ""); status != 403 {
		t.Errorf("/users: %d", status)
	}
	if a := w.token(t, renewal(tokens.RefreshToken)); a.status != 200 {
		t.Errorf("renewal: %d", a.status)
	}
}

// root says what is at the host itself, beside the issuer's path.
func (w *world) root(t *testing.T) {
	host := strings.TrimSuffix(w.Issuer, "/auth")
	_, want := w.ask(t, "GET", "/.well-known/openid-configuration", "", "")
	// RFC 8414, Section 3.1
	if status, got := w.ask(t, "GET", host+"/.well-known/oauth-authorization-server/auth", "", ""); status != 200 || got != want {
		t.Errorf("metadata: %d %s", status, got)
	}
	if status, _ := w.ask(t, "GET", host+"/.well-known/oauth-authorization-server/other", "", ""); status != 404 {
		t.Errorf("another's metadata: %d", status)
	}
	if status, _ := w.ask(t, "GET", host+"/.well-known/jwks.json", "", ""); status != 200 {
		t.Errorf("keys: %d", status)
	}
}

// pages signs Ada in and goes wherever links lead.
func (w *world) pages(t *testing.T) {
	issuer, err := url.Parse(w.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	v := w.visitor(t)
	if p := v.open(t, w.Issuer+"/account", nil); p.StatusCode != 303 || !strings.HasPrefix(p.Header.Get("Location"), issuer.Path+"/login") && !strings.HasPrefix(p.Header.Get("Location"), w.Issuer+"/login") {
		t.Errorf("/account without a session: %d to %s", p.StatusCode, p.Header.Get("Location"))
	}
	cookies := 0
	for _, p := range v.signIn(t, "ada") {
		for _, c := range p.Cookies() {
			cookies++
			if !strings.HasPrefix(c.Name, "__Host-") || c.Path != "/" || !c.Secure || !c.HttpOnly || c.Domain != "" {
				t.Errorf("cookie %s of %s", c.Name, p.Request.URL.Path)
			}
		}
		if to := p.Header.Get("Location"); strings.HasPrefix(to, w.Demo) && !strings.Contains(to, url.QueryEscape(w.Issuer+"/callback/demo")) {
			t.Errorf("the provider is told to come back elsewhere: %s", to)
		}
	}
	if cookies < 3 { // the flow's, its end, and the session
		t.Errorf("%d cookies", cookies)
	}
	under := func(link string) bool {
		return strings.HasPrefix(link, w.Issuer+"/") || strings.HasPrefix(link, issuer.Path+"/")
	}
	seen, todo := map[string]bool{}, []string{w.Issuer + "/account", w.Issuer + "/login"}
	for len(todo) > 0 {
		address := todo[0]
		todo = todo[1:]
		if seen[address] {
			continue
		}
		seen[address] = true
		p := v.open(t, address, nil)
		if p.StatusCode != 200 && p.StatusCode != 303 {
			t.Errorf("%s: %d", address, p.StatusCode)
		}
		if policy := p.Header.Get("Content-Security-Policy"); p.StatusCode == 200 && strings.Contains(p.text, "<form") && !strings.Contains(policy, "form-action 'self'") {
			t.Errorf("%s: the policy is %q", address, policy)
		}
		for _, link := range append(p.links("href"), p.links("action")...) {
			if !under(link) {
				t.Errorf("%s leads to %s", address, link)
			}
		}
		for _, link := range p.links("href") {
			if to, err := p.Request.URL.Parse(link); err == nil {
				todo = append(todo, to.String())
			}
		}
	}
	for _, want := range []string{"/account", "/account/export", "/admin/users", "/admin/audit", "/admin/keys", "/logout"} {
		if !seen[w.Issuer+want] {
			t.Errorf("no page leads to %s", want)
		}
	}
}

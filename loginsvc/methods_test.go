package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, allow := range map[string]string{
		"/authorize":             "GET, HEAD, OPTIONS, POST",
		"/login":                 "GET, HEAD, OPTIONS",
		"/consent":               "OPTIONS, POST",
		"/logout":                "GET, HEAD, OPTIONS, POST",
		"/callback/demo":         "GET, HEAD, OPTIONS, POST",
		"/account":               "GET, HEAD, OPTIONS, POST",
		"/admin/keys":            "GET, HEAD, OPTIONS",
		"/token":                 "OPTIONS, POST",
		"/introspect":            "OPTIONS, POST",
		"/userinfo":              "GET, HEAD, OPTIONS, POST",
		"/.well-known/jwks.json": "GET, HEAD, OPTIONS",
		"/.well-known/oauth-authorization-server": "GET, HEAD, OPTIONS",
		"/revocations": "GET, HEAD, OPTIONS",
	} {
		for _, method := range []string{"PUT", "DELETE", "PATCH", "GET", "POST"} {
			if strings.Contains(allow, method) {
				continue
			}
			a := w.program().do(method, path, nil)
			if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != allow || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d, Allow %q", method, path, a.StatusCode, a.Header.Get("Allow"))
			}
		}
		if a := w.program().do(http.MethodOptions, path, nil); a.StatusCode != http.StatusNoContent || a.body != "" {
			t.Errorf("OPTIONS %s: %d", path, a.StatusCode)
		}
	}
	t.Run("a refusal suits who asks", func(t *testing.T) {
		if a := w.browser().do(http.MethodDelete, "/login", nil); !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			t.Errorf("a browser gets %s", a.Header.Get("Content-Type"))
		}
		w.program().get("/token", "Origin", "https://app.test").oauthError(t, http.StatusMethodNotAllowed, "method_not_allowed")
		if a := w.program().get("/token", "Origin", "https://app.test"); a.Header.Get("Access-Control-Allow-Origin") != "https://app.test" {
			t.Error("a script cannot read the refusal")
		}
	})
	t.Run("HEAD is GET without a body", func(t *testing.T) {
		for _, path := range []string{"/login", "/device", "/account", "/admin/users", "/authorize", "/userinfo", "/revocations", "/.well-known/jwks.json", "/authorize?" + authorize().Encode()} {
			get, head := w.browser().get(path), w.browser().do(http.MethodHead, path, nil)
			if head.StatusCode != get.StatusCode || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.body != "" {
				t.Errorf("%s: %d %q, and GET %d %q", path, head.StatusCode, head.Header.Get("Content-Type"), get.StatusCode, get.Header.Get("Content-Type"))
			}
		}
	})
	t.Run("any script can read a document", func(t *testing.T) {
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json", "/revocations"} {
			a := w.program().do(http.MethodOptions, path, nil, "Origin", "https://inspector.test", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "mcp-protocol-version")
			if a.StatusCode != http.StatusNoContent || a.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(a.Header.Get("Access-Control-Allow-Headers"), "*") {
				t.Errorf("%s: %d %v", path, a.StatusCode, a.Header)
			}
		}
		if a := w.program().do(http.MethodOptions, "/account", nil, "Origin", "https://inspector.test", "Access-Control-Request-Method", "GET"); a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("a page lets scripts read it")
		}
	})
}

// Mail scanners and previews send HEAD to look at a link.
func TestHeadEndsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := b.get("/authorize?" + authorize().Encode())
	callback := b.post(a.location().String(), url.Values{"user": {"lin"}}).location()
	if head := b.do(http.MethodHead, callback.String(), nil); head.StatusCode != http.StatusOK || b.cookie() != "" {
		t.Errorf("HEAD of a callback: %d, session %q", head.StatusCode, b.cookie())
	}
	back := b.follow("lin", b.get(callback.String()))
	rawID, _ := w.tokens(back.location().Query().Get("code"))["id_token"].(string)
	if rawID == "" || b.cookie() == "" {
		t.Fatal("the callback was used up")
	}
	b.do(http.MethodHead, "/logout?"+url.Values{"id_token_hint": {rawID}}.Encode(), nil)
	if a := b.get("/account"); a.StatusCode != http.StatusOK {
		t.Errorf("HEAD of a sign-out has ended the session: %d", a.StatusCode)
	}
}

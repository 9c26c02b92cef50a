package loginsvc_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

const toolID = "https://tool.example.org/client.json"

// withDocument lets in the client of a metadata document, and lists a resource.
func withDocument(fault *client.DocumentError) func(*loginsvc.Config) {
	return func(c *loginsvc.Config) {
		registered := c.Clients
		terms := client.Client{ThirdParty: true, Scopes: []string{"openid", "offline_access"}, Audiences: []string{"https://api.test/mcp"}}
		c.Clients = func(ctx context.Context, id string) (client.Client, error) {
			if id != toolID {
				return registered(ctx, id)
			}
			if fault != nil {
				return client.Client{}, fault
			}
			return client.ParseDocument(toolID, []byte(`{"client_id":"`+toolID+`","client_name":"Claude","redirect_uris":["http://127.0.0.1/callback","https://tool.example.org/cb"]}`), terms)
		}
		c.Documents = true
		c.Resources = []loginsvc.Resource{
			{URL: "https://api.test/mcp", Name: "Notes", Scopes: []string{"notes:read"}},
			{URL: c.Issuer, Name: "Root"}, {URL: strings.TrimSuffix(c.Issuer, "/") + "/own/mcp", Scopes: []string{"own:read"}},
		}
	}
}

func toolAuthorize(change ...string) url.Values {
	return authorize(append([]string{"client_id", toolID, "redirect_uri", "https://tool.example.org/cb", "scope", "openid offline_access", "resource", "https://api.test/mcp"}, change...)...)
}

func TestUnregistered(t *testing.T) {
	t.Parallel()
	t.Run("the page names the host, and what it chose for itself only beside it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, withDocument(nil))
		b := w.browser()
		page := b.authorizeAs("lin", toolAuthorize())
		page.page(t, http.StatusOK, "Claude (tool.example.org)")
		for _, want := range []string{`<p class="code">tool.example.org</p>`, "Anybody can register an app", "Notes (api.test/mcp)"} {
			if !strings.Contains(page.body, want) {
				t.Errorf("not on the page: %s", want)
			}
		}
		if strings.Contains(page.body, "on this computer") {
			t.Error("warns of a program on the computer")
		}
		code := b.answerConsent(page, "allow").location().Query().Get("code")
		got := w.tokens(code, "client_id", toolID, "redirect_uri", "https://tool.example.org/cb", "resource", "https://api.test/mcp")
		raw, _ := got["access_token"].(string)
		access, err := token.VerifyAccess(t.Context(), raw, w.published(), token.Expect{Issuer: issuer, Audience: "https://api.test/mcp", Now: w.now()})
		if err != nil {
			t.Fatal(err)
		}
		if access.ClientID != toolID || access.Audience != "https://api.test/mcp" || len(access.Roles) != 0 {
			t.Errorf("%+v", access)
		}
		got = w.renew(got["refresh_token"], "client_id", toolID)
		if b.authorizeAs("lin", toolAuthorize()).location() == nil {
			t.Error("asked a second time, although the answer goes to the host of the document")
		}
		if page := b.get("/account").body; !strings.Contains(page, "tool.example.org") {
			t.Error("the account page does not show it")
		}
		if err := w.config.Users.WithdrawConsent(t.Context(), usersvc.By{UserID: access.Subject}, toolID); err != nil {
			t.Fatal(err)
		}
		w.refuses(got["refresh_token"], "client_id", toolID)
	})
	t.Run("a program on the computer is asked about each time", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, withDocument(nil))
		b := w.browser()
		local := toolAuthorize("redirect_uri", "http://127.0.0.1:5123/callback")
		for range 2 {
			page := b.authorizeAs("lin", local)
			page.page(t, http.StatusOK, "on this computer")
			if to := b.answerConsent(page, "allow").location(); to == nil || to.Host != "127.0.0.1:5123" {
				t.Errorf("sent to %v", to)
			}
		}
		b.get("/authorize?"+toolAuthorize("redirect_uri", "http://127.0.0.1:5123/callback", "prompt", "none").Encode()).refused(t, "consent_required")
	})
	t.Run("a document that cannot be used is a page that names host and fault, never a redirect", func(t *testing.T) {
		t.Parallel()
		for _, fault := range []client.DocumentError{{Host: "tool.example.org", Fault: "its client_id is not its own address"}, {Host: "tool.example.org", Fault: "it took longer than a second", Temporary: true}} {
			w := newWorld(t, withDocument(&fault))
			want := http.StatusBadRequest
			if fault.Temporary {
				want = http.StatusServiceUnavailable
			}
			page := w.browser().get("/authorize?"+toolAuthorize().Encode(), "Accept", "text/html")
			page.page(t, want, fault.Fault)
			if !strings.Contains(page.body, "tool.example.org") || page.Header.Get("Location") != "" {
				t.Errorf("%v %s", page.Header, page.body)
			}
			w.browser().get("/logout?"+url.Values{"client_id": {toolID}, "post_logout_redirect_uri": {"https://evil.test"}}.Encode()).page(t, http.StatusOK, "")
			token := w.program().post("/token", redemption("x", "client_id", toolID))
			if token.StatusCode == http.StatusOK || token.StatusCode == http.StatusInternalServerError {
				t.Errorf("token: %d", token.StatusCode)
			}
		}
	})
	t.Run("one source cannot cause many fetches", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, withDocument(&client.DocumentError{Host: "tool.example.org", Fault: "x"}))
		w.onTheHour(t)
		for range 20 {
			w.browser().get("/authorize?"+toolAuthorize().Encode()).page(t, http.StatusBadRequest, "")
		}
		if a := w.browser().get("/authorize?" + toolAuthorize().Encode()); a.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%d", a.StatusCode)
		}
		w.jump(t, time.Minute)
		w.browser().get("/authorize?"+toolAuthorize().Encode()).page(t, http.StatusBadRequest, "")
	})
}

func TestResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withDocument(nil))
	p := w.program()
	described := map[string]any{}
	if err := json.Unmarshal([]byte(p.get("/.well-known/oauth-authorization-server").body), &described); err != nil {
		t.Fatal(err)
	}
	if described["client_id_metadata_document_supported"] != true || len(described["protected_resources"].([]any)) != 3 {
		t.Errorf("%v", described)
	}
	for path, want := range map[string]string{
		"/.well-known/oauth-protected-resource":         w.config.Issuer,
		"/.well-known/oauth-protected-resource/own/mcp": w.config.Issuer + "/own/mcp",
	} {
		a := p.get(path)
		var got struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.Resource != want || !slices.Equal(got.Servers, []string{w.config.Issuer}) || a.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %s %v", path, a.StatusCode, a.body, err)
		}
	}
	for _, path := range []string{"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource/own/mcp/", "/.well-known/oauth-protected-resource/own", "/.well-known/oauth-protected-resource/"} {
		if a := p.get(path); a.StatusCode == http.StatusOK {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

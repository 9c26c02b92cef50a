package loginsvc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func TestAccountScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *loginsvc.Config) {
		clients := slices.Clone(defaultClients)
		for i := range clients {
			if slices.Contains([]string{"spa", "ext", "robot"}, clients[i].ID) {
				clients[i].Scopes = append(slices.Clone(clients[i].Scopes), client.ScopeAccount)
			}
		}
		c.Clients = client.List(clients).Lookup
	})
	granted := func(scope string) []string {
		answer := w.tokens(w.browser().code("lin", "scope", scope))
		scopes, _ := answer["scope"].(string)
		return append(strings.Fields(scopes), w.access(answer["access_token"]).Scopes...)
	}
	if got := granted("openid account"); !slices.Contains(got, "account") {
		t.Error("asked for by name:", got)
	}
	for _, scope := range []string{"", "openid", "openid profile email"} {
		if got := granted(scope); slices.Contains(got, "account") {
			t.Errorf("granted for %q: %v", scope, got)
		}
	}
	b := w.browser()
	page := b.authorizeAs("lin", extAuthorize("scope", "openid account"))
	code := b.answerConsent(page, "allow").location().Query().Get("code")
	if got := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb"); got["scope"] != "openid" || slices.Contains(w.access(got["access_token"]).Scopes, "account") {
		t.Errorf("a third-party client has %v", got["scope"])
	}
	w.browser().authorizeAs("lin", extAuthorize("scope", "account")).page(t, http.StatusBadRequest, "")
	if a := w.program().post("/token", redemption("", "grant_type", "client_credentials", "client_id", "robot", "client_secret", "robot-secret", "scope", "account")); a.StatusCode == 200 {
		t.Error("a machine:", a.body)
	}
}

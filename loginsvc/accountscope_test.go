package loginsvc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func TestOwnScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *loginsvc.Config) {
		clients := slices.Clone(defaultClients)
		for i := range clients {
			if slices.Contains([]string{"spa", "ext", "robot"}, clients[i].ID) {
				clients[i].Scopes = append(slices.Clone(clients[i].Scopes), client.ScopeAccount, client.ScopeAdmin)
			}
		}
		c.Clients = client.List(clients).Lookup
	})
	granted := func(user, scope string) []string {
		answer := w.tokens(w.browser().code(user, "scope", scope))
		scopes, _ := answer["scope"].(string)
		return append(strings.Fields(scopes), w.access(answer["access_token"]).Scopes...)
	}
	if got := granted("lin", "openid account admin"); !slices.Contains(got, "account") || slices.Contains(got, "admin") {
		t.Error("asked for by name, without the role:", got)
	}
	if got := granted("ada", "openid admin"); !slices.Contains(got, "admin") || slices.Contains(got, "account") {
		t.Error("asked for by name, with the role:", got)
	}
	for _, scope := range []string{"", "openid", "openid profile email"} {
		if got := granted("ada", scope); slices.Contains(got, "account") || slices.Contains(got, "admin") {
			t.Errorf("granted for %q: %v", scope, got)
		}
	}
	b := w.browser()
	page := b.authorizeAs("lin", extAuthorize("scope", "openid account"))
	code := b.answerConsent(page, "allow").location().Query().Get("code")
	if got := w.tokens(code, "client_id", "ext", "redirect_uri", "https://ext.test/cb"); got["scope"] != "openid" || strings.Join(w.access(got["access_token"]).Scopes, " ") != "openid" {
		t.Errorf("a third-party client has %v", got["scope"])
	}
	for _, scope := range []string{"account", "admin"} {
		w.browser().authorizeAs("ada", extAuthorize("scope", scope)).page(t, http.StatusBadRequest, "")
		if a := w.program().post("/token", redemption("", "grant_type", "client_credentials", "client_id", "robot", "client_secret", "robot-secret", "scope", scope)); a.StatusCode == 200 {
			t.Error("a machine:", a.body)
		}
	}
}

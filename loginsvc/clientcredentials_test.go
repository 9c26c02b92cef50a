package loginsvc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(change ...string) answer {
		t.Helper()
		v := url.Values{"grant_type": {"client_credentials"}, "client_id": {"robot"}, "client_secret": {"robot-secret"}}
		for i := 0; i < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return w.program().post("/token", v)
	}
	t.Run("a token of the client itself", func(t *testing.T) {
		got := ask("scope", "notes:read").json(t)
		a := w.access(got["access_token"])
		if a.Subject != "robot" || a.ClientID != "robot" || strings.Join(a.Scopes, " ") != "notes:read" || len(a.Roles) != 0 || a.SessionID != "" || !a.AuthTime.IsZero() {
			t.Errorf("%+v", a)
		}
		if len(got) != 4 || got["token_type"] != "Bearer" || got["scope"] != "notes:read" {
			t.Errorf("%v", got)
		}
		if a := w.program().get("/userinfo", "Authorization", "Bearer "+got["access_token"].(string)); a.StatusCode != http.StatusForbidden {
			t.Errorf("userinfo: %d", a.StatusCode)
		}
		told := w.program().post("/introspect", url.Values{"client_id": {"robot"}, "client_secret": {"robot-secret"}, "token": {got["access_token"].(string)}}).json(t)
		if told["active"] != true || told["sub"] != "robot" {
			t.Errorf("introspection: %v", told)
		}
		w.program().post("/revoke", url.Values{"client_id": {"robot"}, "client_secret": {"robot-secret"}, "token": {got["access_token"].(string)}}).json(t)
		told = w.program().post("/introspect", url.Values{"client_id": {"robot"}, "client_secret": {"robot-secret"}, "token": {got["access_token"].(string)}}).json(t)
		if told["active"] != false || !w.feed().Revoked(a) {
			t.Errorf("after its revocation: %v", told)
		}
		if judged := w.program().get("/revocations", "Authorization", "Bearer "+got["access_token"].(string)).json(t); judged["active"] != false {
			t.Errorf("after its revocation: %v", judged)
		}
	})
	t.Run("without a scope it gets all its own", func(t *testing.T) {
		if got := ask().json(t)["scope"]; got != "notes:read notes:write" {
			t.Errorf("%v", got)
		}
	})
	t.Run("S66 no scope beyond, and none about a user", func(t *testing.T) {
		for _, scope := range []string{"admin", "openid", "offline_access", "notes:read profile"} {
			ask("scope", scope).oauthError(t, 400, "invalid_scope")
		}
		ask("resource", "https://evil.test").oauthError(t, 400, "invalid_target")
	})
	t.Run("only for clients with a secret and the grant", func(t *testing.T) {
		ask("client_secret", "wrong").oauthError(t, 401, "invalid_client")
		ask("client_id", "web", "client_secret", webSecret).oauthError(t, 400, "unauthorized_client")
		w.config.Clients = client.List{
			{ID: "robot", Grants: []string{client.GrantClientCredentials}},
			{ID: "u_1", Secret: "x", Grants: []string{client.GrantClientCredentials}},
		}.Lookup
		w.rebuild()
		ask("client_secret", "").oauthError(t, 400, "unauthorized_client")
		ask("client_id", "u_1", "client_secret", "x").oauthError(t, 400, "unauthorized_client")
	})
	t.Run("the key is out of reach", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.key.fail = keys.ErrUnavailable
		w.program().post("/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"robot"}, "client_secret": {"robot-secret"}}).oauthError(t, 503, "temporarily_unavailable")
	})
}

package loginsvc_test

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestIntrospectWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ext := defaultClients[3]
	ext.Secret = "ext-secret"
	w.with(ext)
	b := w.browser()
	code := b.answerConsent(b.authorizeAs("lin", extAuthorize()), "allow").location().Query().Get("code")
	got := w.tokens(code, "client_id", "ext", "client_secret", "ext-secret", "redirect_uri", "https://ext.test/cb")
	active := func() any {
		t.Helper()
		return w.program().post("/introspect", revoking(got["refresh_token"], "client_id", "ext", "client_secret", "ext-secret")).json(t)["active"]
	}
	if active() != true {
		t.Error("it is dead from the start")
	}
	user := w.access(got["access_token"]).Subject
	if err := w.config.Users.WithdrawConsent(t.Context(), usersvc.By{UserID: user}, "ext"); err != nil {
		t.Fatal(err)
	}
	if active() != false {
		t.Error("a refresh token without consent passes for one that is good")
	}
}

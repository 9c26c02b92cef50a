package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

// TestSuspendOneself is what a visitor of the tour does: suspend themselves, be
// refused, come back.
func TestSuspendOneself(t *testing.T) {
	t.Parallel()
	s := running(t, server.Options{})
	lin, ada := tokens(t, s, "lin").AccessToken, tokens(t, s, "ada").AccessToken
	activate := func(secret string) int {
		t.Helper()
		res, err := http.PostForm(s.Issuer+"/demo/activate", url.Values{"way_back": {secret}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}

	if got := ask(t, "POST", s.Issuer+"/demo/suspend", ""); got.status != 401 {
		t.Errorf("a stranger: %d", got.status)
	}
	if got := ask(t, "POST", s.Issuer+"/demo/suspend", ada); got.status != 409 || !strings.Contains(got.body, "you are the only admin") {
		t.Errorf("the only admin: %d %s", got.status, got.body)
	}
	suspended := ask(t, "POST", s.Issuer+"/demo/suspend", lin)
	wayBack, _ := suspended.json(t)["way_back"].(string)
	if suspended.status != 200 || wayBack == "" {
		t.Fatal(suspended.status, suspended.body)
	}
	refused := func() {
		t.Helper()
		got := ask(t, "GET", s.Issuer+"/demo/fresh", lin)
		if why := got.header.Get("X-Gatehouse-Reason"); got.status != 403 || !strings.Contains(why, "reason=revoked") {
			t.Errorf("%d %s", got.status, why)
		}
	}
	refused()
	for _, secret := range []string{"", "x", strings.ToLower(wayBack)} {
		if status := activate(secret); status != 404 {
			t.Errorf("%q: %d", secret, status)
		}
	}
	if status := activate(wayBack); status != 204 {
		t.Errorf("the way back: %d", status)
	}
	if status := activate(wayBack); status != 404 {
		t.Errorf("the way back, once more: %d", status)
	}
	refused() // the old token stays dead
	if got := ask(t, "GET", s.Issuer+"/demo/fresh", tokens(t, s, "lin").AccessToken); got.status != 200 {
		t.Errorf("after signing in again: %d", got.status)
	}
}

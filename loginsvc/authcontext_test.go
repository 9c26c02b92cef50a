package loginsvc_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// What the provider says about the authentication reaches the client in its words,
// or not at all.
func TestAuthenticationContext(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		acr, amr any
		wantACR  string
		wantAMR  []string
	}{
		{"as the provider says", "urn:example:gold", []any{"pwd", "otp"}, "urn:example:gold", []string{"pwd", "otp"}},
		{"nothing", nil, nil, "", nil},
		{"an acr that is a number", 1, []any{"pwd"}, "", nil},
		{"an amr that is a string", "1", "pwd", "", nil},
		{"an amr with a number", "1", []any{"pwd", 2}, "", nil},
		{"an amr with null", "1", []any{nil}, "", nil},
		{"an acr that is too long", strings.Repeat("x", 300), nil, "", nil},
		{"an amr that is too long", nil, slices.Repeat([]any{"pwd"}, 100), "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.claims(func(c map[string]any) {
				for name, value := range map[string]any{"acr": tc.acr, "amr": tc.amr} {
					if value != nil {
						c[name] = value
					}
				}
			})
			id := w.idToken(w.tokens(w.browser().code("lin"))["id_token"], "spa")
			if id.ACR != tc.wantACR || !slices.Equal(id.AMR, tc.wantAMR) {
				t.Errorf("acr %q, amr %q", id.ACR, id.AMR)
			}
		})
	}
}

// A renewal does not ask the provider, and does not say that it did.
func TestRenewalHasNoAuthenticationContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.claims(func(c map[string]any) { c["acr"], c["amr"] = "gold", []any{"otp"} })
	first := w.tokens(w.browser().code("lin", "scope", "openid offline_access"))
	refresh, _ := first["refresh_token"].(string)
	a := w.program().post("/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {refresh}})
	id := w.idToken(a.json(t)["id_token"], "spa")
	if id.ACR != "" || id.AMR != nil || !id.AuthTime.Equal(w.idToken(first["id_token"], "spa").AuthTime) {
		t.Errorf("acr %q, amr %q, auth_time %v", id.ACR, id.AMR, id.AuthTime)
	}
}

package identity_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity"
)

const (
	secret = "a-secret-of-32-bytes-or-a-few-more"
	second = "another-secret-that-is-long-enough"
)

// headersOf are the headers that a gateway maps for who.
func headersOf(who identity.Identity) http.Header {
	h := http.Header{"X-Gatehouse-Secret": {secret}}
	for member, value := range who.Map() {
		h.Set("X-Gatehouse-"+strings.ReplaceAll(member, "_", "-"), fmt.Sprint(value))
	}
	return h
}

// through sends a request with the headers through the middleware, and returns the
// status and who the handler saw.
func through(t *testing.T, h http.Header) (int, identity.Identity) {
	t.Helper()
	var who identity.Identity
	handler, err := identity.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, _ = identity.FromContext(r.Context())
		if r.Header.Get("X-Gatehouse-Secret") != "" {
			t.Error("the handler sees the secret")
		}
	}), second, secret)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/orders", nil)
	r.Header = h
	before := h.Clone()
	rw := httptest.NewRecorder()
	handler.ServeHTTP(rw, r)
	if diff := cmp.Diff(before, r.Header); diff != "" {
		t.Error("the request was changed: " + diff)
	}
	return rw.Code, who
}

func TestMiddleware(t *testing.T) {
	user, machine := ada(), identity.Identity{Subject: "job", ClientID: "job", Scopes: []string{"a"}}
	withoutRoles := ada()
	withoutRoles.Roles = []string{}
	for name, want := range map[string]identity.Identity{"a user": user, "a machine": machine, "a user without roles": withoutRoles, "nobody": {}} {
		t.Run(name, func(t *testing.T) {
			status, who := through(t, headersOf(want))
			if diff := cmp.Diff(want, who); diff != "" || status != 200 {
				t.Error(status, diff)
			}
		})
	}
	change := func(changes ...string) http.Header {
		h := headersOf(ada())
		for i := 0; i < len(changes); i += 2 {
			h[changes[i]] = append(h[changes[i]], changes[i+1])
		}
		return h
	}
	without := func(names ...string) http.Header {
		h := headersOf(ada())
		for _, name := range names {
			delete(h, name)
		}
		return h
	}
	set := func(name, value string) http.Header { h := headersOf(ada()); h.Set(name, value); return h }

	for name, h := range map[string]http.Header{
		"no secret":                 without("X-Gatehouse-Secret"),
		"an empty secret":           set("X-Gatehouse-Secret", ""),
		"another secret":            set("X-Gatehouse-Secret", "b-secret-of-32-bytes-or-a-few-more"),
		"the beginning of a secret": set("X-Gatehouse-Secret", secret[:32]),
		"nothing at all":            {},
	} {
		if status, who := through(t, h); status != 403 || who.Subject != "" {
			t.Errorf("%s: %d %v", name, status, who)
		}
	}
	for name, h := range map[string]http.Header{
		"a header twice":                    change("X-Gatehouse-Roles", "admin"),
		"a header twice, first empty":       {"X-Gatehouse-Secret": {secret}, "X-Gatehouse-Sub": {"", "u_eve"}},
		"the secret twice":                  change("X-Gatehouse-Secret", secret),
		"an underscore":                     change("X_gatehouse_roles", "admin"),
		"one underscore":                    change("X-Gatehouse_Roles", "admin"),
		"a dot":                             change("X.gatehouse.sub", "u_eve"),
		"lower case in the map":             change("x-gatehouse-sub", "u_eve"),
		"an underscore in a name of two":    change("X-Gatehouse-Client_id", "x"),
		"subjects joined with a comma":      set("X-Gatehouse-Sub", "u_eve,u_ada"),
		"subjects joined with comma, space": set("X-Gatehouse-Sub", "u_eve, u_ada"),
		"roles joined with a comma":         set("X-Gatehouse-Roles", "user,admin"),
		"scopes joined with a comma":        set("X-Gatehouse-Scope", "openid,notes:write"),
		"addresses joined with a comma":     set("X-Gatehouse-Email", "a@example.com,b@example.com"),
		"times joined with a comma":         set("X-Gatehouse-Exp", "1,2"),
		"a space in the subject":            set("X-Gatehouse-Sub", "u_ada u_eve"),
		"a machine with roles":              set("X-Gatehouse-First-Party", "false"),
		"an unknown word":                   set("X-Gatehouse-First-Party", "yes"),
		"a time that is none":               set("X-Gatehouse-Auth-Time", "soon"),
	} {
		if status, who := through(t, h); status != 400 || who.Subject != "" {
			t.Errorf("%s: %d %v", name, status, who)
		}
	}
	t.Run("a name can hold a comma, as UTF-8 or percent-encoded", func(t *testing.T) {
		for value, want := range map[string]string{"Lovelace, Ada": "Lovelace, Ada", "Ada L%C3%B6we": "Ada Löwe", "Ada Löwe": "Ada Löwe", "100%": "100%", "a%0Ab": "ab", "ö%C3": "ö%C3"} {
			if status, who := through(t, set("X-Gatehouse-Name", value)); status != 200 || who.Name != want {
				t.Errorf("%q: %d %q, want %q", value, status, who.Name, want)
			}
		}
	})
	t.Run("headers of others are left alone", func(t *testing.T) {
		h := change("X-Gatehouse-Trace", "1", "X-Request-Id", "2")
		if status, who := through(t, h); status != 200 || who.Subject != "u_ada" {
			t.Error(status, who)
		}
	})
	t.Run("without first_party, no roles are no user's", func(t *testing.T) {
		h := without("X-Gatehouse-First-Party")
		h.Set("X-Gatehouse-Roles", "")
		if status, who := through(t, h); status != 200 || who.Roles != nil {
			t.Error(status, who.Roles)
		}
	})
}

func TestMiddlewareWantsSecrets(t *testing.T) {
	for _, secrets := range [][]string{nil, {""}, {"short"}, {secret, ""}} {
		if h, err := identity.Middleware(http.NotFoundHandler(), secrets...); err == nil || h != nil {
			t.Errorf("%q: no error", secrets)
		} else if strings.Contains(err.Error(), "short") {
			t.Error("the error holds the secret")
		}
	}
}

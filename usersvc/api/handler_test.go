package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// harness is the API of the users of a test.
type harness struct {
	*userstest.Harness
	seen map[string]bool // if not nil, the responses of the API so far
}

// engine opens a harness.
type engine func(*testing.T) *harness

// onEngines runs a test on each engine.
func onEngines(t *testing.T, test func(*testing.T, engine)) {
	userstest.OnEngines(t, os.Getenv, func(t *testing.T, open userstest.Engine) {
		test(t, func(t *testing.T) *harness { return &harness{Harness: open(t)} })
	})
}

// answer is what the API says.
type answer struct {
	status int
	header http.Header
	body   string
}

// object returns the answer's JSON object.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return m
}

// items returns one member of each item of a page.
func (a answer) items(t *testing.T, member string) []any {
	t.Helper()
	var members []any
	for _, item := range a.object(t)["items"].([]any) {
		members = append(members, item.(map[string]any)[member])
	}
	return members
}

// as is who calls: the identity that the authorizer makes of the user's token.
func as(who userstest.SignedIn) identity.Identity {
	return identity.Identity{
		Subject: who.User.ID, Roles: who.User.Roles, SessionID: who.Session.ID, AuthTime: who.Session.AuthTime,
		Scopes: []string{"openid", "account", "admin"},
	}
}

var nobody identity.Identity

// call makes one request of the API and holds the answer to its document.
func (h *harness) call(t *testing.T, who identity.Identity, method, path, body string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.9:1234"
	r.Header.Set("User-Agent", "curl")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if who.Subject != "" {
		r = r.WithContext(identity.NewContext(r.Context(), who))
	}
	w := httptest.NewRecorder()
	api.NewHandler(h.Users, httpx.CORS{}, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	a := answer{w.Code, w.Header(), w.Body.String()}
	if method == "HEAD" {
		a.body = "" // the server's part
	}

	d, err := apiDocument()
	if err != nil {
		t.Fatal(err)
	}
	if path := r.URL.Path; path != "/openapi.json" {
		if err := d.check(method, path, a); err != nil {
			t.Error(err)
		}
		if template, _, ok := d.find(method, path); ok && h.seen != nil {
			h.seen[method+" "+template+" "+http.StatusText(a.status)] = true
		}
		if a.body != "" && a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %v", method, path, a.header)
		}
	}
	for _, secret := range append(h.Secrets, "sha256", "secret", "epoch", "claimed") {
		if strings.Contains(a.body, secret) && path != "/openapi.json" {
			t.Errorf("S135 %s %s shows %q: %s", method, path, secret, a.body)
		}
	}
	return a
}

// want fails unless the answer has the status and, if it is a problem, the code.
func (a answer) want(t *testing.T, status int, code string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	} else if code != "" && a.object(t)["code"] != code {
		t.Errorf("%s, want %s", a.body, code)
	}
	return a
}

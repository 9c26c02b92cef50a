package login_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
	"github.com/gatehouse-auth/gatehouse/internal/setup/login"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("gatehouse.yml", []byte(text), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parts(t *testing.T, c *config.Config, log *strings.Builder) login.Parts {
	t.Helper()
	rows, err := bolttable.Open(filepath.Join(t.TempDir(), "rows.db"), bolttable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rows.Close() })
	key, err := localkey.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return login.Parts{Table: rows, Users: setup.Users(c, rows), Keys: keys.Static(key), Log: slog.New(slog.NewTextHandler(log, nil))}
}

func TestNew(t *testing.T) {
	c := parse(t, `
issuer: https://auth.example.com
brand: {name: Harbour}
providers:
  - {id: one, name: One, issuer: https://one.test, client_id: a, client_secret_env: ONE_SECRET}
  - {id: two, name: Two, issuer: https://two.test, client_id: a}
  - {id: three, name: Three, issuer: https://three.test, client_id: a}
clients:
  - {id: own, redirect_uris: ["https://own.test/cb"], origins: ["https://own.test"]}
`)
	var log strings.Builder
	service, err := login.New(t.Context(), c, parts(t, c, &log))
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, header http.Header) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header = header
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		return w
	}
	page := get("/login", http.Header{"Accept": {"text/html"}}).Body.String()
	if !strings.Contains(page, "Harbour") || !strings.Contains(page, "Two") || !strings.Contains(page, "Three") || strings.Contains(page, "One") {
		t.Errorf("providers and brand: %s", page)
	}
	if !strings.Contains(log.String(), "ONE_SECRET") {
		t.Errorf("nobody is told what is missing: %s", &log)
	}
	if got := get("/userinfo", http.Header{"Origin": {"https://own.test"}}).Header().Get("Access-Control-Allow-Origin"); got != "https://own.test" {
		t.Errorf("the client of the file: origin %q", got)
	}
}

func TestRefusals(t *testing.T) {
	c := parse(t, "issuer: https://auth.example.com")
	p := parts(t, c, new(strings.Builder))
	for want, broken := range map[string]config.Config{
		"brand: ":       {Issuer: c.Issuer, Audience: c.Audience, Brand: config.Brand{Name: "a", Accent: "url(x)"}},
		"provider odd:": {Issuer: c.Issuer, Audience: c.Audience, Brand: c.Brand, Providers: []config.Provider{{ID: "odd", ClientID: "a", Issuer: "ftp://x"}}},
		"audience":      {Issuer: c.Issuer, Brand: c.Brand},
	} {
		if _, err := login.New(t.Context(), &broken, p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

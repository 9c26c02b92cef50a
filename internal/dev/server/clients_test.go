package server_test

import (
	"path/filepath"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestClientsOfTheTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bolt, err := bolttable.Open(filepath.Join(dir, "gatehouse.db"), bolttable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	clients := registry.Clients{Table: bolt}
	for id, origin := range map[string]string{"spa": "https://spa.test", "demo-spa": "https://evil.test"} {
		app := client.Client{ID: id, RedirectURIs: []string{origin + "/cb"}, Origins: []string{origin}}
		if _, err := clients.Add(t.Context(), usersvc.By{}, app, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := bolt.Close(); err != nil {
		t.Fatal(err)
	}
	s := running(t, server.Options{Data: dir})
	for origin, want := range map[string]string{"https://spa.test": "https://spa.test", "https://evil.test": ""} {
		got := ask(t, "OPTIONS", s.Issuer+"/token", "", "Origin", origin).header.Get("Access-Control-Allow-Origin")
		if got != want {
			t.Errorf("%s: %q", origin, got)
		}
	}
	tokens(t, s, "lin") // demo-spa is the one of the file
}

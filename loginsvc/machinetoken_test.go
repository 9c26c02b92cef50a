package loginsvc_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

// TestMachineOfTheTable wants a token of a client in the table to cost one request at
// most, and none to outlive the client's removal.
func TestMachineOfTheTable(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world, table *watched) {
		clients := registry.Clients{Table: table.Table, Now: w.now, Limits: client.Limits{Scopes: []string{"notes:read"}}}
		app := client.Client{ID: "batch", Name: "Batch", Grants: []string{client.GrantClientCredentials}, Scopes: []string{"notes:read"}}
		secret, err := clients.Add(t.Context(), operator, app, true)
		if err != nil {
			t.Fatal(err)
		}
		w.config.Clients = registry.NewFinder(nil, table, w.now).Lookup
		w.rebuild()
		ask := func() answer {
			return w.program().post("/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"batch"}, "client_secret": {string(secret)}})
		}
		var a answer
		var issued []string
		for _, step := range []struct {
			name  string
			pass  time.Duration
			calls int64
		}{
			{"the client is read", 0, 1}, {"it was read in the same second", 900 * time.Millisecond, 0},
			{"what was read is checked", 200 * time.Millisecond, 1}, {"it is checked again", 3 * time.Second, 1}, {"it is read again", 2 * time.Second, 1},
		} {
			w.clock.Pass(step.pass)
			table.costs(t, step.name, step.calls, 0, func() { a = ask() })
			issued = append(issued, a.json(t)["access_token"].(string))
		}
		w.clock.Pass(900 * time.Millisecond)
		if err := clients.Remove(t.Context(), operator, "batch"); err != nil {
			t.Fatal(err)
		}
		a = ask() // within a second of the last time that it was read
		issued = append(issued, a.json(t)["access_token"].(string))
		for i, rawToken := range issued {
			if !w.feed().Revoked(w.access(rawToken)) {
				t.Errorf("token %d outlives the client", i)
			}
		}
		w.clock.Pass(200 * time.Millisecond)
		if a := ask(); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("after the removal: %d %s", a.StatusCode, a.body)
		}
	})
}

package loginsvc_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// slowly is a table in which a revocation takes time between the clock that it read
// and its effect.
type slowly struct {
	table.Table
	during func() // before the next revocation takes effect; nil: nothing
}

func (s *slowly) Write(ctx context.Context, writes ...table.Write) error {
	ofFeed := func(w table.Write) bool { return strings.HasPrefix(w.Key.PK, "revocations") }
	if during := s.during; during != nil && slices.ContainsFunc(writes, ofFeed) {
		s.during = nil
		during()
	}
	return s.Table.Write(ctx, writes...)
}

// TestRevocationTakesLong has each grant issue a token while the write of each cause
// is under way. Once the cause is acknowledged, the token must be dead, however long
// that took and wherever in a second it began.
func TestRevocationTakesLong(t *testing.T) {
	t.Parallel()
	for grant, prepare := range issues {
		t.Run(grant, func(t *testing.T) {
			t.Parallel()
			for cause, happen := range causes {
				if grant == "/users/login" && (cause == "the user withdraws the consent" || cause == "the client is removed") {
					continue // it has no client
				}
				takesLong(t, grant, cause, prepare, happen)
			}
		})
	}
}

func takesLong(t *testing.T, grant, cause string, prepare func(issuing) func() answer, happen func(issuing) error) {
	w := newWorld(t)
	w.config.Sleep = func(ctx context.Context, d time.Duration) error { w.clock.Pass(d); return ctx.Err() }
	app := client.Client{
		ID: "app", Name: "Telly", RedirectURIs: []string{appURI}, Scopes: []string{"notes", "offline_access"},
		Grants: []string{client.GrantCode, client.GrantRefresh, client.GrantDevice}, ThirdParty: cause == "the user withdraws the consent",
	}
	if cause == "the client is removed" {
		app.Registration = "first"
	}
	w.browser().authorizeAs("lin", authorize())
	w.give(w.find("lin@example.com").ID, usersvc.Admin) // who stays when Ada goes
	fast := w.config.Users
	alive := 0
	for _, began := range []time.Duration{0, 499 * time.Millisecond, 749 * time.Millisecond} {
		for _, takes := range []time.Duration{400 * time.Millisecond, 900 * time.Millisecond, 5 * time.Second} {
			w.config.Users = fast
			w.with(app)
			i := issuing{w: w, b: w.browser(), client: app}
			i.b.authorizeAs("ada", authorize("client_id", "app", "scope", "notes"))
			i.user = i.b.signedInAs()
			if identities, err := fast.Identities(t.Context(), i.user); err != nil {
				t.Fatal(err)
			} else if len(identities) == 1 {
				w.linkElsewhere(i.user)
			}
			w.give(i.user, "user", usersvc.Admin)
			w.clock.Pass(3 * time.Second)
			issue := prepare(i)
			w.clock.Set(w.clock.Now().Truncate(time.Second).Add(3*time.Second + began))
			var a answer
			slow := &slowly{Table: fast.Table, during: func() { w.clock.Pass(takes); a = issue() }}
			users := *fast
			users.Table = slow
			w.config.Users = &users
			if err := happen(i); err != nil {
				t.Fatal(err)
			}
			w.config.Users = fast
			if a.Response == nil {
				t.Fatalf("%s: %s: not issued meanwhile", grant, cause)
			}
			if a.StatusCode == http.StatusOK {
				got := a.json(t)
				raw, _ := got["access_token"].(string)
				if grant == "/users/login" {
					raw, _ = got["jwt"].(string)
				}
				alive++
				if why := i.outlives(grant, cause, raw); why != "" {
					t.Errorf("%s: %s, from %v for %v: %s", grant, cause, began, takes, why)
				}
			}
			if _, err := fast.Activate(t.Context(), operator, i.user); err != nil && cause != "the user is deleted" {
				t.Fatal(err)
			}
			w.clock.Pass(3 * time.Second)
		}
	}
	if alive == 0 {
		t.Errorf("%s: %s: never issued: this tests nothing", grant, cause)
	}
}

package loginsvc_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// TestAliveOnArrival has each grant begin right after each cause, and once more after
// that. A token that is issued then must not be dead: its client would take it for
// the end of the grant. It must not be of the future either.
func TestAliveOnArrival(t *testing.T) {
	t.Parallel()
	after := map[string]func(i issuing) error{
		"the client revokes what it holds": func(i issuing) error {
			got := i.redeem(i.code("notes offline_access")).json(i.w.t)
			for _, kind := range []string{"access_token", "refresh_token"} {
				i.w.program().post("/revoke", url.Values{"token": {got[kind].(string)}, "client_id": {i.client.ID}})
			}
			return nil
		},
		"a code comes twice": func(i issuing) error {
			code := i.code("notes")
			i.redeem(code)
			i.redeem(code)
			return nil
		},
		"the user's tokens are revoked": func(i issuing) error {
			return i.w.config.Users.Revoke(i.w.t.Context(), usersvc.Tokens{Subject: i.user})
		},
		"the client's tokens in nine sessions are revoked": func(i issuing) error {
			for range 9 {
				b := i.w.browser()
				b.authorizeAs("ada", authorize("client_id", "app", "scope", "notes"))
				sessions, err := i.w.config.Users.Sessions(i.w.t.Context(), i.user)
				if err == nil {
					err = i.w.config.Users.Revoke(i.w.t.Context(), usersvc.Tokens{Subject: i.user, SessionID: sessions[0].ID, ClientID: "app"})
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	for _, cause := range []string{"the user loses a role", "the user signs out everywhere", "the session ends", "the user withdraws the consent"} {
		after[cause] = causes[cause]
	}
	for grant, prepare := range issues {
		t.Run(grant, func(t *testing.T) {
			t.Parallel()
			for cause, happen := range after {
				aliveAfter(t, grant, cause, prepare, happen)
			}
		})
	}
}

func aliveAfter(t *testing.T, grant, cause string, prepare func(issuing) func() answer, happen func(issuing) error) {
	w := newWorld(t)
	w.config.Sleep = func(ctx context.Context, d time.Duration) error {
		if d > 2*time.Second {
			t.Errorf("%s: %s: waits %v", grant, cause, d)
		}
		w.clock.Pass(d)
		return ctx.Err()
	}
	app := client.Client{
		ID: "app", Name: "Telly", RedirectURIs: []string{appURI}, Scopes: []string{"notes", "offline_access"},
		Grants: []string{client.GrantCode, client.GrantRefresh, client.GrantDevice}, ThirdParty: cause == "the user withdraws the consent",
	}
	w.browser().authorizeAs("lin", authorize())
	w.give(w.find("lin@example.com").ID, usersvc.Admin)
	w.with(app)
	for _, began := range []time.Duration{0, 499 * time.Millisecond, 999 * time.Millisecond} {
		i := issuing{w: w, b: w.browser(), client: app}
		i.b.authorizeAs("ada", authorize("client_id", "app", "scope", "notes"))
		i.user = i.b.signedInAs()
		w.give(i.user, "user", usersvc.Admin)
		i.code("notes offline_access") // so that there is a consent to withdraw
		w.clock.Set(w.clock.Now().Truncate(time.Second).Add(3*time.Second + began))
		if err := happen(i); err != nil {
			t.Fatal(err)
		}
		i.b = w.browser()
		i.b.authorizeAs("ada", authorize("client_id", "app", "scope", "notes"))
		issue := prepare(i)
		for _, time := range []string{"first", "second"} {
			a := issue()
			if a.StatusCode != http.StatusOK {
				if time == "first" {
					t.Errorf("%s: %s: %d %s", grant, cause, a.StatusCode, a.body)
				}
				continue // a code is good once
			}
			if time == "second" && grant != "refresh token that comes again" {
				continue
			}
			got := a.json(t)
			raw, _ := got["access_token"].(string)
			if grant == "/users/login" {
				raw, _ = got["jwt"].(string)
			}
			access := w.access(raw)
			if w.feed().Revoked(access) {
				t.Errorf("%s: %s, from %v: the %s token is dead by the feed", grant, cause, began, time)
			}
			tokens := usersvc.Tokens{Subject: access.Subject, SessionID: access.SessionID, ClientID: access.ClientID}
			if _, err := w.config.Users.Live(t.Context(), tokens, access.IssuedAt); err != nil {
				t.Errorf("%s: %s, from %v: the %s token is dead: %v", grant, cause, began, time, err)
			}
			if access.IssuedAt.After(w.now()) {
				t.Errorf("%s: %s: a token is of the future", grant, cause)
			}
		}
		w.clock.Pass(3 * time.Second)
	}
}

package loginsvc_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// moments calls do at one moment of what a service does: before its nth read,
// write, signature or wait, or after the last one of n.
type moments struct {
	table.Table
	count, at int
	do        func()
}

func (m *moments) pass() {
	m.count++
	if m.do != nil && m.count == m.at {
		do := m.do
		m.do = nil
		do()
	}
}

// sleep passes the moment in the middle of a wait, which is number 0.
func (m *moments) sleep() {
	if m.at == 0 && m.do != nil {
		do := m.do
		m.do = nil
		do()
	}
}

func (m *moments) Get(ctx context.Context, key table.Key) (table.Item, error) {
	m.pass()
	return m.Table.Get(ctx, key)
}

func (m *moments) Write(ctx context.Context, writes ...table.Write) error {
	m.pass()
	return m.Table.Write(ctx, writes...)
}

// issuing is an administrator of the world who has what a grant is redeemed for.
type issuing struct {
	w      *world
	b      *browser
	user   string // id
	client client.Client
}

// grants are the ways to get tokens of a user. Each prepares, and returns the
// request that issues.
var issues = map[string]func(i issuing) func() answer{
	"code": func(i issuing) func() answer {
		code := i.code("notes")
		return func() answer { return i.redeem(code) }
	},
	"code, with a refresh token": func(i issuing) func() answer {
		code := i.code("notes offline_access")
		return func() answer { return i.redeem(code) }
	},
	"refresh token": func(i issuing) func() answer {
		got := i.redeem(i.code("notes offline_access")).json(i.w.t)
		return func() answer { return i.renew(got["refresh_token"]) }
	},
	"refresh token that comes again": func(i issuing) func() answer {
		got := i.redeem(i.code("notes offline_access")).json(i.w.t)
		i.renew(got["refresh_token"])
		return func() answer { return i.renew(got["refresh_token"]) }
	},
	"device code": func(i issuing) func() answer { return i.device("notes") },
	"device code, with a refresh token": func(i issuing) func() answer {
		return i.device("notes offline_access")
	},
	"/users/login": func(i issuing) func() answer {
		i.b.header.Set("Accept", "application/json")
		at, _ := i.b.get("/users/login").json(i.w.t)["url"].(string)
		callback := i.b.post(at, url.Values{"user": {"ada"}}).location().String()
		return func() answer { return i.b.get(callback) }
	},
}

func (i issuing) code(scope string) string {
	i.w.t.Helper()
	a := i.b.get("/authorize?" + authorize("client_id", i.client.ID, "scope", scope).Encode())
	if a.location() == nil {
		a = i.b.answerConsent(a, "allow")
	}
	return a.location().Query().Get("code")
}

func (i issuing) redeem(code string) answer {
	return i.w.program().post("/token", redemption(code, "client_id", i.client.ID))
}

func (i issuing) renew(refreshToken any) answer {
	return i.w.program().post("/token", renewal(refreshToken, "client_id", i.client.ID))
}

func (i issuing) device(scope string) func() answer {
	i.w.t.Helper()
	deviceCode, userCode := i.w.startDevice("client_id", i.client.ID, "scope", scope)
	page := i.b.post("/device", url.Values{"user_code": {userCode}})
	i.b.post("/device", deviceForm(i.w.t, page, "allow"))
	return func() answer { return i.w.poll(deviceCode, "client_id", i.client.ID) }
}

// causes are why no token may be alive that was issued before. Each must succeed.
var causes = map[string]func(i issuing) error{
	"the user is suspended": func(i issuing) error {
		_, err := i.w.config.Users.Suspend(i.w.t.Context(), operator, i.user)
		return err
	},
	"the user loses a role": func(i issuing) error {
		_, err := i.w.config.Users.SetRoles(i.w.t.Context(), operator, i.user, []string{"user"}, 0)
		return err
	},
	"the user signs out everywhere": func(i issuing) error {
		return i.w.config.Users.EndSessions(i.w.t.Context(), usersvc.By{UserID: i.user}, i.user, "")
	},
	"the session ends": func(i issuing) error {
		sessions, err := i.w.config.Users.Sessions(i.w.t.Context(), i.user)
		for _, s := range sessions {
			if err == nil {
				err = i.w.config.Users.EndSessionBy(i.w.t.Context(), operator, i.user, s.ID)
			}
		}
		return err
	},
	"the user withdraws the consent": func(i issuing) error {
		return i.w.config.Users.WithdrawConsent(i.w.t.Context(), usersvc.By{UserID: i.user}, i.client.ID)
	},
	"the identity is unlinked": func(i issuing) error {
		identities, err := i.w.config.Users.Identities(i.w.t.Context(), i.user)
		for _, identity := range identities {
			if err == nil && identity.Subject == "demo-ada" {
				_, err = i.w.config.Users.Unlink(i.w.t.Context(), operator, i.user, identity.ID)
			}
		}
		return err
	},
	"the client is removed": func(i issuing) error {
		clients := registry.Clients{Table: i.w.config.Users.Table, Now: i.w.now}
		return clients.Remove(i.w.t.Context(), operator, i.client.ID)
	},
	"the user is deleted": func(i issuing) error { return i.w.config.Users.Delete(i.w.t.Context(), operator, i.user) },
}

var operator = usersvc.By{Operator: "test"}

// outlives tells why tokens that were issued are not dead after the cause; "" if
// they are, or if they say what is true after it.
func (i issuing) outlives(grant, cause, rawToken string) string {
	access := i.w.access(rawToken)
	_, user, err := i.w.config.Users.SessionByID(i.w.t.Context(), access.Subject, access.SessionID)
	switch {
	case grant == "/users/login" && err == nil && slices.Equal(user.Roles, append([]string{usersvc.Admin}, access.Roles...)):
		return "" // the person has signed in after the cause
	case cause == "the user loses a role" && !slices.Contains(access.Roles, usersvc.Admin), access.Subject != i.user:
		return "" // what is so after the cause; or of a new user, because the identity is free
	case i.w.feed().Revoked(access):
		return ""
	}
	return fmt.Sprintf("a token of %v, issued %v, lives on", access.Roles, access.IssuedAt.Sub(i.w.now()))
}

// TestRevocationMeanwhile has each cause happen at each moment of each way to
// issue tokens. A token that leaves after it must be dead.
func TestRevocationMeanwhile(t *testing.T) {
	t.Parallel()
	for grant, prepare := range issues {
		t.Run(grant, func(t *testing.T) {
			t.Parallel()
			for cause, happen := range causes {
				if grant == "/users/login" && (cause == "the user withdraws the consent" || cause == "the client is removed") {
					continue // it has no client
				}
				for _, waits := range []bool{false, true} {
					meanwhile(t, grant, cause, waits, prepare, happen)
				}
			}
		})
	}
}

func meanwhile(t *testing.T, grant, cause string, waits bool, prepare func(issuing) func() answer, happen func(issuing) error) {
	w := newWorld(t)
	m := &moments{Table: w.table}
	w.config.Table = m
	w.config.Sleep = func(ctx context.Context, d time.Duration) error {
		w.clock.Pass(d - time.Millisecond) // in the second before the token is alive
		m.sleep()
		w.clock.Pass(time.Millisecond)
		return ctx.Err()
	}
	users := *w.config.Users
	users.Table = m
	app := client.Client{
		ID: "app", Name: "Telly", RedirectURIs: []string{appURI}, Scopes: []string{"notes", "offline_access"},
		Grants: []string{client.GrantCode, client.GrantRefresh, client.GrantDevice}, ThirdParty: cause == "the user withdraws the consent",
	}
	if cause == "the client is removed" {
		app.Registration = "first"
	}
	outside := w.config.Users // acts without being counted
	w.browser().authorizeAs("lin", authorize())
	w.give(w.find("lin@example.com").ID, usersvc.Admin) // who stays when Ada goes
	alive, refused := 0, 0
	first := 1
	if waits {
		first = 0 // the moment of the wait, and no other
	}
	for at := first; ; at++ {
		w.config.Users = &users
		w.with(app)
		w.config.Users = outside
		i := issuing{w: w, b: w.browser(), client: app}
		i.b.authorizeAs("ada", authorize("client_id", "app", "scope", "notes"))
		i.user = i.b.signedInAs()
		if identities, err := outside.Identities(t.Context(), i.user); err != nil {
			t.Fatal(err)
		} else if len(identities) == 1 {
			w.linkElsewhere(i.user)
		}
		w.give(i.user, "user", usersvc.Admin)
		w.clock.Pass(3 * time.Second)
		issue := prepare(i)
		if waits {
			if err := outside.Revoke(t.Context(), usersvc.Tokens{Subject: i.user}); err != nil {
				t.Fatal(err)
			}
		}
		happened := false
		m.count, m.at, m.do = 0, at, func() {
			happened = true
			if err := happen(i); err != nil {
				t.Fatal(err)
			}
		}
		a := issue()
		m.do = nil
		last := !happened
		if waits && last {
			t.Fatalf("%s did not wait", grant)
		}
		if last { // after the last moment: the answer is on its way
			if err := happen(i); err != nil {
				t.Fatal(err)
			}
		}
		raw := ""
		if a.StatusCode == http.StatusOK {
			got := a.json(t)
			raw, _ = got["access_token"].(string)
			if grant == "/users/login" {
				raw, _ = got["jwt"].(string)
			}
		}
		switch {
		case raw == "":
			refused++
		default:
			alive++
			if why := i.outlives(grant, cause, raw); why != "" {
				t.Errorf("%s, wait %v: %s at moment %d: %s", grant, waits, cause, at, why)
			}
		}
		if _, err := outside.Activate(t.Context(), operator, i.user); err != nil && cause != "the user is deleted" {
			t.Fatal(err)
		}
		if last || waits {
			break
		}
	}
	if waits && (refused+alive != 1) || !waits && (refused == 0 && cause != "the user loses a role" || alive == 0) {
		t.Errorf("%s, wait %v: %s: %d times refused, %d times issued: this tests nothing", grant, waits, cause, refused, alive)
	}
}

// signedInAs returns the id of the user whose session the browser has.
func (b *browser) signedInAs() string {
	b.w.t.Helper()
	at, _ := url.Parse(issuer)
	for _, c := range b.jar.Cookies(at) {
		if c.Name == "__Host-gatehouse_session" {
			id, _, _ := strings.Cut(c.Value, ".")
			return id
		}
	}
	b.w.t.Fatal("the browser has no session")
	return ""
}

// linkElsewhere gives a user a second identity, so that the first can be unlinked.
func (w *world) linkElsewhere(userID string) {
	w.t.Helper()
	sessions, err := w.config.Users.Sessions(w.t.Context(), userID)
	if err == nil {
		p := usersvc.Profile{Issuer: "https://elsewhere.test", Subject: "ada-" + userID, Provider: "demo"}
		_, err = w.config.Users.Link(w.t.Context(), usersvc.By{UserID: userID}, sessions[0].ID, p)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

package stacktest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

const (
	// feedBound is how long after its revocation a token can still pass on a route
	// that is not fresh and whose answers are not kept, as `gatehouse doctor` says.
	feedBound = 5 * time.Second
	// slowness is what a busy machine may add to it.
	slowness = time.Second
)

// TestRacesWithRevocations has an admin revoke a user's tokens while a process of
// the login service waits before it issues one. It waits because others of the
// user's tokens were revoked just before. A token that leaves all the same must be
// refused within the bound.
func TestRacesWithRevocations(t *testing.T) {
	s := start(t, stacktest.Config{Configuration: `
legacy_login: true
roles: [{name: user}, {name: admin}, {name: editor}, {name: reviewer}]
default_roles: [user]
clients:
  - id: race
    redirect_uris: ['` + raceURI + `']
    grants: [authorization_code, refresh_token, 'urn:ietf:params:oauth:grant-type:device_code']
    scopes: [openid, offline_access]
`})
	f := &figures{}
	t.Run("tries", func(t *testing.T) {
		for first := range processes {
			t.Run(fmt.Sprintf("of process %d", first), func(t *testing.T) {
				t.Parallel()
				s.raceRevocations(t, f, first, of(300, processes))
			})
		}
	})
	t.Logf("%d tries, %d of them answered after the revocation was; %d tokens left, %d of which say what is true after it; "+
		"alive after the bound: %d; the longest time to a refusal: %v", f.tries, f.late, f.issued, f.excused, f.alive, f.longest.Round(time.Millisecond))
	if *fullRaces && f.late < f.tries/2 {
		t.Errorf("%d of %d requests waited longer than the admin: this tests too little", f.late, f.tries)
	}
	if n := len(s.Functions["loginsvc"].Processes()); n < 2 {
		t.Errorf("%d processes took part", n)
	}
}

// figures are what the tries of all users came to.
type figures struct {
	mu      sync.Mutex
	tries   int
	late    int           // requests for a token that were answered after the admin was
	issued  int           // tokens
	excused int           // tokens that say what is true after the revocation
	alive   int           // tokens that passed after the bound
	longest time.Duration // from the answer to the admin to a refusal by the authorizer
}

func (f *figures) add(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// raceRevocations makes every fourth of n tries, from the first on. Each way to get
// a token meets each cause of a revocation. Each try has a user of its own, so that
// no later revocation ends what an earlier one left. In two of three tries the admin
// acts while the login service waits, in the others about when the token leaves.
func (s *world) raceRevocations(t *testing.T, f *figures, first, n int) {
	ways := []string{"code", "device code", "/users/login", "refresh token"}
	causes := []string{"suspended", "demoted", "signed out everywhere"}
	var judged sync.WaitGroup
	defer judged.Wait()
	for i := first; i < n; i += processes {
		way, cause := ways[i%len(ways)], causes[(i%len(ways)+i/len(ways))%len(causes)]
		delay := 150 * time.Millisecond
		if i/(len(ways)*len(causes))%3 == 2 { // about when the token leaves
			delay = time.Second + rand.N(400*time.Millisecond)
		}
		u := s.racer(t, fmt.Sprintf("race%d@example.org", i))
		redeem := u.grant(t, way)
		u.revokeBefore(t, way)
		got := make(chan redeemed, 1)
		go func() { got <- redeem() }()
		time.Sleep(delay)
		sessions := u.act(t, "GET", "/sessions", "")
		switch cause {
		case "suspended":
			u.act(t, "POST", "/suspend", "")
		case "demoted":
			u.act(t, "PUT", "/roles", `{"roles":["user"]}`)
		default:
			u.act(t, "DELETE", "/sessions", "")
		}
		revoked := time.Now()
		a := <-got
		if a.err != nil || a.status >= 500 {
			t.Errorf("%s, %s: status %d, %v", way, cause, a.status, a.err)
		}
		claims := claimsOf(t, a.token)
		// A demoted user can have a token without the role. A user who was signed out
		// can sign in, in a session that began after.
		excused := cause == "demoted" && !slices.Contains(claims.Roles, "editor") ||
			cause == "signed out everywhere" && way == "/users/login" && !strings.Contains(sessions, claims.SessionID)
		excused = excused && a.token != ""
		f.add(func() {
			f.tries++
			f.late += one(a.at.After(revoked))
			f.issued += one(a.token != "")
			f.excused += one(excused)
		})
		if a.token == "" || excused {
			continue
		}
		what := fmt.Sprintf("try %d, %s, %s, answered %v after the admin", i, way, cause, a.at.Sub(revoked).Round(time.Millisecond))
		if _, text := s.ask(t, "GET", "/revocations", a.token, ""); !strings.Contains(text, `"active":false`) {
			t.Errorf("%s: the login service says %s", what, text)
		}
		judged.Go(func() { s.refuse(t, f, what, a.token, revoked) })
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// refuse shows a revoked token to the authorizer until it is refused, and fails the
// test if it passes after the bound.
func (s *world) refuse(t *testing.T, f *figures, what, token string, revoked time.Time) {
	for {
		asked := time.Since(revoked)
		allowed, err := s.authorized(t, token)
		switch {
		case err != nil:
			t.Errorf("%s: %v", what, err)
			return
		case !allowed:
			f.add(func() { f.longest = max(f.longest, time.Since(revoked)) })
			return
		case asked > feedBound+slowness:
			t.Errorf("%s: still allowed after %v", what, asked.Round(time.Millisecond))
			f.add(func() { f.alive++ })
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// authorized asks the built authorizer about a request without a rule of its own.
func (s *world) authorized(t *testing.T, token string) (bool, error) {
	event := fmt.Appendf(nil, `{"version":"2.0","type":"REQUEST","routeKey":"GET /race","routeArn":"arn:aws:execute-api:eu-west-1:1:a/$default/GET/race",`+
		`"headers":{"authorization":"Bearer %s"},"requestContext":{"http":{"method":"GET"}}}`, token)
	out, err := s.Functions["authorizer"].Invoke(t.Context(), event)
	return strings.Contains(string(out), `"isAuthorized":true`), err
}

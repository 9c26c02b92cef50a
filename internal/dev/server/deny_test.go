package server_test

import (
	"flag"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

var trials = flag.Int("trials", 3, "how many revocations of each sort to time")

// TestTimeToDeny says how long somebody is let in whose right an admin has taken
// away: by a clock that the test moves on, so that each trial meets another
// moment of the polling.
func TestTimeToDeny(t *testing.T) {
	var passed atomic.Int64
	began := time.Now()
	pass := func(d time.Duration) { passed.Add(int64(d)) }
	now := func() time.Time { return began.Add(time.Duration(passed.Load())) }
	s := running(t, server.Options{Now: now})
	admin := func(method, path, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.Issuer+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+tokens(t, s, "ada").AccessToken)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode >= 300 {
			t.Fatalf("%s %s: %d", method, path, resp.StatusCode)
		}
	}
	const limit, step = 65 * time.Second, 500 * time.Millisecond
	for _, sort := range []struct {
		name       string
		take, give func(id, sid string)
	}{
		{"a session ends", func(id, sid string) { admin("DELETE", "/users/"+id+"/sessions/"+sid, "") }, func(string, string) {}},
		{"a user is suspended", func(id, _ string) { admin("POST", "/users/"+id+"/suspend", "") }, func(id, _ string) { admin("POST", "/users/"+id+"/activate", "") }},
		{"a role is taken", func(id, _ string) { admin("PUT", "/users/"+id+"/roles", `{"roles":["user"]}`) }, func(id, _ string) { admin("PUT", "/users/"+id+"/roles", `{"roles":["user","admin"]}`) }},
	} {
		t.Run("I42 "+sort.name, func(t *testing.T) {
			var worst time.Duration
			for round := range 2 * *trials {
				n, fresh := round/2, round%2 == 0
				first := tokens(t, s, "lin").AccessToken
				who := claims(t, first)
				id := who["sub"].(string)
				if strings.Contains(sort.name, "role") {
					sort.give(id, "")
				}
				pass(3 * time.Second)
				mine := tokens(t, s, "lin").AccessToken
				sid := claims(t, mine)["sid"].(string)
				if got := ask(t, "GET", s.Issuer+"/demo/fresh", mine); got.status != 200 {
					t.Fatalf("before: %+v", got)
				}
				ask(t, "GET", s.Issuer+"/demo/hello", first) // the authorizer has a new copy of the feed
				sort.take(id, sid)
				at := now()
				if fresh { // at once
					if got := ask(t, "GET", s.Issuer+"/demo/fresh", mine); got.status != 403 {
						t.Errorf("trial %d: the next request to a fresh route: %d", n, got.status)
					}
					sort.give(id, sid)
					pass(3 * time.Second)
					continue
				}
				pass(5 * time.Second * time.Duration(n) / time.Duration(*trials)) // the answer is first kept so late
				for ask(t, "GET", s.Issuer+"/demo/hello", mine).status == 200 && now().Sub(at) < 2*limit {
					pass(step)
				}
				worst = max(worst, now().Sub(at))
				sort.give(id, sid)
				pass(3 * time.Second)
			}
			t.Logf("the worst of %d: %v", *trials, worst)
			if worst > limit+step {
				t.Errorf("the worst of %d took %v", *trials, worst)
			}
		})
	}
}

package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/issuertest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/lambdatest"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

var trials = flag.Int("trials", 20, "how many revocations to time")

// deny ends a session, or everything that the user has been given, as when the
// user is suspended or loses a role.
func deny(i *issuertest.Issuer, who caller) {
	if who.all {
		i.Revoke(revocation.Subject(who.subject), who.subject)
	} else {
		i.Revoke(revocation.Session(who.session), who.subject)
	}
}

// caller is a user with one session, who is to be denied.
type caller struct {
	subject, session string
	all              bool // that, and not only the session
}

// callers are as many of each kind as there are trials.
func callers(name string) []caller {
	var out []caller
	for n := range *trials {
		out = append(out,
			caller{fmt.Sprint("u_", name, n), fmt.Sprint("s_", name, n), false},
			caller{fmt.Sprint("u_", name, n, "all"), fmt.Sprint("s_", name, n, "all"), true})
	}
	return out
}

// request returns the event of a request to an HTTP API, with a token of the caller.
func request(t *testing.T, i *issuertest.Issuer, routeKey string, who caller) []byte {
	t.Helper()
	now := time.Now()
	rawToken, err := token.Access{
		Issuer: i.URL, Subject: who.subject, Audience: "api", ClientID: "spa", SessionID: who.session, Roles: []string{},
		IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute),
	}.Sign(t.Context(), i.Key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, `{"version":"2.0","type":"REQUEST","routeKey":%q,"routeArn":"arn:aws:execute-api:eu-west-1:1:a/$default/GET/",`+
		`"headers":{"authorization":"Bearer %s"},"requestContext":{"http":{"method":"GET"}}}`, routeKey, rawToken)
}

// TestTimeToDeny times, with the built program as a process that is frozen
// between its events, how long a revoked session is let in.
func TestTimeToDeny(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	i := issuertest.Serve(t)
	root := lambdatest.Build(t, "github.com/gatehouse-auth/gatehouse/cmd/authorizer")
	young := strings.Replace(string(i.Set), "{", fmt.Sprintf(`{"fetched_at":%d,`, time.Now().Unix()), 1)
	for name, content := range map[string]string{"policy.json": `{"rules":[{"route":"POST /pay","fresh":true}]}`, "jwks.json": young} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := lambdatest.Start(t, lambdatest.Config{
		Name: "authorizer", Root: root, Freeze: true, Timeout: 3 * time.Second,
		Env: map[string]string{"GATEHOUSE_ISSUER": i.URL, "GATEHOUSE_AUDIENCE": "api", "GOMAXPROCS": "1"},
	})
	allowed := func(event []byte) bool {
		out, err := f.Invoke(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(out), `"isAuthorized":true`)
	}

	t.Run("a fresh route refuses at the very next request", func(t *testing.T) {
		for _, who := range callers("fresh") {
			event := request(t, i, "POST /pay", who)
			if !allowed(event) {
				t.Fatalf("%+v is refused too early", who)
			}
			deny(i, who)
			if allowed(event) {
				t.Errorf("%+v is allowed", who)
			}
		}
	})
	t.Run("other routes within 5 seconds", func(t *testing.T) {
		var worst time.Duration
		all := callers("normal")
		denied, events := map[int]time.Time{}, map[int][]byte{}
		for n, who := range all {
			events[n] = request(t, i, "GET /", who)
			if !allowed(events[n]) {
				t.Fatalf("%+v is refused too early", who)
			}
		}
		for next := 0; len(events) > 0; {
			if next < len(all) { // one after the other, so that each meets another moment of the polling
				deny(i, all[next])
				denied[next] = time.Now()
				next++
			}
			for n, event := range events {
				if at, over := denied[n]; over && !allowed(event) {
					worst = max(worst, time.Since(at))
					delete(events, n)
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("the worst of %d: %v", len(all), worst)
		if worst > 5*time.Second+200*time.Millisecond {
			t.Errorf("the worst of %d took %v", len(all), worst)
		}
	})
	t.Run("I5 a process that was frozen asks before it answers", func(t *testing.T) {
		who := caller{subject: "u_frozen", session: "s_frozen"}
		event := request(t, i, "GET /", who)
		if !allowed(event) {
			t.Fatal("refused too early")
		}
		deny(i, who)
		time.Sleep(4100 * time.Millisecond) // stopped, all the while
		if allowed(event) {
			t.Error("it was let in by what the process remembered")
		}
	})
	if _, fetches := i.Fetches(); fetches != 0 {
		t.Errorf("S126 %d fetches of keys that are in the zip", fetches)
	}
}

// TestFirstDecision is what one costs whose keys are not in the zip, or are old
// ones.
func TestFirstDecision(t *testing.T) {
	i := issuertest.Serve(t)
	root := lambdatest.Build(t, "github.com/gatehouse-auth/gatehouse/cmd/authorizer")
	event := request(t, i, "GET /", caller{subject: "u_lin", session: "s_1"})
	for pollers := 1; pollers <= 2; pollers++ { // as many events at a time, which is a setting of the function
		f := lambdatest.Start(t, lambdatest.Config{
			Name: "authorizer", Root: root, Timeout: 3 * time.Second,
			Env: map[string]string{"GATEHOUSE_ISSUER": i.URL, "GATEHOUSE_AUDIENCE": "api", "AWS_LAMBDA_MAX_CONCURRENCY": strconv.Itoa(pollers)},
		})
		for range 3 {
			out, err := f.Invoke(t.Context(), event)
			if err != nil || !strings.Contains(string(out), `"isAuthorized":true`) {
				t.Fatalf("%d at a time: %s, %v", pollers, out, err)
			}
		}
		if connections, fetches := i.Fetches(); connections != pollers || fetches != pollers {
			t.Errorf("%d connections and %d fetches of keys for %d processes", connections, fetches, pollers)
		}
	}
}

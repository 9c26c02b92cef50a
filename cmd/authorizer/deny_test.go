package main

import (
	"crypto/rsa"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/lambdatest"
	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

var trials = flag.Int("trials", 20, "how many revocations to time")

// issuer is the login service: its keys and its revocations.
type issuer struct {
	*httptest.Server
	key *localkey.Key
	set []byte

	mu         sync.Mutex
	revoked    revocation.List
	keyFetches int
}

func serveIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := localkey.Generate()
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwks.Marshal([]*rsa.PublicKey{key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, set: set}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if r.URL.Path == "/revocations" {
			json.NewEncoder(w).Encode(&i.revoked)
			return
		}
		i.keyFetches++
		w.Write(i.set)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) end(session string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.revoked.AddSession(session)
}

// event is a request of an HTTP API with a token of the session.
func (i *issuer) event(t *testing.T, routeKey, session string) []byte {
	t.Helper()
	now := time.Now()
	rawToken, err := token.Access{
		Issuer: i.URL, Subject: "u_lin", Audience: "api", ClientID: "spa", SessionID: session,
		IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute),
	}.Sign(t.Context(), i.key)
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
	i := serveIssuer(t)
	root := lambdatest.Build(t, "github.com/gatehouse-auth/gatehouse/cmd/authorizer")
	young := strings.Replace(string(i.set), "{", fmt.Sprintf(`{"fetched_at":%d,`, time.Now().Unix()), 1)
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
		for n := range *trials {
			session := fmt.Sprint("fresh", n)
			event := i.event(t, "POST /pay", session)
			if !allowed(event) {
				t.Fatal("refused before the end of its session")
			}
			i.end(session)
			if allowed(event) {
				t.Errorf("trial %d: allowed after the end of its session", n)
			}
		}
	})
	t.Run("other routes within 5 seconds", func(t *testing.T) {
		var worst time.Duration
		ended, events := map[int]time.Time{}, map[int][]byte{}
		for n := range *trials {
			events[n] = i.event(t, "GET /", fmt.Sprint("normal", n))
			if !allowed(events[n]) {
				t.Fatal("refused before the end of its session")
			}
		}
		for next := 0; len(events) > 0; {
			if next < *trials { // one after the other, so that each meets another moment of the polling
				i.end(fmt.Sprint("normal", next))
				ended[next] = time.Now()
				next++
			}
			for n, event := range events {
				if at, over := ended[n]; over && !allowed(event) {
					worst = max(worst, time.Since(at))
					delete(events, n)
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Logf("the worst of %d: %v", *trials, worst)
		if worst > 5*time.Second+200*time.Millisecond {
			t.Errorf("the worst of %d took %v", *trials, worst)
		}
	})
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keyFetches != 0 {
		t.Errorf("S126 %d fetches of keys that are in the zip", i.keyFetches)
	}
}

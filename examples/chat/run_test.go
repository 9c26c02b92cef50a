package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/lambdatest"
)

// sockets is the management API of a stage, and beside it the revocation feed.
type sockets struct {
	mu      sync.Mutex
	open    map[string][]string // what each connection heard
	revoked string              // the entry of a session, or ""
}

func (s *sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/revocations" {
		fmt.Fprintf(w, `{"version":1,"sessions":[%s],"subjects":{}}`, s.revoked)
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/prod/@connections/")
	heard, open := s.open[id]
	if !open {
		w.WriteHeader(http.StatusGone)
		return
	}
	if r.Method == http.MethodDelete {
		delete(s.open, id)
		return
	}
	said, _ := io.ReadAll(r.Body)
	s.open[id] = append(heard, string(said))
}

// wantOpen checks which connections are open, and how much each of them heard.
func (s *sockets) wantOpen(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for id, heard := range s.open {
		got = append(got, fmt.Sprint(id, len(heard)))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("open %q, want %q", got, want)
	}
}

// TestFunctions runs both functions as Lambda does, with DynamoDB and the real
// clock: tokens end after a moment.
func TestFunctions(t *testing.T) {
	table := dynamotest.Endpoint(t, os.Getenv)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(table, nil), dynamotest.Definition("chat")); err != nil {
		t.Fatal(err)
	}
	s := &sockets{open: map[string][]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	run := func(root string) *lambdatest.Function {
		return lambdatest.Start(t, lambdatest.Config{Root: root, Env: map[string]string{
			"CHAT_TABLE": "chat", "CHAT_CONNECTIONS": server.URL + "/prod", "GATEHOUSE_ISSUER": server.URL, "AWS_ENDPOINT_URL_DYNAMODB": table,
		}, Log: t.Output()})
	}
	chat, sweepRoot := run(lambdatest.Build(t, ".")), lambdatest.Build(t, "./sweep")
	sweep := run(sweepRoot)

	send := func(id string, who identity.Identity, route, body string) int {
		t.Helper()
		event := testkit.WebSocket(who, route, body)
		event.RequestContext.ConnectionID = id
		payload, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		out, err := chat.Invoke(t.Context(), payload)
		if err != nil {
			t.Fatal(err)
		}
		var answer events.APIGatewayProxyResponse
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == 200 && route == "$connect" {
			s.mu.Lock()
			s.open[id] = nil
			s.mu.Unlock()
		}
		return answer.StatusCode
	}
	sweeps := func() {
		t.Helper()
		if out, err := sweep.Invoke(t.Context(), []byte(`{}`)); err != nil || !bytes.Equal(out, []byte("null")) {
			t.Errorf("%s, %v", out, err)
		}
	}

	ada, lin := testkit.As("ada"), testkit.As("lin")
	send("warm=", ada, "$default", "") // so that the moment is not spent starting
	sweeps()
	lin.ExpiresAt = time.Now().Add(4 * time.Second).Truncate(time.Second)
	for id, who := range map[string]identity.Identity{"ada=": ada, "talks=": lin, "listens=": lin} {
		if got := send(id, who, "$connect", ""); got != 200 {
			t.Fatalf("%s: %d", id, got)
		}
	}
	if got := send("talks=", lin, "$default", `{"text":"hello"}`); got != 200 {
		t.Errorf("in time: %d", got)
	}
	sweeps()
	s.wantOpen(t, "ada=1", "listens=1", "talks=1")

	time.Sleep(time.Until(lin.ExpiresAt))
	t.Run("S127 a message at exp is not heard, and ends its connection", func(t *testing.T) {
		if got := send("talks=", lin, "$default", `{"text":"hello?"}`); got != 401 {
			t.Errorf("%d", got)
		}
		s.wantOpen(t, "ada=1", "listens=1")
	})
	t.Run("S127 who listens hears nothing more, and is put out", func(t *testing.T) {
		if got := send("ada=", ada, "$default", `{"text":"Lin?"}`); got != 200 {
			t.Errorf("%d", got)
		}
		s.wantOpen(t, "ada=2", "listens=1")
		sweeps()
		s.wantOpen(t, "ada=2")
	})
	t.Run("S127 who was revoked is put out", func(t *testing.T) {
		s.mu.Lock()
		s.revoked = `"` + adaSession + `"`
		s.mu.Unlock()
		sweep = run(sweepRoot) // one that has not looked at the feed a moment ago
		sweeps()
		s.wantOpen(t)
	})
}

// adaSession is what the feed calls the session s_ada.
const adaSession = "44nXvCojAlc8S7VU"

package connection_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
)

// room is a function behind a guard, and all around it.
type room struct {
	connection.Guard
	store  connectiontest.Memory
	closer connectiontest.Closer
	now    time.Time
	log    bytes.Buffer

	called []string // the routes of the function's calls, and who called
	answer events.APIGatewayProxyResponse
	err    error
	during func() // while the function runs
}

func newRoom() *room {
	r := &room{now: time.Now().UTC().Truncate(time.Second), answer: events.APIGatewayProxyResponse{StatusCode: 200}}
	r.Guard = connection.Guard{
		Store: &r.store, Closer: &r.closer, Now: func() time.Time { return r.now },
		Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}
	return r
}

// gets is the status that the guarded function answers the event with.
func (r *room) gets(t *testing.T, event events.APIGatewayWebsocketProxyRequest) int {
	t.Helper()
	out, err := r.Protect(r.function)(t.Context(), event)
	if !errors.Is(err, r.err) {
		t.Error(err)
	}
	return out.StatusCode
}

func (r *room) function(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	who, _ := identity.FromContext(ctx)
	r.called = append(r.called, event.RequestContext.RouteKey+" "+who.Subject)
	if r.during != nil {
		r.during()
	}
	return r.answer, r.err
}

// ada is Ada, whose token ends ten minutes after the room's now.
func (r *room) ada() identity.Identity {
	who := testkit.As("ada")
	who.ExpiresAt = r.now.Add(testkit.TTL)
	return who
}

// wantCalled checks what the function was called with since the last time.
func (r *room) wantCalled(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.called); diff != "" {
		t.Error(diff)
	}
	r.called = nil
}

func (r *room) wantState(t *testing.T, open int, closed ...string) {
	t.Helper()
	if got := r.store.Open(); len(got) != open {
		t.Errorf("open %v, want %d", got, open)
	}
	if got := r.closer.Closed(); !cmp.Equal(got, closed) {
		t.Errorf("closed %q, want %q", got, closed)
	}
}

func TestGuard(t *testing.T) {
	t.Run("S127 a message is taken until the token ends, and not from then on", func(t *testing.T) {
		r := newRoom()
		ada := r.ada()
		if got := r.gets(t, testkit.WebSocket(ada, "$connect", "")); got != 200 {
			t.Fatal(got)
		}
		r.now = ada.ExpiresAt.Add(-time.Nanosecond)
		if got := r.gets(t, testkit.WebSocket(ada, "send", "hi")); got != 200 {
			t.Error(got)
		}
		r.wantCalled(t, "$connect u_ada", "send u_ada")
		r.wantState(t, 1)

		r.now = ada.ExpiresAt
		if got := r.gets(t, testkit.WebSocket(ada, "send", "hi")); got != 401 {
			t.Error(got)
		}
		r.wantCalled(t)
		r.wantState(t, 0, "testkit")
		if !strings.Contains(r.log.String(), `msg="message refused" reason=expired`) {
			t.Error(r.log.String())
		}
	})
	t.Run("S127 whoever the message pretends to come from", func(t *testing.T) {
		r := newRoom()
		ada := r.ada()
		r.now = ada.ExpiresAt.Add(time.Hour)
		// The client can choose a route of any name, and the body.
		for _, route := range []string{"$default", "$connect", "$disconnect", "CONNECT"} {
			event := testkit.WebSocket(ada, "send", `{"action":"`+route+`","exp":99999999999,"eventType":"CONNECT"}`)
			event.RequestContext.RouteKey = route
			if got := r.gets(t, event); got != 401 {
				t.Errorf("%s: %d", route, got)
			}
		}
		r.wantCalled(t)
		if len(r.store.Open()) != 0 {
			t.Error("remembered")
		}
	})
	t.Run("S127 nobody, no end, and what is damaged", func(t *testing.T) {
		r := newRoom()
		endless := r.ada()
		endless.ExpiresAt = time.Time{}
		damaged := testkit.WebSocket(r.ada(), "send", "")
		damaged.RequestContext.Authorizer.(map[string]any)["exp"] = "soon"
		for name, event := range map[string]events.APIGatewayWebsocketProxyRequest{
			"nobody": testkit.WebSocket(identity.Identity{}, "send", ""), "no end": testkit.WebSocket(endless, "send", ""), "damaged": damaged,
		} {
			if got := r.gets(t, event); got != 401 {
				t.Errorf("%s: %d", name, got)
			}
			event.RequestContext.EventType = "CONNECT"
			if got := r.gets(t, event); got != 401 {
				t.Errorf("%s, connecting: %d", name, got)
			}
		}
		r.wantCalled(t)
		r.wantState(t, 0, "testkit", "testkit", "testkit")
	})
	t.Run("S127 a message is refused though its connection cannot be closed", func(t *testing.T) {
		r := newRoom()
		ada := r.ada()
		r.gets(t, testkit.WebSocket(ada, "$connect", ""))
		r.closer.Fails = func(string) error { return errors.New("throttled") }
		r.now = ada.ExpiresAt
		if got := r.gets(t, testkit.WebSocket(ada, "send", "hi")); got != 401 {
			t.Error(got)
		}
		r.wantCalled(t, "$connect u_ada")
		r.wantState(t, 1) // for the sweep
	})
}

func TestConnect(t *testing.T) {
	t.Run("with a token that has ended", func(t *testing.T) {
		r := newRoom()
		if got := r.gets(t, testkit.WebSocket(testkit.As("ada", testkit.Expired()), "$connect", "")); got != 401 {
			t.Error(got)
		}
		r.wantCalled(t)
		r.wantState(t, 0)
	})
	t.Run("S127 there is no connection that nobody remembers", func(t *testing.T) {
		r := newRoom()
		r.store.Err = errors.New("out of reach")
		if got := r.gets(t, testkit.WebSocket(r.ada(), "$connect", "")); got != 503 {
			t.Error(got)
		}
		r.wantCalled(t)
	})
	t.Run("it is remembered before the function runs", func(t *testing.T) {
		r := newRoom()
		r.during = func() { r.wantState(t, 1) }
		ada := r.ada()
		r.gets(t, testkit.WebSocket(ada, "$connect", ""))
		want := []connection.Connection{{ID: "testkit", ExpiresAt: ada.ExpiresAt, Subject: "u_ada", SessionID: "s_ada", OpenedAt: r.now}}
		if diff := cmp.Diff(want, r.store.Open()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the function does not want it", func(t *testing.T) {
		r := newRoom()
		r.answer.StatusCode = 403
		if got := r.gets(t, testkit.WebSocket(r.ada(), "$connect", "")); got != 403 {
			t.Error(got)
		}
		r.answer, r.err = events.APIGatewayProxyResponse{}, errors.New("boom")
		r.gets(t, testkit.WebSocket(r.ada(), "$connect", ""))
		r.wantState(t, 0)
	})
	t.Run("S127 the token ends while the function runs", func(t *testing.T) {
		r := newRoom()
		ada := r.ada()
		r.during = func() { r.now = ada.ExpiresAt }
		if got := r.gets(t, testkit.WebSocket(ada, "$connect", "")); got != 401 {
			t.Error(got)
		}
		r.wantState(t, 0)
	})
}

func TestDisconnect(t *testing.T) {
	r := newRoom()
	ada := r.ada()
	r.gets(t, testkit.WebSocket(ada, "$connect", ""))
	r.now = ada.ExpiresAt.Add(time.Minute)
	if got := r.gets(t, testkit.WebSocket(ada, "$disconnect", "")); got != 200 {
		t.Error(got)
	}
	r.wantState(t, 0)
	// The function tidies up, whoever it was.
	r.store.Err = errors.New("out of reach")
	r.gets(t, testkit.WebSocket(ada, "$disconnect", ""))
	r.gets(t, testkit.WebSocket(identity.Identity{}, "$disconnect", ""))
	r.wantCalled(t, "$connect u_ada", "$disconnect u_ada", "$disconnect u_ada", "$disconnect ")
}

func TestSubprotocol(t *testing.T) {
	const name = "Sec-WebSocket-Protocol"
	for title, tc := range map[string]struct {
		offered string
		chosen  map[string]string // by the function
		want    map[string]string
	}{
		"none is offered":           {"", nil, nil},
		"the token is beside it":    {"bearer, aaa.bbb.ccc", nil, map[string]string{name: "bearer"}},
		"with others":               {"chat,bearer,aaa.bbb.ccc", map[string]string{"X": "y"}, map[string]string{"X": "y", name: "bearer"}},
		"in another case":           {"Bearer, aaa.bbb.ccc", nil, map[string]string{name: "Bearer"}},
		"others alone":              {"chat", nil, nil},
		"the function chose":        {"chat, bearer, aaa.bbb.ccc", map[string]string{"sec-websocket-protocol": "chat"}, map[string]string{"sec-websocket-protocol": "chat"}},
		"a word that begins as one": {"bearers, aaa.bbb.ccc", nil, nil},
	} {
		t.Run(title, func(t *testing.T) {
			r := newRoom()
			r.answer.Headers = tc.chosen
			for _, multi := range []bool{false, true} {
				event := testkit.WebSocket(r.ada(), "$connect", "")
				if multi {
					event.MultiValueHeaders = map[string][]string{strings.ToLower(name): {tc.offered}}
				} else {
					event.Headers = map[string]string{name: tc.offered}
				}
				out, err := r.Protect(r.function)(t.Context(), event)
				if diff := cmp.Diff(tc.want, out.Headers); diff != "" || err != nil {
					t.Error(diff, err)
				}
			}
		})
	}
}

// Events as API Gateway sends them, from the samples of aws-lambda-go: there was
// no authorizer of ours, so that nothing gets through; with what ours leaves in
// them, everything does.
func TestSamples(t *testing.T) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	if err != nil {
		t.Skip("no go command")
	}
	r := newRoom()
	left, err := json.Marshal(r.ada().Map())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		sample      string
		without     int
		function    string
		openedAfter int
	}{
		{"apigw-websocket-request.json", 401, "$connect u_ada", 1},
		{"apigw-websocket-request-send-message.json", 401, "$default u_ada", 1},
		{"apigw-websocket-request-disconnect.json", 200, "$disconnect u_ada", 0},
	} {
		t.Run(tc.sample, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "events/testdata", tc.sample))
			if err != nil {
				t.Fatal(err)
			}
			var event events.APIGatewayWebsocketProxyRequest
			if err := json.Unmarshal(text, &event); err != nil {
				t.Fatal(err)
			}
			event.RequestContext.ConnectionID = "R1kmxc2VNjMCFIA="
			event.RequestContext.Authorizer = nil
			if got := r.gets(t, event); got != tc.without {
				t.Errorf("without an identity: %d", got)
			}
			r.called = nil
			if err := json.Unmarshal(left, &event.RequestContext.Authorizer); err != nil {
				t.Fatal(err)
			}
			if got := r.gets(t, event); got != 200 {
				t.Errorf("%d", got)
			}
			r.wantCalled(t, tc.function)
			if open := r.store.Open(); len(open) != tc.openedAfter {
				t.Errorf("open: %v", open)
			}
		})
	}
}

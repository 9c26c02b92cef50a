package connection_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/apigateway"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// socketAPI is a WebSocket API: its gateway asks the real authorizer about
// $connect, keeps what it said for as long as a connection is open, and has the
// management API that closes one.
type socketAPI struct {
	judge   *gateway.Judge
	handle  connection.Handler
	closing *httptest.Server

	mu   sync.Mutex
	open map[string]json.RawMessage // context of each connection
}

func newSocketAPI(t *testing.T, issuer *testkit.Issuer) *socketAPI {
	t.Helper()
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: issuer.JWKSURL()})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Compile([]policy.Rule{{Route: "$connect", Roles: []string{"user"}}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := authorizer.New(authorizer.Config{
		Issuer: issuer.URL, Audience: issuer.Audience, Keys: keys.Key, Policy: rules, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	api := &socketAPI{open: map[string]json.RawMessage{}}
	api.judge, err = gateway.NewJudge(gateway.Authorizer{
		Kind: gateway.WebSocket, IdentitySources: []string{"route.request.header.Sec-WebSocket-Protocol"},
	}, a.Handle, nil)
	if err != nil {
		t.Fatal(err)
	}
	api.closing = httptest.NewServer(http.HandlerFunc(api.close))
	t.Cleanup(api.closing.Close)
	return api
}

// close is DELETE /prod/@connections/{id}.
func (api *socketAPI) close(w http.ResponseWriter, r *http.Request) {
	api.mu.Lock()
	id := r.URL.Path[len("/prod/@connections/"):]
	_, open := api.open[id]
	delete(api.open, id)
	api.mu.Unlock()
	switch {
	case r.Method != http.MethodDelete:
		w.WriteHeader(http.StatusForbidden)
	case !open:
		w.Header().Set("X-Amzn-ErrorType", "GoneException")
		w.WriteHeader(http.StatusGone)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// connect opens a connection, as new WebSocket(url, ["bearer", token]) does.
func (api *socketAPI) connect(t *testing.T, id, rawToken string) int {
	t.Helper()
	r := gateway.Request{
		Request: httptest.NewRequest("GET", "/", nil), Route: "$connect", Stage: "prod",
		API: "arn:aws:execute-api:eu-central-1:123456789012:socket1234", // not the API that the authorizer is deployed with
	}
	r.Header.Set("Sec-WebSocket-Protocol", "bearer, "+rawToken)
	j := api.judge.Judge(t.Context(), r)
	if j.Status != 200 {
		return j.Status
	}
	out := api.send(t, id, "CONNECT", "$connect", j.Context)
	if out == 200 {
		api.mu.Lock()
		api.open[id] = j.Context
		api.mu.Unlock()
	}
	return out
}

// message sends a message on an open connection.
func (api *socketAPI) message(t *testing.T, id string) int {
	t.Helper()
	api.mu.Lock()
	context, open := api.open[id]
	api.mu.Unlock()
	if !open {
		return 0
	}
	return api.send(t, id, "MESSAGE", "$default", context)
}

func (api *socketAPI) send(t *testing.T, id, kind, route string, left json.RawMessage) int {
	t.Helper()
	var event events.APIGatewayWebsocketProxyRequest
	event.RequestContext = events.APIGatewayWebsocketProxyRequestContext{EventType: kind, RouteKey: route, ConnectionID: id, Stage: "prod"}
	if err := json.Unmarshal(left, &event.RequestContext.Authorizer); err != nil {
		t.Fatal(err)
	}
	out, err := api.handle(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return out.StatusCode
}

func (api *socketAPI) opened() []string {
	api.mu.Lock()
	defer api.mu.Unlock()
	var ids []string
	for id := range api.open {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// TestEndToEnd is two connections from their handshakes to the end of their token:
// one that goes on talking, and one that listens.
func TestEndToEnd(t *testing.T) {
	issuer := testkit.NewIssuer(t)
	api := newSocketAPI(t, issuer)
	closer, err := apigateway.New(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}, api.closing.URL+"/prod")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	clock := func() time.Time { return now }
	var store connectiontest.Memory
	guard := connection.Guard{Store: &store, Closer: closer, Now: clock, Log: slog.New(slog.DiscardHandler)}
	sweep := connection.Sweep{Store: &store, Closer: closer, Now: clock}
	heard := 0
	api.handle = guard.Protect(func(_ context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		if event.RequestContext.EventType == "MESSAGE" {
			heard++
		}
		return events.APIGatewayProxyResponse{StatusCode: 200}, nil
	})
	wantOpen := func(want ...string) {
		t.Helper()
		if _, err := sweep.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if got := api.opened(); !slices.Equal(got, want) {
			t.Errorf("open %q, want %q", got, want)
		}
	}

	lin, later := testkit.As("lin"), testkit.As("ada")
	lin.ExpiresAt = lin.ExpiresAt.Add(-5 * time.Minute) // half of the token's life is over
	if got := api.connect(t, "none=", "x.y.z"); got != 401 {
		t.Errorf("a token that is none: %d", got)
	}
	if got := api.connect(t, "guest=", issuer.Token(testkit.As("eve", testkit.Roles("guest")))); got != 403 {
		t.Errorf("without the role of the rule for $connect: %d", got)
	}
	for _, id := range []string{"talks=", "listens=", "leaves="} {
		if got := api.connect(t, id, issuer.Token(lin)); got != 200 {
			t.Fatalf("%s: %d", id, got)
		}
	}
	if got := api.connect(t, "stays=", issuer.Token(later)); got != 200 {
		t.Fatal(got)
	}
	now = lin.ExpiresAt.Add(-time.Second)
	wantOpen("leaves=", "listens=", "stays=", "talks=")
	if got := api.message(t, "talks="); got != 200 || heard != 1 {
		t.Errorf("in time: %d, heard %d", got, heard)
	}
	api.mu.Lock()
	delete(api.open, "leaves=") // and API Gateway does not tell
	api.mu.Unlock()

	t.Run("S127 at exp a message is not heard, and ends its connection", func(t *testing.T) {
		now = lin.ExpiresAt
		if got := api.message(t, "talks="); got != 401 || heard != 1 {
			t.Errorf("%d, heard %d", got, heard)
		}
		if got := api.opened(); !slices.Equal(got, []string{"listens=", "stays="}) {
			t.Errorf("open %q", got)
		}
	})
	t.Run("S127 at exp the sweep ends those that listen, and no other", func(t *testing.T) {
		wantOpen("stays=")
		if got := store.Open(); len(got) != 1 || got[0].ID != "stays=" {
			t.Errorf("remembered: %v", got)
		}
		if got := api.message(t, "stays="); got != 200 || heard != 2 {
			t.Errorf("%d, heard %d", got, heard)
		}
		now = later.ExpiresAt
		wantOpen()
	})
}

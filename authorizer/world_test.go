package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

const (
	issuer   = "https://auth.example.com"
	audience = "https://api.example.com"
)

// world is an authorizer, the issuer behind it, and everything that it logs.
type world struct {
	*authorizer.Authorizer
	issuer *issuerServer
	clock  *fake.Clock
	log    bytes.Buffer
}

// everywhere admits users of first-party clients to every route.
var everywhere = []policy.Rule{{Route: "ANY /{proxy+}"}, {Route: "ANY /"}, {Route: "$connect"}}

// aMachine is the row of tokens with a token that needs a rule with a scope.
const aMachine = "a machine: no session, no roles, no sign-in"

// forMachines admits clients that act for themselves to the routes of the events.
var forMachines = []policy.Rule{{Route: "GET /notes/{id}", Scopes: []string{"notes:read"}}, {Route: "$connect", Scopes: []string{"notes:read"}}}

// newWorld returns an authorizer with the rules, or with everywhere if there are
// none. The issuer's address is the only one that it can reach.
func newWorld(t testing.TB, rules []policy.Rule, change ...func(*authorizer.Config)) *world {
	t.Helper()
	if rules == nil {
		rules = everywhere
	}
	w := &world{issuer: serve(t, tokentest.Ours(), tokentest.Next()), clock: new(fake.Clock)}
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{
		URL: w.issuer.URL + "/.well-known/jwks.json", Now: w.clock.Now, Log: silent,
		Client: &http.Client{Transport: onlyTo{t, w.issuer.Listener.Addr().String()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	config := authorizer.Config{
		Issuer: issuer, Audience: audience, Keys: keys.Key, Policy: p, Now: w.clock.Now,
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	for _, f := range change {
		f(&config)
	}
	if w.Authorizer, err = authorizer.New(config); err != nil {
		t.Fatal(err)
	}
	return w
}

// onlyTo fails the test when anything but the host is asked.
type onlyTo struct {
	t    testing.TB
	host string
}

func (o onlyTo) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != o.host {
		o.t.Errorf("asked %s", r.URL)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// logged returns what was logged since the last call.
func (w *world) logged() string {
	defer w.log.Reset()
	return w.log.String()
}

// tokens is the table of hostile and genuine tokens, for the time at which every
// world begins.
var tokens = sync.OnceValue(func() []tokentest.Row {
	return tokentest.World{Issuer: issuer, Audience: audience, Now: fake.Start, Leeway: 30 * time.Second}.Rows()
})

// rawToken is a genuine token for a user of a first-party client: words before the
// bar are roles, words behind it scopes.
func (w *world) rawToken(t testing.TB, sub, words string) string {
	t.Helper()
	roles, scopes, _ := strings.Cut(words, "|")
	now := w.clock.Now()
	rawToken, err := token.Access{
		Issuer: issuer, Subject: sub, Audience: audience, ClientID: "demo-spa", SessionID: "s_1",
		Roles: append([]string{}, strings.Fields(roles)...), Scopes: strings.Fields(scopes),
		IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute), AuthTime: now.Add(-time.Minute), Name: "Lin", Email: "lin@example.com",
	}.Sign(t.Context(), tokentest.Ours())
	if err != nil {
		t.Fatal(err)
	}
	return rawToken
}

// machineToken is a genuine token for a client that acts for itself.
func (w *world) machineToken(t testing.TB, scopes string) string {
	t.Helper()
	now := w.clock.Now()
	rawToken, err := token.Access{
		Issuer: issuer, Subject: "m_1", Audience: audience, ClientID: "m_1", Scopes: strings.Fields(scopes), IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute),
	}.Sign(t.Context(), tokentest.Ours())
	if err != nil {
		t.Fatal(err)
	}
	return rawToken
}

// ask hands the event to the authorizer, and decodes the answer.
func (w *world) ask(t testing.TB, event map[string]any) (map[string]any, error) {
	t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.Handle(context.Background(), payload)
	if err != nil {
		if out != nil {
			t.Errorf("an answer beside an error: %s", out)
		}
		return nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return answer, nil
}

// object is the member of m with the name, as an object.
func object(m map[string]any, name string) map[string]any {
	o, ok := m[name].(map[string]any)
	if !ok {
		o = map[string]any{}
		if m != nil {
			m[name] = o
		}
	}
	return o
}

// httpAPI is an event of an HTTP API, payload 2.0, for "GET /notes/{id}".
func httpAPI(authorization string) map[string]any {
	e := map[string]any{
		"version": "2.0", "type": "REQUEST",
		"routeArn":       "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/$default/GET/notes/42",
		"identitySource": []string{authorization}, "routeKey": "GET /notes/{id}", "rawPath": "/notes/42", "rawQueryString": "",
		"headers":        map[string]any{"accept": "*/*", "host": "api.example.com"},
		"pathParameters": map[string]any{"id": "42"},
		"requestContext": map[string]any{"routeKey": "GET /notes/{id}", "stage": "$default", "http": map[string]any{"method": "GET", "path": "/notes/42"}},
	}
	if authorization != "" {
		object(e, "headers")["authorization"] = authorization
	}
	return e
}

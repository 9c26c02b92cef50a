package gateway_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// asked1 sends a request to GET /things/{id} behind an authorizer, and returns
// the event that the function got and the response.
func asked1(t *testing.T, rest bool, target, answer string) (event map[string]any, w *httptest.ResponseRecorder) {
	t.Helper()
	guard := gateway.Authorizer{Name: "guard", Function: "auth", Kind: gateway.HTTP1, IdentitySources: []string{"$request.header.Authorization"}}
	cfg := gateway.Config{REST: rest, Template: &gateway.Template{Routes: []gateway.Route{{Key: "GET /things/{id}", Function: "f", Authorizer: "guard", Payload1: true}}},
		Functions: map[string]gateway.Function{
			"auth": func(context.Context, []byte) ([]byte, error) {
				return []byte(`{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]},"context":{"sub":"u_lin"}}`), nil
			},
			"f": func(_ context.Context, payload []byte) ([]byte, error) {
				return []byte(answer), json.Unmarshal(payload, &event)
			},
		}}
	if rest {
		cfg.Stage = "prod"
		guard.Kind, guard.IdentitySources = gateway.RESTRequest, []string{"method.request.header.Authorization"}
	}
	cfg.Template.Authorizers = []gateway.Authorizer{guard}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", target, strings.NewReader("hello"))
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("Content-Type", "text/plain")
	r.Header["X-Two"] = []string{"a", "b"}
	w = httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return event, w
}

func at(event map[string]any, path ...string) any {
	var v any = event
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func TestPayload1(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rest                  bool
		target, version, path string
		sub                   []string
	}{
		"an HTTP API": {false, "/things/7?q=1&q=2", "1.0", "/things/7", []string{"requestContext", "authorizer", "lambda", "sub"}},
		"a REST API":  {true, "/prod/things/7?q=1&q=2", "", "/things/7", []string{"requestContext", "authorizer", "sub"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, w := asked1(t, tc.rest, tc.target, `{"statusCode":201,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"made"}`)
			if w.Code != 201 || w.Body.String() != "made" || len(w.Header()["Set-Cookie"]) != 2 {
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
			version, _ := event["version"].(string)
			if version != tc.version || event["path"] != tc.path || event["resource"] != "/things/{id}" || event["body"] != "hello" {
				t.Errorf("%v", event)
			}
			if at(event, tc.sub...) != "u_lin" || at(event, "pathParameters", "id") != "7" || at(event, "queryStringParameters", "q") != "2" ||
				len(at(event, "multiValueHeaders", "X-Two").([]any)) != 2 || at(event, "requestContext", "requestTimeEpoch") == nil {
				t.Errorf("%v", event)
			}
		})
	}
}

func TestRESTStatuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		target, answer string
		status         int
		body           string
	}{
		{"/prod/nowhere", "", 403, `{"message":"Missing Authentication Token"}`},
		{"/things/7", "", 403, `{"message":"Missing Authentication Token"}`},
		{"/prod/things/7/", `{"statusCode":200}`, 200, ""},
		{"/prod/things/7", `{"body":"no status"}`, 502, `{"message": "Internal server error"}`},
		{"/prod/things/7", `no JSON`, 502, `{"message": "Internal server error"}`},
	} {
		if _, w := asked1(t, true, tc.target, tc.answer); w.Code != tc.status || w.Body.String() != tc.body {
			t.Errorf("%s: %d %s", tc.target, w.Code, w.Body)
		}
	}
	if _, w := asked1(t, false, "/things/7", `{"body":"no status"}`); w.Code != 500 {
		t.Errorf("payload 1.0 of an HTTP API without statusCode: %d", w.Code)
	}
}

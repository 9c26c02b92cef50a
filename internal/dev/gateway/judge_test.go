package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

const restAPI = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234"

// sourceOf is the Authorization header, as an identity source of each kind.
var sourceOf = map[gateway.Kind]string{
	gateway.HTTP2: "$request.header.Authorization", gateway.HTTP1: "$request.header.Authorization",
	gateway.RESTRequest: "method.request.header.Authorization", gateway.RESTToken: "method.request.header.Authorization",
	gateway.WebSocket: "route.request.header.Authorization",
}

// judged is what a kind says of a request with the Authorization header, when its
// authorizer answers so.
func judged(t *testing.T, k gateway.Kind, authorization, answer string, err error) (j gateway.Judgement, event map[string]any) {
	t.Helper()
	judge, wrong := gateway.NewJudge(gateway.Authorizer{Kind: k, IdentitySources: []string{sourceOf[k]}},
		func(_ context.Context, payload []byte) ([]byte, error) {
			if err := json.Unmarshal(payload, &event); err != nil {
				t.Error(err)
			}
			return []byte(answer), err
		}, nil)
	if wrong != nil {
		t.Fatal(wrong)
	}
	r := gateway.Request{Request: httptest.NewRequest("GET", "/notes/a%2Fb?x=1&x=2", nil), API: restAPI, Stage: "prod", Route: "GET /notes/{id}"}
	if k == gateway.WebSocket {
		r.Route = "$connect"
	}
	if authorization != "" {
		r.Header.Add("Authorization", authorization)
	}
	return judge.Judge(t.Context(), r), event
}

func TestJudge(t *testing.T) {
	all := []gateway.Kind{gateway.HTTP2, gateway.HTTP1, gateway.RESTRequest, gateway.RESTToken, gateway.WebSocket}
	with := func(context string) string {
		return strings.TrimSuffix(allow("*"), "}") + `,"context":` + context + `}`
	}
	for _, tc := range []struct {
		name   string
		answer string
		err    error
		status [5]int // of each kind
	}{
		{"allow", allow("*"), nil, [5]int{200, 200, 200, 200, 200}},
		{"S117 deny", policy("[" + rule("Deny", "execute-api:Invoke", "*") + "]"), nil, [5]int{403, 403, 403, 403, 403}},
		{"S117 nothing is allowed", allow(restAPI + "/prod/POST/other"), nil, [5]int{403, 403, 403, 403, 403}},
		{"S117 the error Unauthorized", "", errors.New("Unauthorized"), [5]int{500, 500, 401, 401, 401}},
		{"S117 another case of it", "", errors.New("unauthorized"), [5]int{500, 500, 500, 500, 500}},
		{"S117 more than it", "", errors.New("Unauthorized: expired"), [5]int{500, 500, 500, 500, 500}},
		{"S117 any other error", "", errors.New("boom"), [5]int{500, 500, 500, 500, 500}},
		{"I33 a function's answer", `{"statusCode":401,"body":"Unauthorized"}`, nil, [5]int{500, 500, 500, 500, 500}},
		{"a simple answer that no one asked for", `{"isAuthorized":true}`, nil, [5]int{500, 500, 500, 500, 500}},
		{"I32 a list in the context", with(`{"roles":["a"]}`), nil, [5]int{200, 200, 500, 500, 500}},
		{"I32 an object in the context", with(`{"a":{}}`), nil, [5]int{200, 200, 500, 500, 500}},
		{"I32 null in the context", with(`{"a":null}`), nil, [5]int{200, 200, 500, 500, 500}},
		{"I32 a context that is a list", with(`[]`), nil, [5]int{500, 500, 500, 500, 500}},
		{"S119 no statement", policy("[]"), nil, [5]int{500, 500, 500, 500, 500}},
		{"S119 512 characters", allow(strings.Repeat("*", 512)), nil, [5]int{200, 200, 200, 200, 200}},
		{"S119 513 characters", allow(strings.Repeat("*", 513)), nil, [5]int{500, 500, 500, 500, 500}},
		{"S119 over 8 KB", with(`{"a":"` + strings.Repeat("x", 8<<10) + `"}`), nil, [5]int{500, 500, 500, 500, 500}},
		{"S119 no principal", strings.Replace(allow("*"), "u_1", "", 1), nil, [5]int{500, 500, 500, 500, 500}},
	} {
		for i, k := range all {
			t.Run(tc.name+": "+k.String(), func(t *testing.T) {
				if got, _ := judged(t, k, "Bearer t1", tc.answer, tc.err); got.Status != tc.status[i] || !got.Asked {
					t.Errorf("%+v, want %d", got, tc.status[i])
				}
			})
		}
	}
	for _, k := range all {
		t.Run("S118 without its identity source: "+k.String(), func(t *testing.T) {
			if got, event := judged(t, k, "", allow("*"), nil); got.Status != 401 || got.Asked || event != nil {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestJudgeEvents(t *testing.T) {
	for _, tc := range []struct {
		kind            gateway.Kind
		have            map[string]any
		headers, absent string
	}{
		{gateway.HTTP2, map[string]any{"version": "2.0", "type": "REQUEST", "routeArn": restAPI + "/prod/GET/notes/a%2Fb", "routeKey": "GET /notes/{id}"}, "authorization", "methodArn"},
		{gateway.HTTP1, map[string]any{"version": "1.0", "type": "REQUEST", "methodArn": restAPI + "/prod/GET/notes/a%2Fb", "resource": "/notes/{id}", "httpMethod": "GET", "identitySource": "Bearer t1", "authorizationToken": "Bearer t1"}, "Authorization", "routeArn"},
		{gateway.RESTRequest, map[string]any{"type": "REQUEST", "methodArn": restAPI + "/prod/GET/notes/a%2Fb", "resource": "/notes/{id}", "httpMethod": "GET"}, "Authorization", "version"},
		{gateway.RESTToken, map[string]any{"type": "TOKEN", "methodArn": restAPI + "/prod/GET/notes/a%2Fb", "authorizationToken": "Bearer t1"}, "", "headers"},
		{gateway.WebSocket, map[string]any{"type": "REQUEST", "methodArn": restAPI + "/prod/$connect"}, "Authorization", "resource"},
	} {
		t.Run(tc.kind.String(), func(t *testing.T) {
			_, event := judged(t, tc.kind, "Bearer t1", allow("*"), nil)
			for name, want := range tc.have {
				if event[name] != want {
					t.Errorf("%s is %v, want %v", name, event[name], want)
				}
			}
			headers, _ := event["headers"].(map[string]any)
			if _, has := event[tc.absent]; has || tc.headers != "" && headers[tc.headers] != "Bearer t1" {
				t.Errorf("%v", event)
			}
			if context, _ := event["requestContext"].(map[string]any); tc.kind == gateway.WebSocket &&
				(context["eventType"] != "CONNECT" || context["routeKey"] != "$connect" || context["connectionId"] == nil) {
				t.Errorf("%v", context)
			}
		})
	}
}

// What a function is given: strings only, and the principal, unless it is an
// HTTP API.
func TestJudgeContext(t *testing.T) {
	answer := strings.TrimSuffix(allow("*"), "}") + `,"context":{"s":"a","n":1700000000,"b":true,"principalId":"u_ada"}}`
	for k, want := range map[gateway.Kind]string{
		gateway.HTTP1:     `{"s":"a","n":1700000000,"b":true,"principalId":"u_ada"}`,
		gateway.RESTToken: `{"b":"true","n":"1700000000","principalId":"u_1","s":"a"}`,
		gateway.WebSocket: `{"b":"true","n":"1700000000","principalId":"u_1","s":"a"}`,
	} {
		if got, _ := judged(t, k, "Bearer t1", answer, nil); string(got.Context) != want || got.Principal != "u_1" {
			t.Errorf("%v: %s, %s", k, got.Context, got.Principal)
		}
	}
}

func TestNewJudgeRefuses(t *testing.T) {
	header, minute := []string{"method.request.header.Authorization"}, time.Minute
	for name, a := range map[string]gateway.Authorizer{
		"simple answers of a REST API":       {Kind: gateway.RESTRequest, IdentitySources: header, Simple: true},
		"a TOKEN authorizer with no header":  {Kind: gateway.RESTToken},
		"a TOKEN authorizer with two":        {Kind: gateway.RESTToken, IdentitySources: append(header, header...)},
		"a TOKEN authorizer by the query":    {Kind: gateway.RESTToken, IdentitySources: []string{"method.request.querystring.token"}},
		"a WebSocket's answers kept":         {Kind: gateway.WebSocket, IdentitySources: []string{"route.request.header.Authorization"}, TTL: minute},
		"an HTTP API's source in a REST API": {Kind: gateway.RESTRequest, IdentitySources: []string{"$request.header.Authorization"}},
		"a REST API's source in an HTTP API": {IdentitySources: header},
		"I34 kept for nobody in particular":  {Kind: gateway.RESTRequest, TTL: minute},
		"no such kind":                       {Kind: 9},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := gateway.NewJudge(a, nil, nil); err == nil {
				t.Error("taken")
			}
		})
	}
	t.Run("a REST authorizer before an HTTP API", func(t *testing.T) {
		_, err := gateway.New(gateway.Config{
			Template:  &gateway.Template{Authorizers: []gateway.Authorizer{{Name: "a", Function: "f", Kind: gateway.RESTToken, IdentitySources: header}}},
			Functions: map[string]gateway.Function{"f": func(context.Context, []byte) ([]byte, error) { return nil, nil }},
		})
		if err == nil {
			t.Error("taken")
		}
	})
}

// An answer is kept for the same values of every identity source.
func TestJudgeKeeps(t *testing.T) {
	asked := 0
	judge, err := gateway.NewJudge(gateway.Authorizer{Kind: gateway.RESTRequest, TTL: time.Minute,
		IdentitySources: []string{"method.request.header.Authorization", "method.request.querystring.q", "context.httpMethod"}},
		func(context.Context, []byte) ([]byte, error) { asked++; return []byte(allow("*")), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		method, target, token string
		asked                 int
	}{
		{"GET", "/a?q=1", "t1", 1}, {"GET", "/b?q=1", "t1", 1}, {"GET", "/a?q=2", "t1", 2}, {"GET", "/a?q=1", "t2", 3}, {"HEAD", "/a?q=1", "t1", 4},
	} {
		r := gateway.Request{Request: httptest.NewRequest(step.method, step.target, nil), API: restAPI, Stage: "prod", Route: "ANY /{proxy+}"}
		r.Header.Set("Authorization", step.token)
		if got := judge.Judge(t.Context(), r); got.Status != 200 || asked != step.asked {
			t.Errorf("I30 %+v: %+v, asked %d times", step, got, asked)
		}
	}
}

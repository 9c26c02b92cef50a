package gateway_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

func readTemplate(t *testing.T, text string) (*gateway.Template, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serverless.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return gateway.ReadTemplate(path)
}

const provider = `
provider:
  httpApi:
    authorizers:
      gatehouse:
        type: request
        functionName: authorizer
        identitySource: [$request.header.Authorization, $context.routeKey]
        resultTtlInSeconds: 60
        payloadVersion: '2.0'
        enableSimpleResponses: true
      fresh: {type: request, functionName: authorizer, resultTtlInSeconds: 0, identitySource: $request.header.Authorization}
`

func TestReadTemplate(t *testing.T) {
	got, err := readTemplate(t, provider+`
functions:
  b:
    handler: bootstrap
    events:
      - httpApi: GET /b
      - httpApi: {method: post, path: '/b/{id}', authorizer: {name: gatehouse}}
      - httpApi: {method: '*', path: '/b/{proxy+}', authorizer: fresh}
      - schedule: rate(1 hour)
  a:
    role: !GetAtt Role.Arn
    events:
      - httpApi: '*'
  authorizer: {handler: bootstrap}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &gateway.Template{
		Routes: []gateway.Route{{Key: "GET /b", Function: "b"}, {Key: "POST /b/{id}", Function: "b", Authorizer: "gatehouse"},
			{Key: "ANY /b/{proxy+}", Function: "b", Authorizer: "fresh"}, {Key: "$default", Function: "a"}},
		Authorizers: []gateway.Authorizer{
			{Name: "fresh", Function: "authorizer", IdentitySources: []string{"$request.header.Authorization"}},
			{Name: "gatehouse", Function: "authorizer", TTL: time.Minute, Simple: true,
				IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"GET /b", "$default"}, got.Public()); diff != "" {
		t.Error(diff)
	}
}

func TestReadTemplateRefuses(t *testing.T) {
	function := func(event string) string { return provider + "functions: {f: {events: [{httpApi: " + event + "}]}}" }
	for name, tc := range map[string]struct{ text, want string }{
		"no YAML":                  {"a: [", "yaml"},
		"CORS that is a word":      {"provider: {httpApi: {cors: yes please}}", "line 1: provider.httpApi.cors: want true"},
		"a misspelt key of CORS":   {"provider:\n  httpApi:\n    cors: {allowOrigins: ['*']}", "line 3: provider.httpApi.cors: allowOrigins is no key of it"},
		"credentials for everyone": {"provider: {httpApi: {cors: {allowCredentials: true}}}", "AWS refuses allowCredentials"},
		"a payload that is none":   {"provider: {httpApi: {payload: '3.0'}}", "payload: want '1.0' or '2.0'"},
		"the API of another":       {"provider: {httpApi: {id: x}}", "id"},
		"a JWT authorizer":         {"provider: {httpApi: {authorizers: {a: {type: jwt}}}}", "authorizer a: type"},
		"no function":              {"provider: {httpApi: {authorizers: {a: {type: request, resultTtlInSeconds: 0}}}}", "functionName"},
		"two functions":            {"provider: {httpApi: {authorizers: {a: {type: request, functionName: f, functionArn: x}}}}", "functionName"},
		"an authorizer of 3.0":     {"provider: {httpApi: {authorizers: {a: {type: request, functionName: f, payloadVersion: '3.0'}}}}", "payloadVersion"},
		"simple answers in 1.0":    {"provider: {httpApi: {authorizers: {a: {type: request, functionName: f, payloadVersion: '1.0', enableSimpleResponses: true, resultTtlInSeconds: 0}}}}", "only payload 2.0"},
		"no TTL":                   {"provider: {httpApi: {authorizers: {a: {type: request, functionName: f}}}}", "resultTtlInSeconds"},
		"I34 a cache for all":      {"provider: {httpApi: {authorizers: {a: {type: request, functionName: f, resultTtlInSeconds: 1}}}}", "no identitySource"},
		"a method that is none":    {function("FETCH /a"), "FETCH"},
		"no path":                  {function("GET"), "GET"},
		"an unknown authorizer":    {function("{method: get, path: /a, authorizer: nobody}"), `"nobody"`},
		"an authorizer of no name": {function("{method: get, path: /a, authorizer: {type: jwt}}"), "only one with a name"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readTemplate(t, tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := gateway.ReadTemplate(filepath.Join(t.TempDir(), "none.yml")); err == nil {
		t.Error("a file that is not there")
	}
}

func TestMostSpecificRoute(t *testing.T) {
	// The first five stand in the documentation of HTTP APIs.
	routes := []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default",
		"ANY /users/me", "GET /users/{id}", "POST /users/{id}", "GET /users/{id}/sessions", "GET /{x}/b/c", "GET /a/{proxy+}", "GET /", "ANY /both", "GET /both"}
	for _, tc := range []struct{ method, target, want string }{
		{"GET", "/pets/dog/1", "GET /pets/dog/1"},
		{"GET", "/pets/dog/2", "GET /pets/dog/{id}"},
		{"GET", "/pets/cat/1", "GET /pets/{proxy+}"},
		{"POST", "/test/5", "ANY /{proxy+}"},
		{"GET", "/users/me", "ANY /users/me"},
		{"GET", "/users/7", "GET /users/{id}"},
		{"POST", "/users/7", "POST /users/{id}"},
		{"PUT", "/users/7", "ANY /{proxy+}"},
		{"HEAD", "/users/7", "ANY /{proxy+}"},
		{"GET", "/users/7/sessions", "GET /users/{id}/sessions"},
		{"GET", "/users/7%2Fsessions", "GET /users/{id}"},
		{"GET", "/users/7/", "ANY /{proxy+}"},
		{"GET", "/users/", "ANY /{proxy+}"},
		{"GET", "/us%65rs/me", "ANY /users/me"},
		{"GET", "/a/b/c", "GET /{x}/b/c"},
		{"GET", "/a/b/d", "GET /a/{proxy+}"},
		{"GET", "/both", "GET /both"},
		{"PUT", "/both", "ANY /both"},
		{"GET", "/", "GET /"},
		{"POST", "/", "$default"},
		{"GET", "//", "ANY /{proxy+}"},
	} {
		t.Run(tc.method+" "+tc.target, func(t *testing.T) {
			if got := routeOf(t, routes, tc.method, tc.target); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			// The order of the template does not matter.
			backwards := make([]string, 0, len(routes))
			for i := range routes {
				backwards = append(backwards, routes[len(routes)-1-i])
			}
			if got := routeOf(t, backwards, tc.method, tc.target); got != tc.want {
				t.Errorf("backwards: got %s, want %s", got, tc.want)
			}
		})
	}
}

// routeOf returns the key of the route that serves a request.
func routeOf(t *testing.T, keys []string, method, target string) string {
	t.Helper()
	var got string
	cfg := gateway.Config{
		Template:  &gateway.Template{},
		Functions: map[string]gateway.Function{"f": func(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }},
		Observe:   func(x gateway.Exchange) { got = x.Route },
	}
	for _, key := range keys {
		cfg.Template.Routes = append(cfg.Template.Routes, gateway.Route{Key: key, Function: "f"})
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil))
	return got
}

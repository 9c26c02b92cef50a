package lambdahttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

// seen is what a handler can tell of a request.
type seen struct {
	Method, URI, Path, Host, From, ID, Who, Body, Cookie string
	Accept                                               []string
	Length                                               int64
	Framing                                              string // Host and Content-Length, where they stand among the headers
}

// look sends event through the adapter and returns what the handler saw.
func look(t *testing.T, event string) (seen, int) {
	t.Helper()
	var got seen
	handle := lambdahttp.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		who, _ := identity.FromContext(r.Context())
		got = seen{r.Method, r.RequestURI, r.URL.Path, r.Host, r.RemoteAddr, httpx.RequestID(r.Context()),
			who.Subject, string(body), r.Header.Get("Cookie"), r.Header.Values("Accept"), r.ContentLength,
			r.Header.Get("Host") + r.Header.Get("Content-Length")}
	}))
	out, err := handle(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		StatusCode int `json:"statusCode"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return got, answer.StatusCode
}

func TestRequest(t *testing.T) {
	for _, tc := range []struct {
		name, event string
		want        seen
	}{
		{"payload 2.0", `{"version":"2.0","routeKey":"POST /users/{id}","rawPath":"/users/u 1","rawQueryString":"a=1&a=%20&b",
			"cookies":["x=1","y=2"],"headers":{"accept":"text/html,*/*","host":"auth.example.com","content-length":"9"},
			"pathParameters":{"id":"u 1"},"body":"aGVsbG8=","isBase64Encoded":true,
			"requestContext":{"requestId":"r1","stage":"$default","http":{"method":"POST","sourceIp":"192.0.2.7"},
			"authorizer":{"lambda":{"sub":"u_lin","auth_time":1700000000}}}}`,
			seen{Method: "POST", URI: "/users/u%201?a=1&a=%20&b", Path: "/users/u 1", Host: "auth.example.com", From: "192.0.2.7:0",
				ID: "r1", Who: "u_lin", Body: "hello", Cookie: "x=1; y=2", Accept: []string{"text/html,*/*"}, Length: 5, Framing: "5"}},
		{"HTTP API with payload 1.0", `{"version":"1.0","resource":"/me","path":"/prod/me","httpMethod":"GET",
			"headers":{"accept":"b"},"multiValueHeaders":{"accept":["a","b"],"cookie":["x=1; y=2"],"host":["h"],"content-length":["9"]},
			"queryStringParameters":{"a":"2"},"multiValueQueryStringParameters":{"a":["1 0","2"]},"body":null,
			"requestContext":{"requestId":"r2","stage":"prod","identity":{"sourceIp":"2001:db8::1"},"authorizer":{"principalId":"p","sub":"u_ada"}}}`,
			seen{Method: "GET", URI: "/me?a=1+0&a=2", Path: "/me", Host: "h", From: "[2001:db8::1]:0",
				ID: "r2", Who: "u_ada", Cookie: "x=1; y=2", Accept: []string{"a", "b"}}},
		{"REST API", `{"resource":"/notes/{id}","path":"/notes/a%2Fb","httpMethod":"PUT","headers":{"Accept":"a","Host":"h"},
			"multiValueHeaders":null,"queryStringParameters":{"q":"&"},"multiValueQueryStringParameters":null,"body":"\u0000é",
			"requestContext":{"requestId":"r3","stage":"prod","path":"/prod/notes/a%2Fb","identity":{"sourceIp":"192.0.2.7"},"authorizer":null}}`,
			seen{Method: "PUT", URI: "/notes/a%2Fb?q=%26", Path: "/notes/a/b", Host: "h", From: "192.0.2.7:0",
				ID: "r3", Body: "\x00é", Accept: []string{"a"}, Length: 3, Framing: "3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := look(t, tc.event)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPath(t *testing.T) {
	v2 := func(stage, route, path, parameters string) string {
		return `{"version":"2.0","routeKey":"` + route + `","rawPath":"` + path + `","pathParameters":` + parameters +
			`,"requestContext":{"stage":"` + stage + `","http":{"method":"GET"}}}`
	}
	rest := func(resource, path string) string {
		return `{"resource":"` + resource + `","path":"` + path + `","httpMethod":"GET"}`
	}
	for _, tc := range []struct{ name, event, want string }{ // want "": 400, unseen
		{"a literal route", v2("$default", "GET /me", "/me", "null"), "/me"},
		{"a literal route under a named stage", v2("prod", "GET /me", "/prod/me", "null"), "/me"},
		{"a stage that is named as the route begins", v2("me", "GET /me", "/me/me", "null"), "/me"},
		{"the root", v2("prod", "GET /", "/prod/", "null"), "/"},
		{"a slash that was escaped stays in its segment", v2("$default", "GET /users/{id}", "/users/a/sessions", `{"id":"a/sessions"}`), "/users/a%2Fsessions"},
		{"a percent sign is not decoded again", v2("$default", "GET /users/{id}", "/users/%2e", `{"id":"%2e"}`), "/users/%252e"},
		{"a question mark does not begin a query", v2("$default", "GET /users/{id}", "/users/a", `{"id":"a?admin=1"}`), "/users/a%3Fadmin=1"},
		{"a greedy parameter", v2("$default", "ANY /demo/{proxy+}", "/demo/a b/c", `{"proxy":"a b/c"}`), "/demo/a%20b/c"},
		{"a parameter is missing", v2("$default", "GET /users/{id}", "/users/1", `{}`), ""},
		{"$default", v2("$default", "$default", "/a b/%2e", "null"), "/a%20b/%252e"},
		{"$default under a named stage", v2("prod", "$default", "/prod", "null"), "/"},
		{"a path that only begins like the stage", v2("prod", "$default", "/products", "null"), "/products"},
		{"$default, and no path", v2("$default", "$default", "x", "null"), ""},
		{"a function URL, which does not decode", `{"version":"2.0","routeKey":"$default","rawPath":"/a%2Fb","requestContext":{"domainName":"x.lambda-url.eu-west-1.on.aws","stage":"$default","http":{"method":"GET"}}}`, "/a%2Fb"},
		{"REST", rest("/users/{id}", "/users/a%2Fb"), "/users/a%2Fb"},
		{"REST under a mapping", rest("/users/{id}", "/v1/users/7"), "/users/7"},
		{"REST, greedy", rest("/demo/{proxy+}", "/demo/a/b"), "/demo/a/b"},
		{"REST, a path that ends in a slash", rest("/me", "/me/"), "/me/"},
		{"REST, a path of another route", rest("/users/{id}", "/users/a/sessions"), ""},
		{"REST, too short", rest("/users/{id}", "/users"), ""},
		{"REST, not an escape", rest("/users/{id}", "/users/%zz"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, status := look(t, tc.event)
			if got.URI != tc.want || (tc.want == "") != (status == 400) {
				t.Errorf("got %q with status %d, want %q", got.URI, status, tc.want)
			}
		})
	}
}

func TestHeadersDoNotIdentify(t *testing.T) {
	got, _ := look(t, `{"version":"2.0","routeKey":"GET /me","rawPath":"/me","headers":{"sub":"u_ada","x-amzn-authorizer-sub":"u_ada",
		"requestcontext":"{\"authorizer\":{\"lambda\":{\"sub\":\"u_ada\"}}}","x_user":"u_ada"},
		"requestContext":{"http":{"method":"GET"},"authorizer":{"lambda":{"roles":"admin"}}}}`)
	if got.Who != "" {
		t.Errorf("called as %q", got.Who)
	}
}

// An event that keeps the function warm is nothing to report.
func TestWarmUp(t *testing.T) {
	for _, event := range []string{`{}`, `{"source":"serverless-plugin-warmup"}`} {
		out, err := lambdahttp.Handler(http.NotFoundHandler())(t.Context(), []byte(event))
		if err != nil || string(out) != `{}` {
			t.Errorf("%s: %s, %v", event, out, err)
		}
	}
}

func TestNotAnEvent(t *testing.T) {
	const secret = "eyJhbGciOiJSUzI1NiJ9"
	for _, event := range []string{``, `[]`, `null`, `{"version":"2.0","rawPath":"/"}`, `{"httpMethod":"GET"}`,
		`{"version":` + secret + `}`, `{"headers":{"authorization":1` + secret + `}}`} {
		out, err := lambdahttp.Handler(http.NotFoundHandler())(context.Background(), []byte(event))
		if !errors.Is(err, lambdahttp.ErrNotHTTP) || out != nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %s, %v", event, out, err)
		}
	}
}

func TestBadBase64(t *testing.T) {
	if _, status := look(t, `{"version":"2.0","routeKey":"POST /token","rawPath":"/token","body":"a=1","isBase64Encoded":true,
		"requestContext":{"http":{"method":"POST"}}}`); status != 400 {
		t.Errorf("status %d", status)
	}
}

func FuzzHandler(f *testing.F) {
	f.Add([]byte(`{"version":"2.0","routeKey":"GET /{a}/{b+}","rawPath":"/x","pathParameters":{"a":"..","b":"//"},"requestContext":{"stage":"x","http":{"method":"GET"}}}`))
	f.Add([]byte(`{"resource":"/{a}","path":"/%2F","httpMethod":"GET","body":"AA==","isBase64Encoded":true}`))
	handle := lambdahttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, err := url.PathUnescape(r.URL.EscapedPath()); err != nil || path != r.URL.Path || path[0] != '/' {
			panic(path)
		}
		io.Copy(w, r.Body)
	}))
	f.Fuzz(func(t *testing.T, event []byte) {
		if out, err := handle(context.Background(), event); err == nil && !json.Valid(out) {
			t.Errorf("%s", out)
		}
	})
}

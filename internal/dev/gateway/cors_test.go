package gateway_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

func TestReadCORS(t *testing.T) {
	t.Parallel()
	routes := "\nfunctions: {f: {events: [{httpApi: GET /a}, {httpApi: POST /a}]}}"
	standard := []string{"Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token", "X-Amz-User-Agent", "X-Amzn-Trace-Id"}
	for text, want := range map[string]*gateway.CORS{
		"provider: {httpApi: {payload: '2.0'}}" + routes: nil,
		"provider: {httpApi: {cors: false}}" + routes:    nil,
		"provider: {httpApi: {cors: true}}" + routes:     {AllowOrigins: []string{"*"}, AllowHeaders: standard, AllowMethods: []string{"GET", "OPTIONS", "POST"}},
		"provider: {httpApi: {cors: {allowedOrigins: 'https://a.example', allowedMethods: [GET], allowedHeaders: [authorization], exposedResponseHeaders: [etag], maxAge: 60, allowCredentials: true}}}" + routes: {
			AllowOrigins: []string{"https://a.example"}, AllowMethods: []string{"GET"}, AllowHeaders: []string{"authorization"}, ExposeHeaders: []string{"etag"}, MaxAge: 60, Credentials: true},
		"provider: {httpApi: {cors: true}}\nfunctions: [{f: {events: [{httpApi: '*'}]}}]": {AllowOrigins: []string{"*"}, AllowHeaders: standard, AllowMethods: []string{"*"}},
	} {
		got, err := gateway.ParseTemplate([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got.CORS); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

// corsGateway has a cors block for https://app.example, an authorizer that
// refuses, and functions that set CORS headers of their own.
func corsGateway(t *testing.T, change func(*gateway.Config)) *gateway.Gateway {
	t.Helper()
	cfg := gateway.Config{
		Template: &gateway.Template{
			Authorizers: []gateway.Authorizer{{Name: "guard", Function: "deny", Simple: true, TTL: time.Minute, IdentitySources: []string{"$request.header.Authorization"}}},
			Routes: []gateway.Route{{Key: "GET /open", Function: "f"}, {Key: "GET /guarded", Function: "f", Authorizer: "guard"},
				{Key: "ANY /any", Function: "f", Authorizer: "guard"}, {Key: "GET /broken", Function: "broken"}, {Key: "OPTIONS /own", Function: "f"}},
			CORS: &gateway.CORS{AllowOrigins: []string{"https://app.example"}, AllowMethods: []string{"GET"}, AllowHeaders: []string{"Authorization"}, ExposeHeaders: []string{"ETag"}, MaxAge: 300},
		},
		Functions: map[string]gateway.Function{
			"deny": func(context.Context, []byte) ([]byte, error) { return []byte(`{"isAuthorized":false}`), nil },
			"f": func(context.Context, []byte) ([]byte, error) {
				return []byte(`{"statusCode":200,"headers":{"access-control-allow-origin":"*","www-authenticate":"Bearer"}}`), nil
			},
			"broken": func(context.Context, []byte) ([]byte, error) { return []byte(`{"statusCode":1}`), nil },
		},
	}
	if change != nil {
		change(&cfg)
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const app = "https://app.example"
	for _, tc := range []struct {
		name, method, path, origin string
		status                     int
		allowed, methods           string // headers of the response
		onlySwitched               bool   // the header is gone with NoCORSOnRefusals
	}{
		{"a preflight for a guarded route", "OPTIONS", "/guarded", app, 204, app, "GET", false},
		{"a preflight for no route", "OPTIONS", "/nowhere", app, 204, app, "GET", false},
		{"a preflight from another origin", "OPTIONS", "/guarded", "https://evil.example", 204, "", "", false},
		{"a preflight that the authorizer of an ANY route meets", "OPTIONS", "/any", app, 401, app, "", true},
		{"a preflight for which there is a route", "OPTIONS", "/own", app, 200, app, "", false},
		{"a response of a function", "GET", "/open", app, 200, app, "", false},
		{"the same for another origin", "GET", "/open", "https://evil.example", 200, "", "", false},
		{"the same without an origin", "GET", "/open", "", 200, "", "", false},
		{"no token", "GET", "/guarded", app, 401, app, "", true},
		{"no route", "GET", "/nowhere", app, 404, app, "", true},
		{"a function that fails", "GET", "/broken", app, 500, app, "", true},
	} {
		for _, off := range []bool{false, true} {
			r := httptest.NewRequest(tc.method, tc.path, nil)
			if tc.origin != "" {
				r.Header.Set("Origin", tc.origin)
				r.Header.Set("Access-Control-Request-Method", "GET")
			}
			w := httptest.NewRecorder()
			corsGateway(t, func(c *gateway.Config) { c.NoCORSOnRefusals = off }).ServeHTTP(w, r)
			allowed := tc.allowed
			if off && tc.onlySwitched {
				allowed = ""
			}
			h := w.Header()
			if w.Code != tc.status || h.Get("Access-Control-Allow-Origin") != allowed || h.Get("Access-Control-Allow-Methods") != tc.methods {
				t.Errorf("%s (switched off: %v): %d %v", tc.name, off, w.Code, h)
			}
		}
	}
}

func TestNoCORSBlock(t *testing.T) {
	t.Parallel()
	g := corsGateway(t, func(c *gateway.Config) { c.Template.CORS = nil })
	ask := func(method, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Origin", "https://app.example")
		r.Header.Set("Access-Control-Request-Method", "GET")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	if w := ask("GET", "/open"); w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a function's own header is gone: %v", w.Header())
	}
	if w := ask("OPTIONS", "/guarded"); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		g := corsGateway(t, func(c *gateway.Config) { c.TrailingSlash, c.RemapWWWAuthenticate = on, on })
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/open/", nil))
		if want := map[bool]int{false: 404, true: 200}[on]; w.Code != want {
			t.Errorf("a slash at the end, %v: %d", on, w.Code)
		}
		w = httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/open", nil))
		name := map[bool]string{false: "Www-Authenticate", true: "X-Amzn-Remapped-Www-Authenticate"}[on]
		other := map[bool]string{true: "Www-Authenticate", false: "X-Amzn-Remapped-Www-Authenticate"}[on]
		if !slices.Equal(w.Header()[name], []string{"Bearer"}) || w.Header()[other] != nil {
			t.Errorf("WWW-Authenticate, %v: %v", on, w.Header())
		}
	}
}

func TestAllowsHeader(t *testing.T) {
	t.Parallel()
	star := gateway.CORS{AllowHeaders: []string{"*"}}
	named := gateway.CORS{AllowHeaders: []string{"content-type", "AUTHORIZATION"}}
	if star.AllowsHeader("Authorization") || !star.AllowsHeader("If-Match") || !named.AllowsHeader("authorization") || named.AllowsHeader("if-match") {
		t.Error("a star stands for every header but Authorization")
	}
}

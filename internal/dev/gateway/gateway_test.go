package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// stand is a gateway over an authorizer and a function whose answers a test
// chooses, and which remembers what they were asked.
type stand struct {
	*gateway.Gateway
	now        time.Time
	authorizer string // what the authorizer answers
	authErr    error
	function   string // what the function answers
	funcErr    error
	asked      []map[string]any // events of the authorizer
	called     []map[string]any // events of the function
	seen       []gateway.Exchange
}

var (
	simple = gateway.Authorizer{Name: "simple", Function: "auth", TTL: time.Minute, Simple: true,
		IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"}}
	byToken = gateway.Authorizer{Name: "token", Function: "auth", TTL: time.Minute, Simple: true,
		IdentitySources: []string{"$request.header.Authorization"}}
	iam = gateway.Authorizer{Name: "iam", Function: "auth", TTL: time.Minute,
		IdentitySources: []string{"$request.header.Authorization"}}
	unkept = gateway.Authorizer{Name: "unkept", Function: "auth", Simple: true}
)

func newStand(t *testing.T, stage string) *stand {
	t.Helper()
	s := &stand{now: time.Unix(1_700_000_000, 0), authorizer: `{"isAuthorized":true}`, function: `{"statusCode":200}`}
	record := func(log *[]map[string]any, payload []byte) {
		var event map[string]any
		if err := json.Unmarshal(payload, &event); err != nil {
			t.Error(err)
		}
		*log = append(*log, event)
	}
	var err error
	s.Gateway, err = gateway.New(gateway.Config{
		Stage: stage,
		Template: &gateway.Template{
			Authorizers: []gateway.Authorizer{simple, byToken, iam, unkept},
			Routes: []gateway.Route{
				{Key: "GET /public", Function: "f"}, {Key: "POST /public", Function: "f"}, {Key: "HEAD /public", Function: "f"},
				{Key: "GET /a", Function: "f", Authorizer: "simple"}, {Key: "GET /b", Function: "f", Authorizer: "simple"},
				{Key: "GET /t/a", Function: "f", Authorizer: "token"}, {Key: "GET /t/b", Function: "f", Authorizer: "token"},
				{Key: "ANY /iam/{proxy+}", Function: "f", Authorizer: "iam"},
				{Key: "GET /unkept", Function: "f", Authorizer: "unkept"},
				{Key: "GET /users/{id}", Function: "f"},
			},
		},
		Functions: map[string]gateway.Function{
			"auth": func(_ context.Context, payload []byte) ([]byte, error) {
				record(&s.asked, payload)
				return []byte(s.authorizer), s.authErr
			},
			"f": func(_ context.Context, payload []byte) ([]byte, error) {
				record(&s.called, payload)
				return []byte(s.function), s.funcErr
			},
		},
		Handlers: map[string]http.Handler{"GET /": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "tour") })},
		Observe:  func(x gateway.Exchange) { s.seen = append(s.seen, x) },
		Now:      func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do sends a request and returns the answer with its body. headers are "Name: value".
func (s *stand) do(method, target, body string, headers ...string) (*http.Response, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

const token = "Authorization: Bearer t1"

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		name                       string
		target                     string
		headers                    []string
		authorizer                 string
		authErr                    error
		status, asked, called      int
		message, by, reasonOrError string
	}{
		{"no route", "/nowhere", nil, "", nil, 404, 0, 0, "Not Found", "gateway", "no route"},
		{"another method", "/t/a/", nil, "", nil, 404, 0, 0, "Not Found", "gateway", "no route"},
		{"S118 a missing identity source is refused unasked", "/a", nil, "", nil, 401, 0, 0, "Unauthorized", "gateway", "no Authorization header"},
		{"S118 an empty one too", "/a", []string{"Authorization: "}, "", nil, 401, 0, 0, "Unauthorized", "gateway", "no Authorization header"},
		{"S117 isAuthorized true", "/a", []string{token}, `{"isAuthorized":true}`, nil, 200, 1, 1, "", "f", ""},
		{"S117 isAuthorized false", "/a", []string{token}, `{"isAuthorized":false,"context":{"reason":"expired"}}`, nil, 403, 1, 0, "Forbidden", "authorizer", "deny reason=expired"},
		{"S117 an error", "/a", []string{token}, ``, errors.New("boom"), 500, 1, 0, "Internal Server Error", "authorizer", "boom"},
		{"S117 the error Unauthorized", "/a", []string{token}, ``, errors.New("Unauthorized"), 500, 1, 0, "Internal Server Error", "authorizer", "Unauthorized"},
		{"I34 the string false", "/a", []string{token}, `{"isAuthorized":"false"}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "isAuthorized is not a boolean"},
		{"I34 the string true", "/a", []string{token}, `{"isAuthorized":"true"}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "isAuthorized is not a boolean"},
		{"I34 the number 1", "/a", []string{token}, `{"isAuthorized":1}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "isAuthorized is not a boolean"},
		{"I34 another spelling", "/a", []string{token}, `{"isauthorized":true}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "isAuthorized is not a boolean"},
		{"an empty answer", "/a", []string{token}, ``, nil, 500, 1, 0, "Internal Server Error", "authorizer", "an answer that is not a JSON object"},
		{"null", "/a", []string{token}, `null`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "an answer that is not a JSON object"},
		{"I33 an answer that would be a function's", "/a", []string{token}, `{"statusCode":401}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "isAuthorized is not a boolean"},
		{"I32 a context that is a list", "/a", []string{token}, `{"isAuthorized":true,"context":["a"]}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "context is not an object"},
		{"a policy where a boolean is due", "/a", []string{token}, allow("*"), nil, 500, 1, 0, "Internal Server Error", "authorizer", "isAuthorized is not a boolean"},
		{"an answer over 8 KB", "/a", []string{token}, `{"isAuthorized":true,"context":{"a":"` + strings.Repeat("x", 8<<10) + `"}}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "an answer over 8 KB"},
		{"a simple answer where a policy is due", "/iam/x", []string{token}, `{"isAuthorized":true}`, nil, 500, 1, 0, "Internal Server Error", "authorizer", "principalId is not a string, or empty"},
		{"no identity source at all", "/unkept", nil, `{"isAuthorized":true}`, nil, 200, 1, 1, "", "f", ""},
		{"a plain page", "/", nil, "", nil, 200, 0, 0, "tour", "page", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, "")
			s.authorizer, s.authErr = tc.authorizer, tc.authErr
			resp, body := s.do("GET", tc.target, "", tc.headers...)
			if tc.status >= 400 {
				tc.message = `{"message":"` + tc.message + `"}`
			}
			if resp.StatusCode != tc.status || body != tc.message || len(s.asked) != tc.asked || len(s.called) != tc.called {
				t.Errorf("got %d %s, asked %d times, called %d times", resp.StatusCode, body, len(s.asked), len(s.called))
			}
			x := s.seen[0]
			why := x.Reason
			if x.Err != nil {
				why += x.Err.Error()
			}
			if x.By != tc.by || why != tc.reasonOrError || x.Status != tc.status {
				t.Errorf("observed %v", x)
			}
		})
	}
}

func TestLine(t *testing.T) {
	s := newStand(t, "")
	s.now = time.Date(2025, 3, 1, 14, 2, 50, 0, time.UTC)
	s.authorizer = `{"isAuthorized":false,"context":{"reason":"expired"}}`
	for range 2 {
		s.do("GET", "/a?code=secret", "", token)
	}
	s.do("GET", "/users/%0a%C3%A9?state=secret", "")
	for i, want := range []string{
		"14:02:50 GET /a 403 authorizer: deny reason=expired",
		"14:02:50 GET /a 403 authorizer: deny reason=expired (cached)",
		"14:02:50 GET /users/%0a%C3%A9 200 f",
	} {
		if got := s.seen[i].String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := s.seen[0].LogValue().String(); strings.Contains(got, "secret") || !strings.Contains(got, "reason=deny reason=expired") {
		t.Error(got)
	}
}

func TestAnnotate(t *testing.T) {
	g, err := gateway.New(gateway.Config{
		Template: &gateway.Template{Authorizers: []gateway.Authorizer{unkept}, Routes: []gateway.Route{{Key: "GET /", Function: "auth", Authorizer: "unkept"}}},
		Functions: map[string]gateway.Function{"auth": func(ctx context.Context, _ []byte) ([]byte, error) {
			gateway.Annotate(ctx, "expired (12 s ago)")
			return []byte(`{"isAuthorized":false}`), nil
		}},
		Observe: func(x gateway.Exchange) {
			if x.Reason != "deny reason=expired (12 s ago)" {
				t.Error(x)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	gateway.Annotate(t.Context(), "outside of a request")
}

func TestCache(t *testing.T) {
	type step struct {
		target, token string
		wait          time.Duration
		asked         int // so far
		status        int
	}
	for _, tc := range []struct {
		name, authorizer string
		steps            []step
	}{
		{"kept for the TTL and no longer", `{"isAuthorized":true}`, []step{
			{"/a", "t1", 0, 1, 200}, {"/a", "t1", time.Minute - 1, 1, 200}, {"/a", "t1", 1, 2, 200}}},
		{"I34 not across routes, if the route is an identity source", `{"isAuthorized":true}`, []step{
			{"/a", "t1", 0, 1, 200}, {"/b", "t1", 0, 2, 200}, {"/a", "t1", 0, 2, 200}}},
		{"across routes, if it is not, as in AWS", `{"isAuthorized":true}`, []step{
			{"/t/a", "t1", 0, 1, 200}, {"/t/b", "t1", 0, 1, 200}}},
		{"I30 not for another token", `{"isAuthorized":true}`, []step{{"/a", "t1", 0, 1, 200}, {"/a", "t2", 0, 2, 200}}},
		{"I30 not for another authorizer", `{"isAuthorized":true}`, []step{{"/t/a", "t1", 0, 1, 200}, {"/iam/a", "t1", 0, 2, 500}}},
		{"a refusal is kept", `{"isAuthorized":false}`, []step{{"/a", "t1", 0, 1, 403}, {"/a", "t1", 0, 1, 403}}},
		{"a failure is not", `{}`, []step{{"/a", "t1", 0, 1, 500}, {"/a", "t1", 0, 2, 500}}},
		{"I34 TTL 0 keeps nothing", `{"isAuthorized":true}`, []step{{"/unkept", "t1", 0, 1, 200}, {"/unkept", "t1", 0, 2, 200}}},
		{"I31 a policy for one route refuses the next", allow("arn:aws:execute-api:local-1:000000000000:local/$default/GET/iam/a"), []step{
			{"/iam/a", "t1", 0, 1, 200}, {"/iam/b", "t1", 0, 1, 403}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, "")
			s.authorizer = tc.authorizer
			for i, step := range tc.steps {
				s.now = s.now.Add(step.wait)
				resp, _ := s.do("GET", step.target, "", "Authorization: "+step.token)
				if resp.StatusCode != step.status || len(s.asked) != step.asked {
					t.Errorf("step %d: status %d, asked %d times", i, resp.StatusCode, len(s.asked))
				}
			}
		})
	}
}

func TestIdentityIsNotForged(t *testing.T) {
	s := newStand(t, "")
	s.authorizer = `{"isAuthorized":true,"context":{"sub":"u_lin","exp":1700000000,"roles":"user"}}`
	forged := []string{token, "X-Amzn-Authorizer-Sub: u_ada", "Requestcontext: {}", "Sub: u_ada", "Authorizer: {\"lambda\":{\"sub\":\"u_ada\"}}"}
	s.do("GET", "/a?requestContext=1&sub=u_ada", `{"requestContext":{"authorizer":{"lambda":{"sub":"u_ada"}}}}`, forged...)
	s.do("GET", "/public", "", forged...)
	want := map[string]any{"lambda": map[string]any{"sub": "u_lin", "exp": 1.7e9, "roles": "user"}}
	if diff := cmp.Diff(want, s.called[0]["requestContext"].(map[string]any)["authorizer"]); diff != "" {
		t.Error("S123 the context arrives as it was given: " + diff)
	}
	if got := s.called[1]["requestContext"].(map[string]any)["authorizer"]; got != nil {
		t.Errorf("a public route has %v", got)
	}
}

func TestOnlyThePathOpensARoute(t *testing.T) {
	for _, tc := range []struct{ name, target, header string }{
		{"I27 a public path in the query", "/a?path=/public", ""},
		{"I27 a public path in X-Forwarded-Uri", "/a", "X-Forwarded-Uri: /public"},
		{"I27 a public path in X-Original-Url", "/a", "X-Original-Url: /public"},
		{"I27 another method in a header", "/a", "X-Http-Method-Override: HEAD"},
		{"I28 a header that is spelt like the token's", "/a", "X_Authorization: Bearer t1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, "")
			if resp, _ := s.do("GET", tc.target, "", tc.header); resp.StatusCode != 401 || len(s.asked)+len(s.called) > 0 {
				t.Errorf("got %d", resp.StatusCode)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	s := newStand(t, "")
	for name, tc := range map[string]struct {
		target, body string
		header       string
		status       int
	}{
		"10 MB and a byte":    {"/public", strings.Repeat("x", 10<<20+1), "", 413},
		"6 MB once in base64": {"/public", strings.Repeat("x", 5<<20), "", 413},
		"4 MB":                {"/public", strings.Repeat("x", 4<<20), "", 200},
		"headers":             {"/public", "", "X-Long: " + strings.Repeat("x", 10_240), 431},
	} {
		t.Run(name, func(t *testing.T) {
			if resp, body := s.do("POST", tc.target, tc.body, tc.header); resp.StatusCode != tc.status {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
		})
	}
	t.Run("a long path under an authorizer", func(t *testing.T) {
		if resp, _ := s.do("GET", "/iam/"+strings.Repeat("x", 1_600), "", token); resp.StatusCode != 414 || len(s.asked) > 0 {
			t.Errorf("got %d", resp.StatusCode)
		}
	})
}

func TestFunctionFails(t *testing.T) {
	s := newStand(t, "")
	s.funcErr = errors.New("no table")
	if resp, body := s.do("GET", "/public", ""); resp.StatusCode != 500 || body != `{"message":"Internal Server Error"}` {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	if got := s.seen[0].String(); !strings.HasSuffix(got, "500 f: no table") {
		t.Error(got)
	}
}

func TestPanic(t *testing.T) {
	g, err := gateway.New(gateway.Config{
		Template:  &gateway.Template{Routes: []gateway.Route{{Key: "$default", Function: "f"}}},
		Functions: map[string]gateway.Function{"f": func(context.Context, []byte) ([]byte, error) { panic("x") }},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 {
		t.Errorf("status %d", w.Code)
	}
}

func TestNewListsEveryMistake(t *testing.T) {
	_, err := gateway.New(gateway.Config{
		Stage: "a/b",
		Template: &gateway.Template{
			Authorizers: []gateway.Authorizer{
				{Name: "open", Function: "auth", TTL: time.Second},
				{Name: "long", Function: "auth", TTL: 2 * time.Hour},
				{Name: "odd", Function: "auth", IdentitySources: []string{"$request.body"}}},
			Routes: []gateway.Route{{Key: "FETCH /a", Function: "f"}, {Key: "GET /{a+}/b", Function: "f"},
				{Key: "GET /a", Function: "g"}, {Key: "GET /a", Function: "f", Authorizer: "none"}},
		},
		Functions: map[string]gateway.Function{"f": func(context.Context, []byte) ([]byte, error) { return nil, nil }},
		Handlers:  map[string]http.Handler{"GET /a": http.NotFoundHandler(), "x": http.NotFoundHandler()},
	})
	for _, want := range []string{`stage "a/b"`, "authorizer open: answers are kept", "authorizer long: resultTtl", `authorizer odd: identitySource "$request.body"`,
		`route "FETCH /a"`, `route "GET /{a+}/b"`, `route GET /a: no function is called "g"`, "route GET /a: declared twice",
		`no authorizer is called "none"`, `authorizer open: no function is called "auth"`, "route GET /a: a page", `route "x"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

// TestMapping calls an API that a custom domain has under a key, at the domain and
// at its own address.
func TestMapping(t *testing.T) {
	var path string
	g, err := gateway.New(gateway.Config{
		Template: &gateway.Template{Routes: []gateway.Route{{Key: "GET /me", Function: "f"}}}, Mapping: "auth",
		Functions: map[string]gateway.Function{"f": func(_ context.Context, payload []byte) ([]byte, error) {
			var e struct{ RawPath string }
			err := json.Unmarshal(payload, &e)
			path = e.RawPath
			return []byte(`"ok"`), err
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]int{"/auth/me": 200, "/me": 200, "/authme": 404, "/auth": 404, "/auth/auth/me": 404, "/other/me": 404} {
		w := httptest.NewRecorder()
		path = at
		g.ServeHTTP(w, httptest.NewRequest("GET", at, nil))
		if w.Code != want || path != at {
			t.Errorf("%s: %d, and the function is told %s", at, w.Code, path)
		}
	}
}

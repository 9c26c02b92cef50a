package gateway_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

func TestFunctionEvent(t *testing.T) {
	s := newStand(t, "prod")
	s.do("GET", "http://api.example.com/prod/users/a%2Fb%3Fc?x=1&x=2&y=a+b%26", "",
		"Accept: a", "Accept: b", "Cookie: k=1; l=2", "Cookie: m=3", "X_Y: 1", "X-Y: 2", "X-Forwarded-For: 198.51.100.1",
		"X-Forwarded-Proto: gopher", "X-Forwarded-Port: 70", "User-Agent: ua")
	got := s.called[0]
	id := got["requestContext"].(map[string]any)["requestId"].(string)
	want := map[string]any{
		"version": "2.0", "routeKey": "GET /users/{id}",
		"rawPath": "/prod/users/a/b", "rawQueryString": "x=1&x=2&y=a+b%26",
		"cookies":               []any{"k=1", "l=2", "m=3"},
		"queryStringParameters": map[string]any{"x": "1,2", "y": "a b&"},
		"pathParameters":        map[string]any{"id": "a/b?c"},
		"headers": map[string]any{"accept": "a,b", "x_y": "1", "x-y": "2", "host": "api.example.com", "user-agent": "ua",
			"x-forwarded-for": "198.51.100.1, 192.0.2.1", "x-forwarded-proto": "http", "x-forwarded-port": "80", "x-amzn-trace-id": "Root=" + id},
		"requestContext": map[string]any{
			"accountId": "000000000000", "apiId": "local", "stage": "prod", "routeKey": "GET /users/{id}",
			"domainName": "api.example.com", "domainPrefix": "api", "requestId": id,
			"time": "14/Nov/2023:22:13:20 +0000", "timeEpoch": 1.7e12,
			"http": map[string]any{"method": "GET", "path": "/prod/users/a/b", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "ua"},
		},
		"isBase64Encoded": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAuthorizerEvent(t *testing.T) {
	s := newStand(t, "prod")
	s.do("GET", "/prod/a?q=1", "", "authorization: bearer x", "Authorization: Bearer y", "Cookie: a=1")
	got := s.asked[0]
	for name, want := range map[string]any{
		"version": "2.0", "type": "REQUEST", "routeKey": "GET /a", "rawPath": "/prod/a", "rawQueryString": "q=1",
		"routeArn":       "arn:aws:execute-api:local-1:000000000000:local/prod/GET/a",
		"identitySource": []any{"bearer x,Bearer y", "GET /a"},
		"cookies":        []any{"a=1"}, "body": nil, "isBase64Encoded": nil,
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := got["headers"].(map[string]any)["authorization"]; got != "bearer x,Bearer y" {
		t.Errorf("S116 a doubled header arrives joined: %v", got)
	}
}

func TestStage(t *testing.T) {
	s := newStand(t, "prod")
	for target, want := range map[string]int{"/prod/public": 200, "/public": 404, "/products": 404, "/prodpublic": 404, "/prod": 200, "/prod/": 200} {
		if resp, _ := s.do("GET", target, ""); resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", target, resp.StatusCode, want)
		}
	}
}

func TestBody(t *testing.T) {
	for _, tc := range []struct {
		name, contentType, encoding, body string
		base64                            bool
	}{
		{"JSON", "application/json; charset=utf-8", "", "{}", false},
		{"text", "text/plain", "", "é", false},
		{"a form", "application/x-www-form-urlencoded", "", "a=1", true},
		{"no type", "", "", "x", true},
		{"compressed", "text/plain", "gzip", "x", true},
		{"text that is none", "text/plain", "", "\xff", true},
		{"nothing", "image/png", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, "")
			s.do("POST", "/public", tc.body, "Content-Type: "+tc.contentType, "Content-Encoding: "+tc.encoding)
			body, _ := s.called[0]["body"].(string)
			if s.called[0]["isBase64Encoded"] != tc.base64 {
				t.Errorf("isBase64Encoded: %v", !tc.base64)
			}
			if tc.base64 {
				raw, err := base64.StdEncoding.DecodeString(body)
				if err != nil {
					t.Fatal(err)
				}
				body = string(raw)
			}
			if body != tc.body {
				t.Errorf("got %q", body)
			}
		})
	}
}

func TestFunctionAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, answer string
		status       int
		body         string
		header       http.Header
	}{
		{"with everything", `{"statusCode":201,"headers":{"content-type":"a/b","x-n":1,"content-length":"99"},"cookies":["a=1","b=2"],"body":"aGk=","isBase64Encoded":true,"multiValueHeaders":{"x":["1"]}}`,
			201, "hi", http.Header{"Content-Type": {"a/b"}, "X-N": {"1"}, "Set-Cookie": {"a=1", "b=2"}}},
		{"a status alone", `{"statusCode":204}`, 204, "", http.Header{}},
		{"a body of no type", `{"statusCode":200,"body":"x"}`, 200, "x", http.Header{"Content-Type": {"text/plain;charset=UTF-8"}}},
		{"an object without a status", `{"message":"hi"}`, 200, `{"message":"hi"}`, http.Header{"Content-Type": {"application/json"}}},
		{"a string", `"hi"`, 200, "hi", http.Header{"Content-Type": {"application/json"}}},
		{"a list", ` [1] `, 200, "[1]", http.Header{"Content-Type": {"application/json"}}},
		{"null", `null`, 200, "null", http.Header{"Content-Type": {"application/json"}}},
		{"nothing", ``, 500, "", nil},
		{"half", `{"statusCode":200`, 500, "", nil},
		{"a status that is a string", `{"statusCode":"200"}`, 500, "", nil},
		{"a status that is none", `{"statusCode":99}`, 500, "", nil},
		{"a body that is an object", `{"statusCode":200,"body":{}}`, 500, "", nil},
		{"a body that is not base64", `{"statusCode":200,"body":"?","isBase64Encoded":true}`, 500, "", nil},
		{"a header that is a list", `{"statusCode":200,"headers":{"a":["b"]}}`, 500, "", nil},
		{"a header of two lines", `{"statusCode":200,"headers":{"a":"b\r\nset-cookie: c"}}`, 500, "", nil},
		{"a cookie of two lines", `{"statusCode":200,"cookies":["a=1\r\nx: y"]}`, 500, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStand(t, "")
			s.function = tc.answer
			resp, body := s.do("GET", "/public", "")
			if tc.status == 500 {
				tc.body, tc.header = `{"message":"Internal Server Error"}`, http.Header{"Content-Type": {"application/json"}}
			}
			resp.Header.Del("Apigw-Requestid")
			if resp.StatusCode != tc.status || body != tc.body {
				t.Errorf("got %d %q", resp.StatusCode, body)
			}
			if diff := cmp.Diff(tc.header, resp.Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzRoundTrip sends a request through the gateway's event and the function's
// adapter: what the handler sees is what was sent.
func FuzzRoundTrip(f *testing.F) {
	f.Add("POST", "a b/%2F?", "x=1&y=%20", "v1", "k=1", []byte("\xff\x00"), "text/plain", true)
	f.Add("GET", "é", "", "", "", []byte(nil), "", false)
	var sent, got *http.Request
	var body []byte
	through := lambdahttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-Echo", r.Header.Get("X-Value"))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.Write(body)
	}))
	f.Fuzz(func(t *testing.T, method, segment, query, value, cookie string, content []byte, contentType string, named bool) {
		printable := func(s string) bool {
			return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
		}
		if !slices.Contains([]string{"GET", "POST", "PUT", "DELETE"}, method) || segment == "" ||
			!printable(query+value+cookie+contentType) || strings.TrimSpace(value) != value || strings.ContainsAny(cookie, "; ,\t") || strings.ContainsAny(query, "# ") || len(query+value) > 4000 || len(segment) > 300 || strings.ToValidUTF8(segment, "") != segment {
			t.Skip()
		}
		stage, prefix := "", ""
		if named {
			stage, prefix = "prod", "/prod"
		}
		g, err := gateway.New(gateway.Config{Stage: stage,
			Template:  &gateway.Template{Routes: []gateway.Route{{Key: "ANY /x/{id}", Function: "f"}}},
			Functions: map[string]gateway.Function{"f": func(ctx context.Context, p []byte) ([]byte, error) { return through(ctx, p) }}})
		if err != nil {
			t.Fatal(err)
		}
		got, body = nil, nil
		sent = httptest.NewRequest(method, "/", strings.NewReader(string(content)))
		sent.URL = &url.URL{Path: prefix + "/x/" + segment, RawPath: prefix + "/x/" + url.PathEscape(segment), RawQuery: query}
		sent.Header.Set("X-Value", value)
		sent.Header.Set("Content-Type", contentType)
		if cookie != "" {
			sent.Header.Set("Cookie", cookie)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, sent)
		if w.Code != 200 || got == nil {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if want := "/x/" + segment; got.URL.Path != want || got.Method != method || got.URL.RawQuery != query ||
			got.Header.Get("X-Value") != value || got.Header.Get("Cookie") != cookie || got.Header.Get("Content-Type") != contentType ||
			string(body) != string(content) || got.Host != sent.Host {
			t.Errorf("sent %q %q, got %q %q %v", want, query, got.URL.Path, got.URL.RawQuery, got.Header)
		}
		if len(w.Result().Cookies()) != 2 || w.Body.String() != string(content) || w.Header().Get("X-Echo") != value {
			t.Errorf("S46 the answer came back as %v %q", w.Header(), w.Body)
		}
	})
}

// Package pathtest tries whether a request can leave its route by the spelling of
// its path.
package pathtest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
)

// Check sends h requests for the routes, as "GET /users/{id}", with segments
// that are empty, "." or "..", encoded or not: as a parameter, or between other
// segments. Every response must be 404. Other odd parameters must not be
// redirected to a cleaned path. Requests come directly, and as events of API
// Gateway, which has decoded the path. Prepare is called before each request.
func Check(t *testing.T, h http.Handler, routes []string, prepare func(*http.Request) *http.Request) {
	t.Helper()
	if len(routes) == 0 {
		t.Fatal("no routes")
	}
	rapid.Check(t, func(t *rapid.T) {
		method, template, _ := strings.Cut(rapid.SampledFrom(routes).Draw(t, "route"), " ")
		segments := strings.Split(template, "/")[1:]
		dots := rapid.SampledFrom([]string{"", ".", "..", "%2e", "%2E%2e", ".%2e", "%2e.", "x%2f..", "..%2fx", "%2f", "x%2f%2e"})
		odd := rapid.SampledFrom([]string{"...", "%252e%252e", "..;", "%5c..", "a%5c", "%00", "%20", "a%2fb", "~", "%e2%80%ae", "s_1", "me"})
		canonical := rapid.Bool().Draw(t, "canonical")
		place := rapid.IntRange(0, len(segments)).Draw(t, "place")
		for i, segment := range segments {
			if strings.HasPrefix(segment, "{") {
				segments[i] = odd.Draw(t, "parameter")
			}
		}
		direct := slices.Clone(segments)
		if !canonical {
			direct = slices.Insert(direct, place, dots.Draw(t, "segment"))
		}
		check(t, "directly", serve(h, prepare, method, "/"+strings.Join(direct, "/")), canonical)

		parameters := map[string]string{} // as the gateway hands them on: decoded
		for i, segment := range strings.Split(template, "/")[1:] {
			if name, ok := strings.CutPrefix(segment, "{"); ok {
				value := segments[i]
				if !canonical {
					value = dots.Filter(func(s string) bool { return s != "" }).Draw(t, "parameter")
				}
				decoded, err := url.PathUnescape(value)
				if err != nil {
					t.Fatal(err)
				}
				parameters[strings.TrimRight(name, "+}")] = decoded
			}
		}
		if len(parameters) > 0 {
			check(t, "as an event", invoke(t, h, prepare, method, template, parameters), canonical)
		}
	})
}

type response struct {
	status   int
	location string
	path     string
}

func check(t *rapid.T, how string, r response, canonical bool) {
	switch {
	case !canonical && r.status != http.StatusNotFound:
		t.Fatalf("%s: %s: %d %s, want 404", how, r.path, r.status, r.location)
	case slices.Contains([]int{http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}, r.status):
		t.Fatalf("%s: %s is redirected to %s", how, r.path, r.location)
	}
}

func serve(h http.Handler, prepare func(*http.Request) *http.Request, method, path string) response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, prepare(httptest.NewRequestWithContext(context.Background(), method, path, nil)))
	return response{w.Code, w.Header().Get("Location"), path}
}

func invoke(t *rapid.T, h http.Handler, prepare func(*http.Request) *http.Request, method, template string, parameters map[string]string) response {
	path := template
	for name, value := range parameters {
		path = strings.NewReplacer("{"+name+"}", value, "{"+name+"+}", value).Replace(path)
	}
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": method + " " + template, "rawPath": path, "pathParameters": parameters,
		"requestContext": map[string]any{"stage": "$default", "http": map[string]any{"method": method, "path": path, "sourceIp": "192.0.2.1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	prepared := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, prepare(r)) })
	out, err := lambdahttp.Handler(prepared).Invoke(context.Background(), event)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		StatusCode int
		Headers    map[string]string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return response{answer.StatusCode, answer.Headers["location"], path}
}

package lambdahttp_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
)

var formats = map[string]string{
	"2.0":  `{"version":"2.0","routeKey":"$default","rawPath":"/","requestContext":{"http":{"method":"GET"}}}`,
	"1.0":  `{"version":"1.0","resource":"/","path":"/","httpMethod":"GET"}`,
	"REST": `{"resource":"/","path":"/","httpMethod":"GET"}`,
	"HEAD": `{"version":"2.0","routeKey":"$default","rawPath":"/","requestContext":{"http":{"method":"HEAD"}}}`,
}

// answer returns what the gateway is told in the given format.
func answer(t *testing.T, format string, h http.HandlerFunc) map[string]any {
	t.Helper()
	out, err := lambdahttp.Handler(h)(t.Context(), []byte(formats[format]))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCookies(t *testing.T) {
	two := func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Vary", "Cookie")
	}
	cookies := []any{"a=1", "b=2"}
	for _, format := range []string{"1.0", "REST"} {
		t.Run("S46 two cookies survive in format "+format, func(t *testing.T) {
			want := map[string]any{"Set-Cookie": cookies, "Vary": []any{"Origin", "Cookie"}}
			if diff := cmp.Diff(want, answer(t, format, two)["multiValueHeaders"]); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("S46 two cookies survive in format 2.0", func(t *testing.T) {
		got := answer(t, "2.0", two)
		if diff := cmp.Diff(cookies, got["cookies"]); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"Vary": "Origin, Cookie"}, got["headers"]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnswer(t *testing.T) {
	for _, tc := range []struct {
		name, format string
		h            http.HandlerFunc
		status       float64
		body         string
		base64       bool
		contentType  any
	}{
		{"nothing written", "2.0", func(http.ResponseWriter, *http.Request) {}, 200, "", false, nil},
		{"text", "2.0", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("é<\n")) },
			200, "é<\n", false, "text/plain; charset=utf-8"},
		{"bytes that are not text", "2.0", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			w.Write([]byte{0xff, 0x00})
		}, 200, "/wA=", true, "image/png"},
		{"the first status counts, and the headers then", "2.0", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(404)
			w.Header().Set("Content-Type", "c/d")
			w.WriteHeader(200)
			w.Write([]byte("x"))
		}, 404, "x", false, "a/b"},
		{"304 has no body", "2.0", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(304)
			if _, err := w.Write([]byte("x")); err != http.ErrBodyNotAllowed {
				t.Error(err)
			}
		}, 304, "", false, nil},
		{"204 has no body", "2.0", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			w.Write([]byte("x"))
		}, 204, "", false, nil},
		{"HEAD has the headers alone", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			w.Write([]byte("{}"))
		}, 200, "", false, "text/plain; charset=utf-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := answer(t, tc.format, tc.h)
			headers, _ := got["headers"].(map[string]any)
			if got["statusCode"] != tc.status || got["body"] != tc.body || got["isBase64Encoded"] != tc.base64 ||
				headers["Content-Type"] != tc.contentType || headers["Content-Length"] != nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

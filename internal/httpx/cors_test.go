package httpx_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	cors := httpx.CORS{Allowed: func(_ context.Context, origin string) (bool, error) {
		if origin == "https://broken.example" {
			return true, errors.New("the table is out of reach")
		}
		return origin == "https://app.example" || origin == "null", nil
	}}
	handlers := map[string]http.Handler{
		"GET":     cors.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })),
		"OPTIONS": cors.Preflight("GET", "PATCH"),
	}
	for method, h := range handlers {
		for origin, allowed := range map[string]bool{
			"https://app.example": true, "https://evil.example": false, "https://app.example.evil.example": false, "": false,
			"null": false, "https://broken.example": false,
		} {
			r := httptest.NewRequest(method, "/me", nil)
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("Access-Control-Allow-Origin"); (got == origin && got != "") != allowed || !allowed && got != "" {
				t.Errorf("%s from %q: %v", method, origin, w.Header())
			}
			if w.Header().Get("Vary") != "Origin" || w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %q: %v", method, origin, w.Header())
			}
			headers := strings.ToLower(w.Header().Get("Access-Control-Allow-Headers"))
			for _, want := range []string{"authorization", "content-type", "if-match", "mcp-protocol-version", "traceparent"} {
				if strings.Contains(headers, want) != (allowed && method == "OPTIONS") {
					t.Errorf("%s from %q: allowed headers %q", method, origin, headers)
				}
			}
		}
	}
	path := cors.Methods(httpx.Methods{"GET": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })}, httpx.Problem)
	for method, status := range map[string]int{"OPTIONS": 204, "GET": 401, "PUT": 405} {
		r := httptest.NewRequest(method, "/me", nil)
		r.Header.Set("Origin", "https://app.example")
		w := httptest.NewRecorder()
		if path.ServeHTTP(w, r); w.Code != status || w.Header().Get("Access-Control-Allow-Origin") != "https://app.example" || len(w.Header().Values("Vary")) != 1 {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	w := httptest.NewRecorder()
	httpx.CORS{}.Handler(handlers["GET"]).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 401 {
		t.Errorf("%d", w.Code)
	}
}

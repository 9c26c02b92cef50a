package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

func TestMethods(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		methods []string
		allow   string
	}{
		{[]string{"GET"}, "GET, HEAD, OPTIONS"},
		{[]string{"POST"}, "OPTIONS, POST"},
		{[]string{"GET", "POST", "OPTIONS", "HEAD"}, "GET, HEAD, OPTIONS, POST"},
	} {
		methods := httpx.Methods{}
		for _, method := range tc.methods {
			methods[method] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Served", method) })
		}
		h := methods.Handler(httpx.Problem)
		ask := func(method string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, "/a", nil))
			return w
		}
		if w := ask("OPTIONS"); w.Header().Get("Allow") != tc.allow || w.Body.Len() != 0 || len(tc.methods) == 1 && w.Code != http.StatusNoContent {
			t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
		}
		for _, method := range []string{"PUT", "DELETE", "TRACE", "BREW"} {
			w := ask(method)
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != tc.allow || w.Header().Get("Cache-Control") != "no-store" ||
				!strings.Contains(w.Body.String(), `"method_not_allowed"`) {
				t.Errorf("%s: %d %v %s", method, w.Code, w.Header(), w.Body)
			}
		}
		for _, method := range tc.methods {
			if w := ask(method); w.Header().Get("Served") != method {
				t.Errorf("%s: served as %q", method, w.Header().Get("Served"))
			}
		}
		if w := ask("HEAD"); len(tc.methods) == 1 && (w.Header().Get("Served") == "GET") != (tc.methods[0] == "GET") {
			t.Errorf("HEAD of %v: %d, served as %q", tc.methods, w.Code, w.Header().Get("Served"))
		}
	}
}

func TestPublicPreflight(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodOptions, "/", nil)
	r.Header.Set("Origin", "https://anyone.example")
	r.Header.Set("Access-Control-Request-Headers", "mcp-protocol-version")
	w := httptest.NewRecorder()
	httpx.PublicPreflight(w, r)
	h := w.Header()
	if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Headers") != "*, Authorization" ||
		h.Get("Access-Control-Allow-Methods") != "GET, HEAD" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", w.Code, h)
	}
}

package httpx

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCanonicalPath(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/{rest...}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := CanonicalPath(mux, Problem)
	for path, want := range map[string]int{
		"/": 418, "/me": 418, "/me/sessions/s_1": 418, "/a%2Fb": 418, "/...": 418, "/a..": 418, "/%252e%252e": 418, "/.well-known/x": 418,
		"//": 404, "/me/": 404, "//me": 404, "/me//sessions": 404, "/.": 404, "/..": 404, "/me/..": 404, "/me/../users": 404, "/me/./sessions": 404,
		"/%2e%2e": 404, "/me/sessions/%2e%2e": 404, "/me/sessions/.%2E": 404, "/me/sessions/%2E": 404, "/a%2f..%2fb": 404, "/a%2f": 404, "/%2f": 404,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

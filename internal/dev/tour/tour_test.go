package tour_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	tour.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestHandler(t *testing.T) {
	size := 0
	for _, path := range tour.Paths() {
		w := get(t, path)
		size += w.Body.Len()
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: %q lacks %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: %q", path, csp)
		}
	}
	if size > 30_000 {
		t.Errorf("the page weighs %d bytes", size)
	}
	for _, path := range []string{"/tour.go", "/index.html/..", "/x"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestPage holds the page against its own rules: nothing inline, nothing of
// others, one h1, and every element that the script looks for.
func TestPage(t *testing.T) {
	page, script := get(t, "/").Body.String(), get(t, "/tour.js").Body.String()
	for what, bad := range map[string]string{
		"an inline script": `<script>`, "an inline style": `style="`, "a handler in an attribute": ` on[a-z]+="`, "another server": `(src|href)="(https?:)?//`,
	} {
		if found := regexp.MustCompile(bad).FindString(page); found != "" {
			t.Errorf("%s: %s", what, found)
		}
	}
	if strings.Count(page, "<h1") != 1 || !strings.Contains(page, `<html lang="en">`) {
		t.Error("want one h1 and a language")
	}
	for _, m := range regexp.MustCompile(`\$\('([a-z-]+)'\)`).FindAllStringSubmatch(script, -1) {
		if !strings.Contains(page, `id="`+m[1]+`"`) {
			t.Errorf("the script looks for %s", m[1])
		}
	}
	for _, bad := range []string{"innerHTML", "eval(", "document.write", "localStorage"} {
		if strings.Contains(script, bad) {
			t.Errorf("the script uses %s", bad)
		}
	}
}

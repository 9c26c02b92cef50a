package pages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

func TestHeaders(t *testing.T) {
	everyState(t, "", func(t *testing.T, res *http.Response, body string) {
		t.Run("S23 headers", func(t *testing.T) {
			referrer, form, none := "no-referrer", "form-action 'self';", "script-src"
			if strings.HasSuffix(t.Name(), "-post/S23_headers") { // the page posts to an app
				referrer, form, none = "strict-origin", "script-src '"+hashOf("document.forms[0].submit()")+"';", "form-action"
			}
			for name, want := range map[string]string{
				"X-Frame-Options":        "DENY",
				"Referrer-Policy":        referrer,
				"Cache-Control":          "no-store",
				"X-Content-Type-Options": "nosniff",
				"Content-Type":           "text/html; charset=utf-8",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			csp := res.Header.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", form, "frame-ancestors 'none'", "base-uri 'none'", styleHash(body)} {
				if !strings.Contains(csp, want) {
					t.Errorf("no %s in the policy %s", want, csp)
				}
			}
			for _, bad := range []string{"unsafe", "*", none, "https: "} {
				if strings.Contains(csp, bad) {
					t.Errorf("%s in the policy %s", bad, csp)
				}
			}
		})
	})
}

// styleHash is the hash of the page's style sheet as a browser computes it.
func styleHash(body string) string {
	sheet := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(body)
	if sheet == nil {
		return "no style sheet"
	}
	return "style-src '" + hashOf(sheet[1]) + "'"
}

// hashOf is how a policy names an inline style sheet or script.
func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func TestRenderKeepsHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Retry-After", "1")
	newPages(t, pages.Brand{}).Render(w, httptest.NewRequest(http.MethodGet, "/", nil), 0, pages.Failure{Kind: pages.Unavailable})
	if w.Header().Get("Retry-After") != "1" || w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
}

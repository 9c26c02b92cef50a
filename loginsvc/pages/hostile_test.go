package pages_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

// TestHostileText puts what attackers send into every place of every page.
func TestHostileText(t *testing.T) {
	payloads := map[string]string{
		"script":                `<script>alert(1)</script>`,
		"leaving an attribute":  `" autofocus onfocus="alert(1)`,
		"single quotes":         `' onmouseover='alert(1)`,
		"closing the style":     `</style><script>alert(1)</script>`,
		"closing the title":     `</title><img src=x onerror=alert(1)>`,
		"javascript URL":        `javascript:alert(1)`,
		"javascript URL spread": "java\tscript:alert(1)",
		"data URL":              `data:text/html,<script>alert(1)</script>`,
		"template braces":       `{{.Style}}{{printf "x"}}${7*7}`,
		"places of the texts":   `{app}{name}{provider}`,
		"CRLF":                  "a\r\nSet-Cookie: x=1\r\n\r\n<b>",
		"policy":                `https://a.test; script-src 'unsafe-inline'`,
		"null and controls":     "a\x00\x1b[31mb\x7f",
		"text turned round":     "Shop\u202egnp.exe\u2066",
		"half a rune":           "a\xff\xfe<i>",
		"protocol-relative":     `//evil.test/`,
		"backslash":             `/\evil.test`,
		"very long":             strings.Repeat("W", 2000),
	}
	for name, payload := range payloads {
		t.Run("S25 "+name, func(t *testing.T) {
			everyState(t, payload, func(t *testing.T, res *http.Response, body string) {
				unharmed(t, res, body)
			})
		})
	}
}

var (
	anyTag  = regexp.MustCompile(`<[a-zA-Z!/][^>]*>`)
	quoted  = regexp.MustCompile(`"[^"]*"`)
	handler = regexp.MustCompile(`\son[a-z]+\s*=`)
	value   = regexp.MustCompile(`\b(value|href|action)="[^"]*"`)
	icon    = regexp.MustCompile(`<link rel="icon" href="data:image/svg[^"]*">`)
	target  = regexp.MustCompile(`\b(href|action)="([^"]*)"`)
)

func unharmed(t *testing.T, res *http.Response, body string) {
	t.Helper()
	body = withoutStyle(t, body)
	wellFormed(t, body)
	for _, tag := range anyTag.FindAllString(body, -1) {
		lower := strings.ToLower(tag)
		if strings.HasSuffix(tag, "<script>") && strings.Contains(body, "<script>document.forms[0].submit()</script>") && strings.Count(lower+body, "<script") == 2 {
			continue // our own, and no other
		}
		for _, bad := range []string{"<script", "<img", "<iframe", "<b>", "<i>"} {
			if strings.HasPrefix(lower, bad) {
				t.Errorf("a tag got in: %s", tag)
			}
		}
		// Attribute values keep their quotes escaped, so a handler can only
		// stand outside of quotes.
		if outside := quoted.ReplaceAllString(tag, `""`); handler.MatchString(outside) {
			t.Errorf("a handler got in: %s", tag)
		}
	}
	for _, m := range target.FindAllStringSubmatch(icon.ReplaceAllString(body, ""), -1) {
		to := strings.ToLower(m[2])
		for _, bad := range []string{"javascript:", "data:", "vbscript:", "//evil", `/\evil`, `/%5cevil`} {
			if strings.HasPrefix(to, bad) {
				t.Errorf("%s leads to %.80s", m[1], m[2])
			}
		}
	}
	if shown := value.ReplaceAllString(body, ""); strings.ContainsAny(shown, "\x00\x1b\u202e\u2066") {
		t.Error("a control character or a reversal of text got in")
	}
	if csp := res.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || strings.Contains(csp, "evil") || strings.Count(csp, ";") != 5 {
		t.Errorf("the policy was widened: %s", csp)
	}
	if res.Header.Get("Set-Cookie") != "" {
		t.Error("a header got in")
	}
}

// withoutStyle takes the style sheet out of body, which holds nothing of anyone.
func withoutStyle(t *testing.T, body string) string {
	t.Helper()
	before, rest, _ := strings.Cut(body, "<style>")
	sheet, after, _ := strings.Cut(rest, "</style>")
	if strings.Contains(after, "style>") || !strings.HasPrefix(sheet, ":root{") || !strings.Contains(sheet, "forced-colors") {
		t.Error("the style sheet does not end where it should")
	}
	return before + after
}

func TestLinksKeepTheirTarget(t *testing.T) {
	p := newPages(t, pages.Brand{})
	for url, want := range map[string]bool{
		"/login?request=a%2Bb":      true,
		"https://shop.example.com/": true,
		"http://127.0.0.1:5173/":    true,
		"//evil.test/":              false,
		`/\evil.test`:               false,
		"///evil.test/":             false,
		"https:evil.test":           false,
		"https://good@evil.test/":   false,
		"javascript:alert(1)":       false,
		"login":                     false,
	} {
		_, body := render(t, p, 0, pages.Failure{Kind: pages.LinkExpired, RestartURL: url})
		if got := strings.Contains(body, "Start again</a>"); got != want {
			t.Errorf("start again at %s: shown %v, want %v", url, got, want)
		}
	}
}

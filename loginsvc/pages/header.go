package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// headers writes what every page carries (RFC 9700, Section 4.16, and OWASP's
// list): no site may frame it, no cache may keep it, and no link may pass its
// address on.
func (p *Pages) headers(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// policy is the Content-Security-Policy of every page: the one style sheet, the
// icon, and forms that lead to Gatehouse. Where a form leads on to another site,
// the response is [Onward].
func policy(style string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"style-src '" + cspHash(style) + "'",
		"img-src data:",
		"form-action 'self'",
		"frame-ancestors 'none'",
		"base-uri 'none'",
	}, "; ")
}

func cspHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// headers writes what every page carries (RFC 9700, Section 4.16, and OWASP's
// list): nobody may frame it, keep it, guess its type or learn its address.
func (p *Pages) headers(h http.Header, d descriptor) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy(d.formOrigins))
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// policy is the Content-Security-Policy of a page: the one style sheet, the
// icon, and forms that lead to Gatehouse or to one of origins.
func (p *Pages) policy(origins []string) string {
	to := []string{"'self'"}
	for _, o := range origins {
		if validSource(o) && !slices.Contains(to, o) {
			to = append(to, o)
		}
	}
	return strings.Join([]string{
		"default-src 'none'",
		"style-src '" + p.styleHash + "'",
		"img-src data:",
		"form-action " + strings.Join(to, " "),
		"frame-ancestors 'none'",
		"base-uri 'none'",
	}, "; ")
}

// validSource tells whether s is an origin (https://app.example.com) or the
// scheme of a native app (com.example.app:), and nothing that could widen or
// end the policy. A source that is neither is left out of the policy.
func validSource(s string) bool {
	const sourceBytes = "abcdefghijklmnopqrstuvwxyz0123456789+.-:/[]"
	if s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune(sourceBytes, r)
	}) {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "https", "http":
		return u.Hostname() != "" && u.Path == "" && s == u.Scheme+"://"+u.Host
	default: // A scheme with a dot belongs to its domain's owner (RFC 8252, Section 7.1).
		return strings.Contains(u.Scheme, ".") && s == u.Scheme+":"
	}
}

func cspHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// headers writes what every page carries (RFC 9700, Section 4.16, and OWASP's
// list): no site may frame it, no cache may keep it, and no link may pass its
// address on. A page that posts to an app differs in its policy, and tells the app
// the origin of Gatehouse, which a client can compare, instead of "null".
func (p *Pages) headers(h http.Header, posts bool) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if posts {
		h.Set("Content-Security-Policy", p.postPolicy)
		h.Set("Referrer-Policy", "strict-origin")
	}
}

// submit is the only line of script that a page of Gatehouse has.
const submit = "document.forms[0].submit()"

// policies returns the Content-Security-Policy of every page: the one style sheet,
// the icon, and forms that lead to Gatehouse. Where a form leads on to another
// site, the response is [Onward].
//
// A page that posts to an app has the second one. It allows the one script, and has
// no form-action: that would also forbid the redirects with which the app answers.
func policies(style string) (own, posting string) {
	before := "default-src 'none'; style-src '" + cspHash(style) + "'; img-src data:; "
	after := "; frame-ancestors 'none'; base-uri 'none'"
	return before + "form-action 'self'" + after, before + "script-src '" + cspHash(submit) + "'" + after
}

func cspHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

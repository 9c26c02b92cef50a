// Package tour is the guided tour of `gatehouse dev`: a page that is a real
// OpenID client in the browser. It is the only place with JavaScript in it, and
// exists on a developer's machine only.
package tour

import (
	"bytes"
	"embed"
	"net/http"
	"path"
	"time"
)

//go:embed index.html tour.css tour.js
var files embed.FS

// ClientID is the client that the tour signs in with. It is public, and its
// redirect and post-logout URI is the address of the page.
const ClientID = "demo-spa"

// policy lets the page load its own files and call its own server, and no more.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Paths are those that the tour is to be reached under.
func Paths() []string { return []string{"/", "/tour.css", "/tour.js"} }

// Handler serves the page and its two files.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		if r.URL.Path == "/" {
			name = "index.html"
		}
		body, err := files.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	})
}

package demoidp

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

//go:embed page.html page.css
var files embed.FS

// page is the provider's only page: who is there, and what can go wrong.
type page struct {
	template *template.Template
	style    template.CSS
	policy   string
}

// view is what the page shows.
type view struct {
	Style   template.CSS
	People  []Person
	Action  string // where the choice is posted; "": nobody asked for a sign-in
	Client  string // the host that asked
	Mistake string // what was wrong with the request or the form
	Faults  []fault
}

type fault struct{ Value, Label string }

func faults() []fault {
	return []fault{
		{"cancel", "Cancel the sign-in"},
		{"error", "Answer with an error"},
		{"slow", "Answer too slowly"},
		{"nonce", "Send a wrong nonce"},
		{"unverified", "Do not vouch for the e-mail"},
	}
}

func newPage() (page, error) {
	t, err := template.ParseFS(files, "page.html")
	if err != nil {
		return page{}, err
	}
	sheet, err := files.ReadFile("page.css")
	if err != nil {
		return page{}, err
	}
	sum := sha256.Sum256(sheet)
	// No form-action: browsers hold the whole chain of redirects against it,
	// and where the client sends people on is its own business.
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
	return page{t, template.CSS(sheet), policy}, nil
}

func (p page) render(w http.ResponseWriter, status int, v view) {
	v.Style, v.Faults = p.style, faults()
	var body bytes.Buffer
	if err := p.template.Execute(&body, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body.Bytes())
}

func (p *Provider) handleHome(w http.ResponseWriter, _ *http.Request) {
	p.page.render(w, http.StatusOK, view{People: People()})
}

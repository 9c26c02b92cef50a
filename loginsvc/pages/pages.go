// Package pages is what people see of Gatehouse in a browser.
//
// A page is a struct with what it shows; [Pages.Render] makes it a whole
// answer. Every page works without JavaScript and asks no one for anything: the
// style sheet stands in the page and the Content-Security-Policy names its
// hash, so that nothing injected into a page could style, load or run anything.
// All text comes from text/en.json, all colours from [Brand].
//
// Internal to Gatehouse: it may change with any release.
package pages

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

//go:embed templates text style.css
var files embed.FS

// Pages renders pages for one brand. It is safe for concurrent use.
type Pages struct {
	brand     string
	text      catalogue
	templates map[string]parsed // by the name of the page's template
	style     template.CSS
	icon      template.URL

	policy, postPolicy string // the Content-Security-Policy, and that of a page that posts to an app
}

// Page is one of the structs of this package.
type Page interface{ describe() descriptor }

// descriptor is what [Pages.Render] needs to know about a page besides its data.
type descriptor struct {
	template string       // the file is templates/page_TEMPLATE.html
	status   int          // of the response, if the caller names none; 0: 200
	heading  words        // the h1 and, with the brand, the title; nil: TEMPLATE.heading of the catalogue
	refresh  template.URL // the address that the browser goes on to at once; "": it stays
	posts    bool         // a form of the page leads to an app
	frame    *Frame       // nil: the page stands alone
	place    place        // where in the frame the page is
}

// words is a key of the catalogue, then names and values in turn to fill its
// places with.
type words []string

// parsed returns a template, which is read when it is first used: a process that
// starts in order to answer a program waits for none.
type parsed func() (*template.Template, error)

// New returns the pages of a team. Its errors name the field of b and the fix.
func New(b Brand) (*Pages, error) {
	b = b.withDefaults()
	vars, accent, err := b.variables()
	if err != nil {
		return nil, err
	}
	sheet, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	text, err := loadText("en")
	if err != nil {
		return nil, err
	}
	style := vars + string(sheet)
	p := &Pages{
		brand:     b.Name,
		text:      text,
		templates: map[string]parsed{},
		style:     template.CSS(style), // ours alone: colours are checked by Brand
		icon:      icon(accent),
	}
	p.policy, p.postPolicy = policies(style)
	names, err := fs.Glob(files, "templates/page_*.html")
	if err != nil {
		return nil, err
	}
	funcs := template.FuncMap{
		"t": text.get, "label": text.label, "initial": initial, "printable": printable, "agent": agent, "when": when, "machineTime": machineTime,
	}
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(path.Base(file), "page_"), ".html")
		p.templates[name] = sync.OnceValues(func() (*template.Template, error) {
			t := template.New("layout.html").Funcs(funcs).Option("missingkey=error")
			return t.ParseFS(files, "templates/layout.html", "templates/parts.html", file)
		})
	}
	return p, nil
}

// Render answers r with page. If status is 0, the page's own is sent. The
// answer is complete: headers that the caller set before, such as Retry-After
// and cookies, are kept.
func (p *Pages) Render(w http.ResponseWriter, r *http.Request, status int, page Page) {
	d := page.describe()
	var body bytes.Buffer
	if err := p.execute(&body, r, page, d); err != nil {
		// Only a mistake in a template leads here. Half a page would be worse.
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	p.headers(w.Header(), d.posts)
	w.WriteHeader(cmp.Or(status, d.status, http.StatusOK))
	w.Write(body.Bytes())
}

// view is what a template is given.
type view struct {
	Lang, Title, Heading, Brand string

	Style     template.CSS
	Icon      template.URL
	RequestID string
	Refresh   template.URL // an address to go on to at once; "": none
	Submit    template.JS  // for a page that submits its form itself
	Links     []link       // of the frame; nil: the page has none
	Page      Page
}

func (p *Pages) execute(body *bytes.Buffer, r *http.Request, page Page, d descriptor) error {
	read, ok := p.templates[d.template]
	if !ok {
		return fmt.Errorf("no template for page %q", d.template)
	}
	t, err := read()
	if err != nil {
		return err
	}
	key := d.heading
	if key == nil {
		key = words{d.template + ".heading"}
	}
	heading, err := p.text.get(key[0], key[1:]...)
	if err != nil {
		return err
	}
	var links []link
	if d.frame != nil {
		links = d.frame.links(d.place)
	}
	return t.Execute(body, view{
		Lang:      "en",
		Title:     heading + " · " + p.brand,
		Heading:   heading,
		Brand:     p.brand,
		Style:     p.style,
		Icon:      p.icon,
		RequestID: httpx.RequestID(r.Context()),
		Refresh:   d.refresh,
		Submit:    submit,
		Links:     links,
		Page:      page,
	})
}

// icon is the mark as an image that needs no request.
func icon(accent rgb) template.URL {
	svg := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="` + accent.String() +
		`"/><path d="M8 26V15a8 8 0 0 1 16 0v11M13 26v-9a3 3 0 0 1 6 0v9" fill="none" stroke="` + accent.opposite().String() +
		`" stroke-width="2.4" stroke-linecap="round"/></svg>`
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg)))
}

// webURL returns raw if a browser may be sent there by a link on a page: an
// absolute http or https URL, or a path of Gatehouse's own.
func webURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") && !strings.Contains(raw, `\`):
		return raw
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil:
		return raw
	}
	return ""
}

package pages

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
)

// Onward takes the browser to another address: at once, and by a link or a button
// where a browser does not go by itself.
//
// Without Fields it goes by a refresh. After a form that was posted here a redirect
// would not do: browsers hold every redirect after a form against the form-action
// of its page, whose only source is Gatehouse itself.
type Onward struct {
	URL  string // an address of ours, of a provider or of an app; apps can have schemes of their own
	Name string // of where it leads, for people; "": its host

	// Fields are posted to URL by a form, which the page's only line of script
	// submits (OAuth 2.0 Form Post Response Mode). URL then has https or http.
	Fields map[string]string
}

func (o Onward) describe() descriptor {
	name := o.Name
	if name == "" {
		name = hostOf(o.URL)
	}
	d := descriptor{template: "onward", posts: o.Fields != nil}
	if !d.posts {
		d.refresh = o.Link()
	}
	if name != "" {
		d.heading = words{"onward.heading.app", "app", name}
	}
	return d
}

// Link is where the page leads, or "" if a browser must not be sent there.
func (o Onward) Link() template.URL { return template.URL(o.address()) }

// Target is where Fields are posted, or "" if a browser must not be sent there.
func (o Onward) Target() string { return postURL(o.URL) }

// postURL returns raw if a form can be posted there: an absolute web address.
func postURL(raw string) string {
	if hostOf(raw) == "" {
		return ""
	}
	return webURL(raw)
}

// scripting are the schemes whose addresses act inside a browser. No redirect URI
// has one; none is ever written into a page.
var scripting = []string{"javascript", "vbscript", "data", "blob", "file", "filesystem", "about", "view-source"}

// address returns URL in the form that browsers understand alike, or "".
func (o Onward) address() string {
	if own := webURL(o.URL); own != "" {
		return own
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme == "" || u.Scheme == "http" || u.Scheme == "https" || slices.Contains(scripting, u.Scheme) ||
		strings.ContainsFunc(o.URL, func(r rune) bool { return r <= ' ' || r == '"' || r == '\'' || r == '<' || r == '>' || r == 0x7f }) {
		return ""
	}
	return o.URL
}

// hostOf returns the host of a web address, or "".
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Host
}

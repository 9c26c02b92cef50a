package pages

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
)

// Onward takes the browser from a form that was posted here to another address:
// at once by a refresh, and by a link for browsers that do not follow it. A
// redirect would not do. Browsers hold every redirect after a form against the
// form-action of its page, whose only source is Gatehouse itself.
type Onward struct {
	URL  string // an address of ours, of a provider or of an app; apps can have schemes of their own
	Name string // of where it leads, for people; "": its host
}

func (o Onward) describe() descriptor {
	name := o.Name
	if name == "" {
		name = hostOf(o.URL)
	}
	d := descriptor{template: "onward", refresh: o.Link()}
	if name != "" {
		d.heading = words{"onward.heading.app", "app", name}
	}
	return d
}

// Link is where the page leads, or "" if a browser must not be sent there.
func (o Onward) Link() template.URL { return template.URL(o.address()) }

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

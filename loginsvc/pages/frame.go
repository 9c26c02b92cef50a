package pages

import (
	"strings"
	"time"
)

// Frame is what stands around the pages of somebody who is signed in: the way
// to the other pages. Its zero value leads to pages below the root.
type Frame struct {
	Base  string // the path of the issuer, before every link; "": none
	Who   string // the name of who is signed in
	Admin bool   // also lead to the pages of administrators
}

// place is a page that the frame leads to.
type place string

const (
	placeAccount place = "account"
	placeUsers   place = "users"
	placeAudit   place = "audit"
	placeKeys    place = "keys"
)

// link is one of the frame's ways.
type link struct {
	URL, Key string
	Here     bool
}

// links are the ways that lead on from a page.
func (f Frame) links(here place) []link {
	all := []link{{f.path("/account"), "account", here == placeAccount}}
	if f.Admin {
		all = append(all, link{f.path("/admin/users"), "users", here == placeUsers},
			link{f.path("/admin/audit"), "audit", here == placeAudit}, link{f.path("/admin/keys"), "keys", here == placeKeys})
	}
	return append(all, link{f.path("/logout"), "sign_out", false})
}

func (f Frame) path(p string) string { return webURL(f.Base + p) }

// when writes an instant for people.
func when(at time.Time) string { return at.UTC().Format("2 Jan 2006, 15:04") + " UTC" }

// machineTime writes an instant for the attribute datetime.
func machineTime(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// agent says in a few words what browser a User-Agent header stands for, or ""
// if it does not say.
func agent(header string) string {
	browser := firstOf(header, []named{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}, {"gatehouse token", "gatehouse token"}})
	system := firstOf(header, []named{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}})
	switch {
	case browser == "":
		return system
	case system == "":
		return browser
	}
	return browser + " · " + system
}

type named struct{ mark, name string }

func firstOf(s string, names []named) string {
	for _, n := range names {
		if strings.Contains(s, n.mark) {
			return n.name
		}
	}
	return ""
}

package pages

import (
	"net/url"
	"time"
)

// AuditRow is something that was done to a user, or to an app.
type AuditRow struct {
	At     time.Time
	Action string // user.suspended and so on; the catalogue has words for it
	Actor  string // who did it: a user's id or another name
	UserID string // to whom; "" if to an app
	App    string // to which app; "" if to a user
	Detail string
	From   string // a network address; "": unknown
}

// AdminAudit lists what was done, the newest first. Its filter is posted to the
// address of the page, because people type e-mail addresses there, with the
// fields "user", "actor" and "time" (the beginning of a time in UTC, such as
// 2026-03).
type AdminAudit struct {
	Frame

	Rows              []AuditRow // at most AdminRows
	User, Actor, Time string     // the filter; "": all
	NextURL           string     // "": this is the end
	PreviousURL       string     // "": this is the beginning
}

func (a AdminAudit) describe() descriptor {
	return descriptor{template: "admin_audit", frame: &a.Frame, place: placeAudit}
}

// Here is the address of the list.
func (a AdminAudit) Here() string { return a.path("/admin/audit") }

// UserPage is where the page of a user is.
func (a AdminAudit) UserPage(id string) string { return a.path("/admin/users/" + url.PathEscape(id)) }

// Next is the link that may be shown.
func (a AdminAudit) Next() string { return webURL(a.NextURL) }

// Previous is the link that may be shown.
func (a AdminAudit) Previous() string { return webURL(a.PreviousURL) }

// Filtered tells whether the list is of some rows only.
func (a AdminAudit) Filtered() bool { return a.User != "" || a.Actor != "" || a.Time != "" }

// KeyRow is a signing key of Gatehouse.
type KeyRow struct {
	ID    string // kid
	State string // next, current, retiring or retired; the catalogue has words for it
	Since time.Time
	Until time.Time // when the state ends; zero: not known yet
}

// AdminKeys lists the signing keys.
type AdminKeys struct {
	Frame

	Keys []KeyRow
}

func (a AdminKeys) describe() descriptor {
	return descriptor{template: "admin_keys", frame: &a.Frame, place: placeKeys}
}

package pages

import (
	"cmp"
	"time"
)

// AdminRows is how many rows a page of a list should have: with so many it stays
// under 30 kB.
const AdminRows = 25

// UserRow is a user in a list.
type UserRow struct {
	ID, Name, Email string
	Roles           []string
	Suspended       bool
	CreatedAt       time.Time
}

// AdminUsers lists users. Its filter is posted to the address of the page, with
// the fields "q" (the beginning of an e-mail address or of an id), "role" and
// "status". Next and previous are another form with the same fields and
// "cursor".
type AdminUsers struct {
	Frame

	Users        []UserRow // at most AdminRows
	Search       string
	Private      bool     // Search may stand in no URL: next and previous are posted, too
	Role, Status string   // the filter; "": everyone
	Roles        []string // those that exist
	Next         string   // cursor; "": this is the end
	Previous     string   // cursor; "": this is the beginning
}

func (a AdminUsers) describe() descriptor {
	return descriptor{template: "admin_users", frame: &a.Frame, place: placeUsers}
}

// Here is the address of the list.
func (a AdminUsers) Here() string { return a.path("/admin/users") }

// Filtered tells whether the list is of some users only.
func (a AdminUsers) Filtered() bool { return a.Search != "" || a.Role != "" || a.Status != "" }

// RoleChoice is a role that a user may have.
type RoleChoice struct {
	Name string
	Has  bool
	Kept bool // it cannot be taken: this is the last administrator
}

// AdminUser is one user, as administrators see them. Each of its forms is posted
// to the address of the page with the field "do" and what it needs:
//
//	roles          role (each that the user is to have), version
//	suspend
//	activate
//	end_sessions
//	delete         confirm: must be the user's id, as typed
type AdminUser struct {
	Frame

	User       UserRow
	Version    int64 // hidden field: of the user as they are shown
	Self       bool  // the user is the one who looks, and cannot suspend themselves
	Roles      []RoleChoice
	Sessions   []SessionRow
	Identities []IdentityRow
	Trail      []AuditRow // the newest, a few
	TrailURL   string     // where the rest is; "": there is no rest
	Notice     AdminNotice
}

// AdminNotice says what came of the last form.
type AdminNotice string

// The notices.
const (
	AdminNothingNew    AdminNotice = ""
	RolesSaved         AdminNotice = "roles_saved"
	UserSuspended      AdminNotice = "suspended"
	UserActivated      AdminNotice = "activated"
	SessionsEnded      AdminNotice = "sessions_ended"
	UserChanged        AdminNotice = "changed"       // somebody else changed the user meanwhile; nothing was saved
	LastAdmin          AdminNotice = "last_admin"    // the last administrator cannot lose the role, be suspended or deleted
	NotToOneself       AdminNotice = "oneself"       // nobody can do this to themselves
	DeleteNotConfirmed AdminNotice = "not_confirmed" // what was typed is not the user's id
)

// AdminNotices returns every notice.
func AdminNotices() []AdminNotice {
	return []AdminNotice{AdminNothingNew, RolesSaved, UserSuspended, UserActivated, SessionsEnded, UserChanged, LastAdmin, NotToOneself, DeleteNotConfirmed}
}

func (n AdminNotice) bad() bool {
	return n == UserChanged || n == LastAdmin || n == NotToOneself || n == DeleteNotConfirmed
}

func (n AdminNotice) status() int { return noticeStatus(n.bad()) }

func (a AdminUser) describe() descriptor {
	return descriptor{
		template: "admin_user", status: a.Notice.status(), frame: &a.Frame, place: placeUsers,
		heading: words{"admin_user.heading", "name", cmp.Or(a.User.Name, a.User.ID)},
	}
}

// Bad tells whether the notice says that something was not done.
func (a AdminUser) Bad() bool { return a.Notice.bad() }

// Target is where the forms are posted.
func (a AdminUser) Target() string { return a.path("/admin/users/" + a.User.ID) }

// List is the way back.
func (a AdminUser) List() string { return a.path("/admin/users") }

// Rest is the link that may be shown.
func (a AdminUser) Rest() string { return webURL(a.TrailURL) }

// Shown are the sessions that the page lists.
func (a AdminUser) Shown() []SessionRow { return a.Sessions[:min(len(a.Sessions), maxRows)] }

// More is how many sessions the page does not list.
func (a AdminUser) More() int { return len(a.Sessions) - len(a.Shown()) }

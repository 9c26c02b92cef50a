package pages

import (
	"net/http"
	"time"
)

// Account is what a person sees of themselves. Each of its forms is posted to
// Action with the field "do" and what it is done to:
//
//	rename         name
//	end_session    session
//	end_others
//	link           provider
//	unlink         identity
//	withdraw       client
//	delete         confirm: must be ConfirmWith, as typed
//
// The data of the person is downloaded from Action + "/export".
type Account struct {
	Frame

	ID, Name, Email string
	EmailVerified   bool
	Roles           []string
	CreatedAt       time.Time

	Sessions   []SessionRow  // this browser's first
	Identities []IdentityRow // the last one cannot be unlinked
	Linkable   []ProviderLink
	Apps       []AppRow // those the person consented to

	Notice      AccountNotice
	ConfirmWith string // what to type to delete the account; "": the account cannot be deleted
	Action      string // "": /account
}

// SessionRow is a session in a list.
type SessionRow struct {
	ID                    string
	This                  bool   // the one of this browser
	UserAgent             string // as the browser said it
	Provider              string // the provider's name
	CreatedAt, LastUsedAt time.Time
}

// IdentityRow is an account at a provider that somebody signs in with.
type IdentityRow struct {
	ID, Provider, Email string
	LinkedAt            time.Time
}

// AppRow is an app that the person let have something.
type AppRow struct {
	ClientID, Name string
	Scopes         []string
	Since          time.Time
}

// AccountNotice says what came of the last form.
type AccountNotice string

// The notices.
const (
	NothingNew        AccountNotice = ""
	Renamed           AccountNotice = "renamed"
	SessionEnded      AccountNotice = "session_ended"
	OthersEnded       AccountNotice = "others_ended"
	IdentityLinked    AccountNotice = "linked"
	AlreadyLinked     AccountNotice = "already_linked" // that account was the person's before
	IdentityUnlinked  AccountNotice = "unlinked"
	ConsentWithdrawn  AccountNotice = "withdrawn"
	LastIdentity      AccountNotice = "last_identity"    // the last identity cannot be unlinked
	LinkedElsewhere   AccountNotice = "linked_elsewhere" // that account is another user's
	LinkCancelled     AccountNotice = "link_cancelled"   // the person stopped at the provider
	LinkFailed        AccountNotice = "link_failed"      // the provider's answer cannot be used
	TooManyIdentities AccountNotice = "too_many"         // no more can be linked
	NotConfirmed      AccountNotice = "not_confirmed"    // what was typed is not ConfirmWith
	LastAdminStays    AccountNotice = "last_admin"       // the only administrator cannot leave
)

// AccountNotices returns every notice.
func AccountNotices() []AccountNotice {
	return []AccountNotice{NothingNew, Renamed, SessionEnded, OthersEnded, IdentityLinked, AlreadyLinked, IdentityUnlinked, ConsentWithdrawn,
		LastIdentity, LinkedElsewhere, LinkCancelled, LinkFailed, TooManyIdentities, NotConfirmed, LastAdminStays}
}

// bad tells whether n says that something was not done.
func (n AccountNotice) bad() bool {
	switch n {
	case LastIdentity, LinkedElsewhere, LinkFailed, TooManyIdentities, NotConfirmed, LastAdminStays:
		return true
	}
	return false
}

func (n AccountNotice) status() int { return noticeStatus(n.bad()) }

// noticeStatus is the HTTP status of a page with a notice.
func noticeStatus(bad bool) int {
	if bad {
		return http.StatusConflict
	}
	return http.StatusOK
}

// maxRows is how many rows of a list an account shows.
const maxRows = 12

func (a Account) describe() descriptor {
	return descriptor{template: "account", status: a.Notice.status(), frame: &a.Frame, place: placeAccount}
}

// Bad tells whether the notice says that something was not done.
func (a Account) Bad() bool { return a.Notice.bad() }

// Target is where the forms are posted.
func (a Account) Target() string { return actionOr(a.Action, a.path("/account")) }

// Export is where the person's data is downloaded.
func (a Account) Export() string { return a.Target() + "/export" }

// Shown are the sessions that the page lists; More is how many it does not.
func (a Account) Shown() []SessionRow { return a.Sessions[:min(len(a.Sessions), maxRows)] }

// More is how many sessions the page does not list.
func (a Account) More() int { return len(a.Sessions) - len(a.Shown()) }

// AccountDeleted says that an account is gone.
type AccountDeleted struct{}

func (AccountDeleted) describe() descriptor { return descriptor{template: "account_deleted"} }

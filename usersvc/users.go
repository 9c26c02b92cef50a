// Package usersvc holds the users: the identities at other providers that they
// sign in with, their roles, their sessions, and the audit trail. It states the
// rules; package usersvc/api serves them as JSON. Neither ever sees a token.
//
// What keeps users apart and rights where they belong:
//
//   - A user is found by (issuer, subject) and by nothing else. One row per pair,
//     written only if it is not there, makes two users of one identity impossible.
//   - A verified e-mail address has one owner. A provider that the team trusts
//     takes it from a user whose provider is not trusted; otherwise the first
//     keeps it. Only trusted providers join a new identity to the owner of its
//     address.
//   - Each change is one transaction together with its audit row, and judges what
//     it depends on (the user is active, the caller is still an admin, another
//     admin remains) inside that transaction.
//   - A session is a random secret of which the table holds only the SHA-256. It
//     is live as long as it is present, not expired, of the user's present epoch,
//     and its identity has not been unlinked since: suspending a user or ending
//     all sessions begins a new epoch, so that no number of sessions makes it slow
//     or leaves it half done.
//
// Internal to Gatehouse: it may change with any release.
package usersvc

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/lifetime"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Admin is the role that may see and change other users.
const Admin = "admin"

// Users is the users of one deployment. Its methods are safe for concurrent use.
type Users struct {
	Table table.Table

	// Admins are the e-mail addresses of the first admins. A user who signs in
	// with one of them, verified, is given the role [Admin], once for each address:
	// who has lost the role, or the account, does not get it back by signing in.
	Admins []string
	// TrustedProviders are the ids of the providers that are trusted when they
	// say that an address is verified: such an address joins an identity to the
	// user who owns it, and counts for Admins. If it is empty, identities are
	// never joined by address, and Admins counts for the owner of an address.
	TrustedProviders []string
	// NoAdminProviders are the ids of providers whose addresses never make an admin:
	// many organizations write them, and each can write any address.
	NoAdminProviders []string

	DefaultRoles []string // of a new user; nil: "user"
	Roles        []string // that may be given; nil: DefaultRoles and Admin

	// Zero values of these mean the defaults of package lifetime.
	AccessTTL   time.Duration // how long access tokens live, and so revocations
	SessionTTL  time.Duration // a session expires this long after the sign-in
	SessionIdle time.Duration // and this long after its last use

	Now func() time.Time // nil: time.Now

	spreading spreading
}

var (
	// ErrNotFound says that there is no such user.
	ErrNotFound = errors.New("user not found")
	// ErrSuspended says that the user is suspended and may not sign in.
	ErrSuspended = errors.New("user suspended")
	// ErrNoSession says that there is no live session: it never was, has ended
	// or expired, or its user is suspended or deleted.
	ErrNoSession = errors.New("no session")
	// ErrEmailKnown says that the verified e-mail address of a new identity
	// belongs to a user, and that the provider is not trusted to join them. The
	// person can sign in as before and link the new identity.
	ErrEmailKnown = errors.New("e-mail known with another provider")
	// ErrForbidden says that the actor may not do this: they are not an active
	// admin, or not the user.
	ErrForbidden = errors.New("forbidden")
	// ErrOneself says that users cannot do this to themselves.
	ErrOneself = errors.New("not to oneself")
	// ErrLastAdmin says that no active admin would remain.
	ErrLastAdmin = errors.New("last admin")
	// ErrUnknownRole says that a role is not declared.
	ErrUnknownRole = errors.New("unknown role")
	// ErrVersion says that the user has changed since they were read.
	ErrVersion = errors.New("user has another version")
	// ErrLinkedElsewhere says that an identity belongs to another user.
	ErrLinkedElsewhere = errors.New("identity belongs to another user")
	// ErrNoIdentity says that the user has no such identity.
	ErrNoIdentity = errors.New("no such identity")
	// ErrLastIdentity says that the user could not sign in any more.
	ErrLastIdentity = errors.New("last identity")
	// ErrTooManyIdentities says that no more identities can be linked.
	ErrTooManyIdentities = errors.New("too many identities")
	// ErrBadProfile says that a provider's profile has no usable issuer or
	// subject.
	ErrBadProfile = errors.New("bad profile")
)

// now is the time as rows hold it: in milliseconds.
func (u *Users) now() time.Time {
	now := time.Now
	if u.Now != nil {
		now = u.Now
	}
	return now().UTC().Truncate(time.Millisecond)
}

func (u *Users) accessTTL() time.Duration {
	return cmp.Or(u.AccessTTL, lifetime.AccessToken)
}

// SessionLife is how long a session lives at most, from the sign-in.
func (u *Users) SessionLife() time.Duration {
	return cmp.Or(u.SessionTTL, lifetime.Session)
}

func (u *Users) sessionIdle() time.Duration {
	return cmp.Or(u.SessionIdle, lifetime.SessionIdle)
}

func (u *Users) defaultRoles() []string {
	if u.DefaultRoles == nil {
		return []string{"user"}
	}
	return u.DefaultRoles
}

func (u *Users) declared(role string) bool {
	if u.Roles == nil {
		return role == Admin || slices.Contains(u.defaultRoles(), role)
	}
	return slices.Contains(u.Roles, role)
}

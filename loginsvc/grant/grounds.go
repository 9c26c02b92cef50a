package grant

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Grounds are why a user's tokens can be issued to a client: as the table said
// when it was read. Every issue is a write with [Grounds.Checks], so that tokens
// leave only if all of it still holds in the moment of that write.
//
// A token's iat must be no later than that write. Then a change that comes after
// the write ends the token by the revocation feed, and one that came before it
// fails the write.
type Grounds struct {
	Client    client.Client
	User      usersvc.User
	SessionID string
	IssuedAt  time.Time // the iat of the access token
	Scopes    []string  // what the user has consented to, if the client is of a third party
	Under     usersvc.Under
}

// Checks are the checks that the grounds hold. The failures are those of
// [usersvc.Unchanged], after which the caller reads user and session again,
// [usersvc.ErrNoConsent], and [client.ErrUnknown] for a client that was removed.
func (g Grounds) Checks() []table.Write {
	checks := usersvc.Unchanged(g.User, g.SessionID, g.IssuedAt)
	if g.Client.ThirdParty {
		checks = append(checks, usersvc.ConsentStands(g.User.ID, AppOf(g.Client), g.Scopes, g.Under))
	}
	return append(checks, registry.StillRegistered(g.Client)...)
}

// under is the consent that stands behind a grant. A consent that is given again
// after it was withdrawn does not revive what was granted before. A grant whose row
// is older than the ID goes by the time when the user approved, perhaps by the
// clock of another instance; a zero time is unknown.
func under(consentID string, approvedAt time.Time) usersvc.Under {
	u := usersvc.Under{Consent: consentID}
	if consentID == "" && !approvedAt.IsZero() {
		u.By = approvedAt.Add(Skew)
	}
	return u
}

// Under is the consent that the user approved it under.
func (a Approval) Under() usersvc.Under { return under(a.Consent, a.At) }

// Under is the consent that the family was granted under.
func (f Family) Under() usersvc.Under { return under(f.Consent, f.CreatedAt) }

// AppOf is a client as consents name it.
func AppOf(c client.Client) usersvc.App { return usersvc.App{ID: c.ID, Ref: c.Ref()} }

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
	Since     time.Time // when the user approved; zero: unknown
}

// Checks are the checks that the grounds hold. The failures are those of
// [usersvc.Unchanged], after which the caller reads user and session again,
// [usersvc.ErrNoConsent], and [client.ErrUnknown] for a client that was removed.
func (g Grounds) Checks() []table.Write {
	checks := usersvc.Unchanged(usersvc.Tokens{Subject: g.User.ID, SessionID: g.SessionID, ClientID: g.Client.ID}, g.User.Version, g.IssuedAt)
	if g.Client.ThirdParty {
		checks = append(checks, usersvc.ConsentStands(g.User.ID, AppOf(g.Client), g.Scopes, ConsentBy(g.Since)))
	}
	return append(checks, registry.StillRegistered(g.Client)...)
}

// ConsentBy is until when the user must have consented to what was approved at a
// time, perhaps by the clock of another instance: a consent that is given again
// after it was withdrawn does not revive what was granted before. Zero for a zero
// time.
func ConsentBy(approvedAt time.Time) time.Time {
	if approvedAt.IsZero() {
		return approvedAt
	}
	return approvedAt.Add(Skew)
}

// AppOf is a client as consents name it.
func AppOf(c client.Client) usersvc.App { return usersvc.App{ID: c.ID, Ref: c.Ref()} }

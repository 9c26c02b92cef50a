package usersvc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Consent is what a user allows a third-party client. It stands until it
// is withdrawn.
type Consent struct {
	ClientID  string    `json:"client_id"`
	Scopes    []string  `json:"scopes"` // sorted
	GrantedAt time.Time `json:"granted_at"`

	ref   string    // of the app
	since time.Time // given without a break; zero if the row is older than this
}

// App is somebody's app as consents know it. Ref is its ID and whatever tells it
// from another app that had the ID before: what a user let that one have is
// nothing to this one.
type App struct{ ID, Ref string }

// The actions on consents in the audit trail. Their detail is the app.
const (
	ConsentGiven     Action = "consent.given"
	ConsentWithdrawn Action = "consent.withdrawn"
)

const consentPrefix = schema.ConsentPrefix

func consentKey(userID, clientID string) table.Key {
	return schema.Consent(userID, clientID)
}

// Covers tells whether all of scopes have been consented to.
func (c Consent) Covers(scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(c.Scopes, scope) })
}

// IsTo tells whether it is app that the consent was given to, and not another
// that had its ID before.
func (c Consent) IsTo(app App) bool { return c.ClientID == app.ID && c.ref == app.Ref }

// ErrNoConsent says that the user has not allowed a client what it asks for, or
// has withdrawn it.
var ErrNoConsent = errors.New("no consent")

// ConsentStands is a check for a transaction of the caller: the user has allowed
// the app the scopes at the time by or before, and has not withdrawn it since. A
// zero by is any time. The transaction fails with [ErrNoConsent] otherwise.
func ConsentStands(userID string, app App, scopes []string, by time.Time) table.Write {
	stands := table.All{table.Equal{Name: "ref", Value: app.Ref}}
	for _, scope := range scopes {
		stands = append(stands, table.Contains{Name: "scopes", Element: scope})
	}
	if !by.IsZero() {
		stands = append(stands, table.Any{table.Not{Cond: table.Has{Name: "since"}}, table.Less{Name: "since", Value: by.UnixMilli() + 1}})
	}
	return table.Check(consentKey(userID, app.ID), stands).Else(ErrNoConsent)
}

// Stands is the same for a consent that was read.
func (c Consent) Stands(app App, scopes []string, by time.Time) bool {
	return !c.GrantedAt.IsZero() && c.IsTo(app) && c.Covers(scopes) && (by.IsZero() || !c.since.After(by))
}

// Consent returns what the user lets an app have: nothing, if they were never
// asked.
func (u *Users) Consent(ctx context.Context, userID string, app App) (Consent, error) {
	c, err := u.consent(ctx, userID, app.ID)
	if err == nil && !c.IsTo(app) {
		c = Consent{ClientID: app.ID}
	}
	return c, err
}

// consent returns what the user lets an app of the id have, whichever it was.
func (u *Users) consent(ctx context.Context, userID, clientID string) (Consent, error) {
	item, err := u.Table.Get(ctx, consentKey(userID, clientID))
	if errors.Is(err, table.ErrNotFound) {
		return Consent{ClientID: clientID}, nil
	}
	if err != nil {
		return Consent{}, fmt.Errorf("reading consent: %w", err)
	}
	return consentFrom(item)
}

// Consents returns what the user lets apps have, by the apps' ids, at most 200.
func (u *Users) Consents(ctx context.Context, userID string) ([]Consent, error) {
	page, err := list(ctx, u.Table, table.Query{PK: userKey(userID).PK, Prefix: consentPrefix, Limit: MaxLimit}, consentFrom)
	return page.Items, err
}

// GiveConsent lets an app have scopes, beside those that it may have already.
// Only the user can, who must be active: if not, the error is [ErrForbidden].
func (u *Users) GiveConsent(ctx context.Context, by By, app App, scopes []string) error {
	for range attempts {
		before, err := u.Consent(ctx, by.UserID, app)
		if err != nil || before.Covers(scopes) && !before.GrantedAt.IsZero() {
			return err
		}
		user, err := u.Get(ctx, by.UserID)
		if err != nil {
			return err
		}
		if user.Status != Active {
			return ErrForbidden
		}
		since := u.now()
		if !before.GrantedAt.IsZero() {
			since = cmp.Or(before.since, before.GrantedAt)
		}
		all := sortedRoles(append(slices.Clone(before.Scopes), scopes...))
		key := consentKey(user.ID, app.ID)
		err = u.write(ctx,
			table.Put(table.Item{
				table.PK: key.PK, table.SK: key.SK,
				"client_id": app.ID, "ref": app.Ref, "scopes": all, "granted_at": u.now().UnixMilli(), "since": since.UnixMilli(),
			}),
			table.Check(userKey(user.ID), versionIs(user)),
			u.audit(ConsentGiven, user.ID, by, app.ID+": "+strings.Join(all, " ")),
		)
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return errContended
}

// WithdrawConsent takes back what the user let an app have: it cannot renew its
// tokens, and those it has are dead. It succeeds if there is nothing to take back.
func (u *Users) WithdrawConsent(ctx context.Context, by By, clientID string) error {
	before, err := u.consent(ctx, by.UserID, clientID)
	if err != nil || before.GrantedAt.IsZero() {
		return err
	}
	return u.RevokeTokens(ctx, by.UserID,
		table.Delete(consentKey(by.UserID, clientID)), u.audit(ConsentWithdrawn, by.UserID, by, clientID))
}

func consentFrom(item table.Item) (Consent, error) {
	r := table.Reader{Item: item}
	c := Consent{ClientID: r.Text("client_id"), Scopes: r.List("scopes"), GrantedAt: r.Milli("granted_at")}
	c.ref, _ = item["ref"].(string) // without it, the user is asked again
	if item["since"] != nil {
		c.since = r.Milli("since")
	}
	return c, r.Err
}

package usersvc

import (
	"cmp"
	"context"
	"crypto/rand"
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
	id    string    // of this giving; "" if the row is older than this
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

// consentUnnamed is the id of every consent whose row is older than ids.
const consentUnnamed = "unnamed"

// ID names the consent from when it is given until it is withdrawn. A consent that
// is given again has another ID; one that gets further scopes keeps it.
func (c Consent) ID() string { return cmp.Or(c.id, consentUnnamed) }

// Under is the consent that something was granted under.
type Under struct {
	Consent string    // its ID; "" if the grant is older than IDs
	By      time.Time // without an ID: when it was given at the latest; zero: any time
}

// ConsentStands is a check for a transaction of the caller: the user allows the app
// the scopes, by the consent that something was granted under, without a break. The
// transaction fails with [ErrNoConsent] otherwise.
func ConsentStands(userID string, app App, scopes []string, under Under) table.Write {
	stands := table.All{table.Equal{Name: "ref", Value: app.Ref}}
	for _, scope := range scopes {
		stands = append(stands, table.Contains{Name: "scopes", Element: scope})
	}
	switch {
	case under.Consent != "":
		stands = append(stands, consentIs(under.Consent))
	case !under.By.IsZero():
		stands = append(stands, table.Any{table.Not{Cond: table.Has{Name: "since"}}, table.Less{Name: "since", Value: under.By.UnixMilli() + 1}})
	}
	return table.Check(consentKey(userID, app.ID), stands).Else(ErrNoConsent)
}

// Stands is the same for a consent that was read.
func (c Consent) Stands(app App, scopes []string, under Under) bool {
	if c.GrantedAt.IsZero() || !c.IsTo(app) || !c.Covers(scopes) {
		return false
	}
	if under.Consent != "" {
		return c.ID() == under.Consent
	}
	return under.By.IsZero() || !c.since.After(under.By)
}

// consentIs is the condition that a row holds the consent with the ID.
func consentIs(id string) table.Cond {
	if id == consentUnnamed {
		return table.Not{Cond: table.Has{Name: "id"}}
	}
	return table.Equal{Name: "id", Value: id}
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

// GiveConsent lets an app have scopes, beside those that it may have already, and
// returns the consent. Only the user can, who must be active: if not, the error is
// [ErrForbidden].
func (u *Users) GiveConsent(ctx context.Context, by By, app App, scopes []string) (Consent, error) {
	for range attempts {
		row, err := u.consent(ctx, by.UserID, app.ID)
		if err != nil || row.Stands(app, scopes, Under{}) {
			return row, err
		}
		unchanged, before := table.Cond(table.NotExists{}), Consent{}
		if !row.GrantedAt.IsZero() {
			unchanged = table.All{table.Equal{Name: "granted_at", Value: row.GrantedAt.UnixMilli()}, consentIs(row.ID())}
		}
		if row.IsTo(app) {
			before = row
		}
		user, err := u.Get(ctx, by.UserID)
		if err != nil {
			return Consent{}, err
		}
		if user.Status != Active {
			return Consent{}, ErrForbidden
		}
		given := Consent{ClientID: app.ID, GrantedAt: u.now(), ref: app.Ref, id: rand.Text(), since: u.now()}
		if next := row.GrantedAt.Add(time.Millisecond); given.GrantedAt.Before(next) {
			given.GrantedAt = next // each write has its own instant: the condition compares it
		}
		if !before.GrantedAt.IsZero() {
			given.id, given.since = before.id, cmp.Or(before.since, before.GrantedAt)
		}
		given.Scopes = sortedRoles(append(slices.Clone(before.Scopes), scopes...))
		key := consentKey(user.ID, app.ID)
		item := table.Item{
			table.PK: key.PK, table.SK: key.SK,
			"client_id": app.ID, "ref": app.Ref, "scopes": given.Scopes, "granted_at": given.GrantedAt.UnixMilli(), "since": given.since.UnixMilli(),
		}
		if given.id != "" {
			item["id"] = given.id
		}
		err = u.write(ctx,
			table.Put(item).If(unchanged),
			table.Check(userKey(user.ID), versionIs(user)),
			u.audit(ConsentGiven, user.ID, by, app.ID+": "+strings.Join(given.Scopes, " ")),
		)
		if !errors.Is(err, errChanged) {
			return given, err
		}
	}
	return Consent{}, errContended
}

// WithdrawConsent takes back what the user let an app have: it cannot renew its
// tokens, and those it has are dead, in every session. Tokens of other clients live
// on. It succeeds if there is nothing to take back. The user must be active: if not,
// the error is [ErrForbidden].
func (u *Users) WithdrawConsent(ctx context.Context, by By, clientID string) error {
	before, err := u.consent(ctx, by.UserID, clientID)
	if err != nil || before.GrantedAt.IsZero() {
		return err
	}
	h, entry, err := Tokens{Subject: by.UserID, ClientID: clientID}.entry()
	if err != nil {
		return err
	}
	h.active = true
	return u.putEntry(ctx, h, entry, table.Delete(consentKey(by.UserID, clientID)), u.audit(ConsentWithdrawn, by.UserID, by, clientID))
}

func consentFrom(item table.Item) (Consent, error) {
	r := table.Reader{Item: item}
	c := Consent{ClientID: r.Text("client_id"), Scopes: r.List("scopes"), GrantedAt: r.Milli("granted_at")}
	c.ref, _ = item["ref"].(string) // without it, the user is asked again
	c.id, _ = item["id"].(string)
	if item["since"] != nil {
		c.since = r.Milli("since")
	}
	return c, r.Err
}

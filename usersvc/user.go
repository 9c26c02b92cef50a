package usersvc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// User is a person who has signed in. As JSON it is what the API shows of them.
type User struct {
	ID            string    `json:"id"`    // "u_…"; never changes, never given to anyone else
	Email         string    `json:"email"` // "" if unknown
	EmailVerified bool      `json:"email_verified"`
	Name          string    `json:"name"`
	Picture       string    `json:"picture,omitempty"` // an https URL
	Roles         []string  `json:"roles"`             // sorted
	Status        Status    `json:"status"`
	CreatedAt     time.Time `json:"created_at"`
	Version       int64     `json:"version"` // grows with each change

	// TokensFrom is the second from which on the user's access tokens are alive:
	// every one with an earlier iat has been revoked. Who issues one sooner after
	// a change than that waits, for less than a second.
	TokensFrom time.Time `json:"-"`

	epoch      int64    // of the sessions that are live
	cutoffs    []cutoff // the identities whose sessions have ended
	primary    string   // the identity whose profile the user shows: its key
	owns       claim    // the address that leads to this user
	lost       claim    // an address that leads to another user, by that user's claim
	adminGiven bool     // the role of Users.Admins has been given
	ownName    bool     // the name is the user's choice, not the provider's
	identities int64    // how many are linked
	ledger     ledger   // of what was revoked; a user who is remembered has none
	revokes    bool     // the change under way revokes all tokens; it is in no row
}

// Status tells whether a user may sign in.
type Status string

// The statuses.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	deleted   Status = "deleted" // what stays is the id, so that nothing is written to it any more
)

// HasRole tells whether the user has the role.
func (u User) HasRole(role string) bool { return slices.Contains(u.Roles, role) }

// Get returns the user with the id, or [ErrNotFound].
func (u *Users) Get(ctx context.Context, id string) (User, error) {
	if !IsID(id) {
		return User{}, ErrNotFound
	}
	item, err := u.Table.Get(ctx, userKey(id))
	if errors.Is(err, table.ErrNotFound) {
		return User{}, ErrNotFound
	}
	if err != nil {
		return User{}, fmt.Errorf("reading user: %w", err)
	}
	user, err := userFrom(item)
	if err == nil && user.Status == deleted {
		return User{}, ErrNotFound
	}
	return user, err
}

// userSchema is the form of a user row. A row of another form is not read.
const userSchema = 1

func userKey(id string) table.Key { return schema.User(id) }

func emailKey(canonical string) table.Key { return schema.Email(canonical) }

// usersPartition lists users in two indexes: by id, which is by age, and by e-mail
// address.
const usersPartition = schema.UsersIndex

func (u User) item() table.Item {
	item := table.Item(u.attributes())
	item[table.PK], item[table.SK] = userKey(u.ID).PK, userKey(u.ID).SK
	maps.Copy(item, u.ledger.attributes())
	return item
}

// attributes are those of the user's row but for the key and the ledger.
func (u User) attributes() map[string]any {
	item := map[string]any{
		"schema": int64(userSchema),
		"id":     u.ID, "email": u.Email, "email_verified": u.EmailVerified, "name": u.Name, "picture": u.Picture,
		"roles": sortedRoles(u.Roles), "status": string(u.Status), "created_at": u.CreatedAt.UnixMilli(), "version": u.Version,
		"epoch": u.epoch, "primary": u.primary, "admin_given": u.adminGiven,
		"own_name": u.ownName, "identities": u.identities, "tokens_from": u.TokensFrom.Unix(), "cuts": cutoffsText(u.cutoffs),
	}
	// Older versions believe claimed_email, and do not know claims that are not trusted.
	item["claimed_email"], item["untrusted_email"] = u.owns.email, ""
	if !u.owns.trusted {
		item["claimed_email"], item["untrusted_email"] = "", u.owns.email
	}
	item["lost_email"], item["lost_to_untrusted"] = u.lost.email, u.lost.email != "" && !u.lost.trusted
	if u.Status != deleted {
		item[table.GSI1PK], item[table.GSI1SK] = usersPartition, u.ID
		item[table.GSI2PK], item[table.GSI2SK] = usersPartition, emailOrder(u)
	}
	return item
}

// userFrom reads a row. It knows every attribute that it needs, or fails: a user
// whose row is damaged can do nothing until it is repaired.
func userFrom(item table.Item) (User, error) {
	if n, ok := item["schema"].(int64); ok && n > userSchema {
		return User{}, fmt.Errorf("%w: user: schema %d, and this version reads %d: deploy the version that wrote it, or a later one", table.ErrDamaged, n, userSchema)
	}
	r := table.Reader{Item: item}
	u := User{
		ID: r.Text("id"), Email: r.Text("email"), EmailVerified: r.Flag("email_verified"),
		Name: plaintext.Strip(r.Text("name")), Picture: r.Text("picture"), Roles: r.List("roles"),
		Status: Status(r.Text("status")), CreatedAt: r.Milli("created_at"), Version: r.Number("version"),
		epoch: r.Number("epoch"), primary: r.Text("primary"),
		adminGiven: r.Flag("admin_given"), ownName: r.Flag("own_name"), identities: r.Number("identities"),
		TokensFrom: r.Seconds("tokens_from"),
	}
	if _, ok := item["cuts"]; ok { // without it, nothing was unlinked yet
		cutoffs, err := parseCutoffs(r.Text("cuts"))
		u.cutoffs, r.Err = cutoffs, cmp.Or(r.Err, err)
	}
	u.owns, u.lost = claimsFrom(&r)
	u.ledger, _ = ledgerFrom(&r, u.ID)
	u.EmailVerified = u.EmailVerified && u.owns.email != "" && u.owns.email == Profile{Email: u.Email}.canonicalEmail()
	if r.Err == nil && (r.Number("schema") != userSchema || item.Key() != userKey(u.ID)) {
		r.Err = fmt.Errorf("%w: user: schema or key", table.ErrDamaged)
	}
	if r.Err == nil && !slices.Contains([]Status{Active, Suspended, deleted}, u.Status) {
		r.Err = fmt.Errorf("%w: user: status", table.ErrDamaged)
	}
	if r.Err != nil {
		return User{}, r.Err
	}
	return u, nil
}

// claimsFrom reads which address the user owns, and which one they have lost. In
// the rows of older versions every claim is trusted.
func claimsFrom(r *table.Reader) (owns, lost claim) {
	if email := r.Text("claimed_email"); email != "" {
		owns = claim{email, true}
	} else if _, ok := r.Item["untrusted_email"]; ok {
		owns = claim{email: r.Text("untrusted_email")}
	}
	if email := r.Text("lost_email"); email != "" {
		lost = claim{email, true}
		if _, ok := r.Item["lost_to_untrusted"]; ok {
			lost.trusted = !r.Flag("lost_to_untrusted")
		}
	}
	return owns, lost
}

// emailOrder sorts users by address; those without one come last.
func emailOrder(u User) string {
	canonical := Profile{Email: u.Email}.canonicalEmail()
	if canonical == "" {
		canonical = "~"
	}
	return canonical + "#" + u.ID
}

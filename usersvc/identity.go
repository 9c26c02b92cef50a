package usersvc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Identity is an account at a provider that a user signs in with. As JSON it is
// what the API shows of it.
type Identity struct {
	ID       string    `json:"id"` // names it among the user's
	Provider string    `json:"provider"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	Email    string    `json:"email"` // as it was when it was linked
	LinkedAt time.Time `json:"linked_at"`

	unlinked bool
}

// maxIdentities bounds what one user can link, so that deleting a user is one
// transaction.
const maxIdentities = 20

// Identities returns the identities that the user signs in with.
func (u *Users) Identities(ctx context.Context, userID string) ([]Identity, error) {
	all, err := u.allIdentities(ctx, userID)
	linked := []Identity{}
	for _, i := range all {
		if !i.unlinked {
			linked = append(linked, i)
		}
	}
	return linked, err
}

// allIdentities also returns those that were unlinked.
func (u *Users) allIdentities(ctx context.Context, userID string) ([]Identity, error) {
	var all []Identity
	for cursor := ""; ; {
		page, err := u.Table.Query(ctx, table.Query{PK: userKey(userID).PK, Prefix: identityPrefix, Limit: 100, Cursor: cursor})
		if err != nil {
			return nil, fmt.Errorf("reading identities: %w", err)
		}
		for _, item := range page.Items {
			i, err := identityFrom(item)
			if err != nil {
				return nil, err
			}
			all = append(all, i)
		}
		if cursor = page.Cursor; cursor == "" {
			return all, nil
		}
	}
}

// Link links p to the user by, who can sign in with it from now on. The user must
// be signed in, in the session sid, and have just proved at the provider that they
// are p. Several identities of one provider are as good as one each of several:
// unlike an address in [Users.SignIn], this is the word of both of them. It does
// nothing if p is linked already. It returns [ErrNoSession] if the session is not
// live any more, [ErrLinkedElsewhere] if p is another user's, and
// [ErrTooManyIdentities]. The writes of also are part of the transaction, as in
// [Users.SignIn].
func (u *Users) Link(ctx context.Context, by By, sid string, p Profile, also ...table.Write) (User, error) {
	if err := p.check(); err != nil {
		return User{}, err
	}
	p = p.clean()
	return u.change(ctx, by, by.UserID, 0, func(next *User) ([]table.Write, error) {
		s, err := u.readSession(ctx, by.UserID, sid)
		if err != nil {
			return nil, err
		}
		owner, err := u.owner(ctx, p.key())
		switch {
		case err != nil:
			return nil, err
		case !next.live(s):
			return nil, ErrNoSession
		case owner == next.ID:
			return also, nil
		case owner != "":
			return nil, ErrLinkedElsewhere
		case next.identities >= maxIdentities:
			return nil, ErrTooManyIdentities
		}
		next.identities++
		writes := append(linkRows(next.ID, p, u.now()), u.audit(IdentityLinked, next.ID, by, "from "+p.Provider))
		return append(append(writes, table.Check(sessionKey(next.ID, sid), table.Exists{})), also...), nil
	})
}

// Unlink takes an identity from the user. The account at the provider opens
// nothing from then on: the sessions that began with it end, and every access token that the user
// has is revoked; the sessions that go on get new ones. It returns [ErrNoIdentity] if the user has no such identity, and
// [ErrLastIdentity] if it is the last.
func (u *Users) Unlink(ctx context.Context, by By, userID, identityID string) (User, error) {
	return u.change(ctx, by, userID, 0, func(next *User) ([]table.Write, error) {
		linked, err := u.Identities(ctx, userID)
		if err != nil {
			return nil, err
		}
		for _, i := range linked {
			if i.ID == identityID {
				return u.unlink(by, next, i)
			}
		}
		return nil, ErrNoIdentity
	})
}

func (u *Users) unlink(by By, next *User, i Identity) ([]table.Write, error) {
	if next.identities <= 1 {
		return nil, ErrLastIdentity
	}
	next.identities--
	next.endSessionsOf(i.ID)
	key := Profile{Issuer: i.Issuer, Subject: i.Subject}.key()
	writes := []table.Write{
		table.Delete(key).If(table.Equal{Name: "user_id", Value: next.ID}),
		table.Update(schema.LinkedIdentity(next.ID, i.Issuer, i.Subject), map[string]any{"unlinked": true}).If(table.Exists{}),
		u.audit(IdentityUnlinked, next.ID, by, "from "+i.Provider),
	}
	u.revokeUser(next)
	if next.primary == key.PK { // the profile was this identity's: the next one to sign in takes its place
		next.primary = ""
		next.EmailVerified = false // another user can own the address from now on
		if next.owns.email != "" {
			writes = append(writes, dropClaim(next.ID, next.owns.email))
			next.owns = claim{}
		}
	}
	return writes, nil
}

const identityPrefix = schema.IdentityPrefix

// linkRows lead from p to the user, and from the user to p. They fail if p leads
// to a user already: this alone makes it impossible that two users share p.
func linkRows(userID string, p Profile, now time.Time) []table.Write {
	attributes := func(key table.Key) table.Item {
		return table.Item{
			table.PK: key.PK, table.SK: key.SK, "user_id": userID, "provider": p.Provider,
			"issuer": p.Issuer, "subject": p.Subject, "email": p.Email, "linked_at": now.UnixMilli(), "unlinked": false,
		}
	}
	return []table.Write{
		table.Put(attributes(p.key())).If(table.NotExists{}),
		table.Put(attributes(schema.LinkedIdentity(userID, p.Issuer, p.Subject))),
	}
}

func identityFrom(item table.Item) (Identity, error) {
	r := table.Reader{Item: item}
	i := Identity{
		Provider: r.Text("provider"), Issuer: r.Text("issuer"), Subject: r.Text("subject"), Email: r.Text("email"),
		LinkedAt: r.Milli("linked_at"), unlinked: r.Flag("unlinked"),
	}
	if r.Err != nil {
		return Identity{}, r.Err
	}
	i.ID = identityID(item.Key().SK)
	return i, nil
}

// identityID names an identity, by the partition key of its row.
func identityID(key string) string {
	hash := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(hash[:12])
}

// owner returns the id of the user that a row leads to, or "" if there is none.
func (u *Users) owner(ctx context.Context, key table.Key) (string, error) {
	item, err := u.Table.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key.SK, err)
	}
	r := table.Reader{Item: item}
	id := r.Text("user_id")
	return id, r.Err
}

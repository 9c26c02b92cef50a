package usersvc

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// findByEmail is the entry of an identity that nobody has signed in with: of a
// new user, unless a user holds the same address and may be believed to be the
// same person (see [Users.TrustedProviders]).
func (u *Users) findByEmail(ctx context.Context, a arrival) (entry, error) {
	if !a.EmailVerified || len(u.TrustedProviders) == 0 {
		return u.create(a, false), nil
	}
	id, err := u.owner(ctx, emailKey(a.canonicalEmail()))
	if err != nil {
		return entry{}, err
	}
	if id == "" {
		return u.create(a, u.trusts(a.Profile)), nil
	}
	if !u.trusts(a.Profile) {
		return entry{}, ErrEmailKnown
	}
	user, err := u.Get(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && user.claimedEmail != a.canonicalEmail() {
		return entry{}, errChanged
	}
	if err != nil {
		return entry{}, err
	}
	apart, err := u.hasIssuer(ctx, user, a.Issuer)
	if err != nil {
		return entry{}, err
	}
	if apart {
		return u.create(a, false), nil
	}
	return u.join(user, a)
}

// join is the entry of a user with an identity that is linked to them now.
func (u *Users) join(user User, a arrival) (entry, error) {
	if user.Status != Active {
		return entry{}, ErrSuspended
	}
	if user.identities >= maxIdentities {
		return entry{}, ErrEmailKnown
	}
	next := user
	next.identities++
	writes := []table.Write{u.audit(IdentityLinked, user.ID, a.by(user.ID), "from "+a.Provider)}
	writes = append(writes, u.giveAdmin(&next, a.Profile)...)
	writes = append(writes, replace(user, &next))
	return entry{user: next, writes: append(writes, linkRowsOf(next, a.Profile, u.now())...)}, nil
}

// hasIssuer tells whether the user has, or has had, an identity of the issuer. A
// provider that knows two people by one address has given it to the second after
// the first had gone: they are not the same. And what a user has unlinked must
// not come back by itself.
func (u *Users) hasIssuer(ctx context.Context, user User, issuer string) (bool, error) {
	page, err := u.Table.Query(ctx, table.Query{PK: userKey(user.ID).PK, Prefix: identityPrefix + issuer + "#", Limit: 1})
	if err != nil {
		return false, fmt.Errorf("reading identities: %w", err)
	}
	return len(page.Items) > 0, nil
}

// claim makes the user's address lead to them, if it may be believed and does
// not lead to somebody else; an address that they no longer have leads nowhere.
func (u *Users) claim(ctx context.Context, user *User, p Profile) ([]table.Write, error) {
	want := ""
	if u.trusts(p) {
		want = p.canonicalEmail()
	}
	if want == user.claimedEmail || want != "" && want == user.lostEmail {
		return nil, nil
	}
	var writes []table.Write
	if user.claimedEmail != "" {
		writes = append(writes, dropClaim(user.ID, user.claimedEmail))
	}
	user.claimedEmail, user.lostEmail = want, ""
	if want == "" {
		return writes, nil
	}
	other, err := u.owner(ctx, emailKey(want))
	if err != nil {
		return nil, err
	}
	if other != "" {
		user.claimedEmail, user.lostEmail = "", want
		return writes, nil
	}
	return append(writes, putClaim(user.ID, want)), nil
}

func putClaim(userID, canonical string) table.Write {
	key := emailKey(canonical)
	return table.Put(table.Item{table.PK: key.PK, table.SK: key.SK, "user_id": userID}).If(table.NotExists{})
}

func dropClaim(userID, canonical string) table.Write {
	return table.Delete(emailKey(canonical)).If(table.Equal{Name: "user_id", Value: userID})
}

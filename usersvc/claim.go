package usersvc

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// An e-mail address has one owner, however many users providers have named it
// for. Only the owner's address is shown as verified. The first user whose
// provider says that the address is verified owns it, until a provider in
// [Users.TrustedProviders] says so of another user.

// claim is a user's ownership of an e-mail address. The zero value is none.
type claim struct {
	email   string // canonical
	trusted bool   // a trusted provider says that the address is verified
}

// outranks tells whether c takes the address from the owner by other.
func (c claim) outranks(other claim) bool { return c.trusted && !other.trusted }

// emailOwner is what the row of an e-mail address says.
type emailOwner struct {
	userID string // "": there is no row
	claim  claim
}

// emailOwner reads the row of an address.
func (u *Users) emailOwner(ctx context.Context, canonical string) (emailOwner, error) {
	item, err := u.Table.Get(ctx, emailKey(canonical))
	if errors.Is(err, table.ErrNotFound) {
		return emailOwner{}, nil
	}
	if err != nil {
		return emailOwner{}, fmt.Errorf("reading email: %w", err)
	}
	r := table.Reader{Item: item}
	o := emailOwner{r.Text("user_id"), claim{canonical, true}}
	if _, ok := item["trusted"]; ok { // without it, the row is of a time when only trusted providers made one
		o.claim.trusted = r.Flag("trusted")
	}
	return o, r.Err
}

// claimOf returns the claim that a profile supports.
func (r signInRules) claimOf(p Profile) claim {
	if !p.EmailVerified {
		return claim{}
	}
	return claim{p.canonicalEmail(), r.trusts(p)}
}

// changesClaim tells whether the profile changes which address the user owns. An
// address that was lost to another user stays lost, unless this claim outranks
// theirs.
func (r signInRules) changesClaim(user User, p Profile) bool {
	want := r.claimOf(p)
	isLost := want.email != "" && want.email == user.lost.email && !want.outranks(user.lost)
	return want != user.owns && !isLost
}

// changeClaim makes the user own the profile's address, unless another user owns
// it by a claim that is as good. The user then no longer owns another address. If
// it needs to know more, it says what, and changes nothing.
func (r signInRules) changeClaim(plan *plan, f facts, p Profile) need {
	want, user := r.claimOf(p), &plan.user
	owned := want.email != "" && want.email == user.owns.email // only the trust changes
	other := !owned && f.owner != nil && f.owner.userID != "" && f.owner.userID != user.ID
	switch {
	case want.email != "" && !owned && f.owner == nil:
		return needOwner
	case other && want.outranks(f.owner.claim) && f.ownerUser == nil:
		return needOwnerUser
	}
	if user.owns.email != "" && !owned {
		plan.dropEmail = user.owns.email
	}
	user.owns, user.lost = want, claim{}
	switch {
	case want.email == "":
	case other && !want.outranks(f.owner.claim):
		user.owns, user.lost = claim{}, claim{want.email, f.owner.claim.trusted}
	case other:
		plan.claims, plan.claimsFrom = true, f.owner.userID
		if f.ownerUser.owns.email == want.email {
			plan.ownerBefore = *f.ownerUser
		}
	case owned:
		plan.claims, plan.claimsFrom = true, user.ID
	default:
		plan.claims, plan.claimsFrom = true, f.owner.userID
	}
	return needNothing
}

// withoutEmail returns the owner of an address after another user has taken it.
func withoutEmail(owner User, taken claim) User {
	owner.EmailVerified = false
	owner.owns, owner.lost = claim{}, taken
	owner.Version++
	return owner
}

// claimWrites returns the writes that carry out the part of a plan about
// addresses. The tokens of a user who loses an address are revoked: they say that
// the address is verified. Revoked is that user, or zero.
func (u *Users) claimWrites(ctx context.Context, p plan) (writes []table.Write, revoked User, err error) {
	if p.dropEmail != "" {
		writes = append(writes, dropClaim(p.user.ID, p.dropEmail))
	}
	if p.claims {
		writes = append(writes, putClaim(p.user, p.claimsFrom))
	}
	if p.ownerBefore.ID == "" {
		return writes, User{}, nil
	}
	after := withoutEmail(p.ownerBefore, p.user.owns)
	u.revokeUser(&after)
	feed, err := u.revokeAll(ctx, &after, p.ownerBefore.ledger)
	writes = append(writes, feed...)
	return append(writes, after.replace(p.ownerBefore),
		u.audit(ProfileChanged, after.ID, By{UserID: configured}, "a trusted provider says that the e-mail address is another user's")), after, err
}

// putClaim writes the row of the user's address. It fails unless the row has led
// to the user from, or was absent if from is "".
func putClaim(user User, from string) table.Write {
	key := emailKey(user.owns.email)
	w := table.Put(table.Item{table.PK: key.PK, table.SK: key.SK, "user_id": user.ID, "trusted": user.owns.trusted})
	if from == "" {
		return w.If(table.NotExists{})
	}
	return w.If(table.Equal{Name: "user_id", Value: from})
}

func dropClaim(userID, canonical string) table.Write {
	return table.Delete(emailKey(canonical)).If(table.Equal{Name: "user_id", Value: userID})
}

package usersvc

import (
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/usersvc/email"
)

// signInRules is the part of the configuration that sign-ins depend on.
type signInRules struct {
	admins           []string // e-mail addresses: see [Users.Admins]
	trustedProviders []string // see [Users.TrustedProviders]
	defaultRoles     []string // of a new user
}

func (u *Users) signInRules() signInRules {
	return signInRules{u.Admins, u.TrustedProviders, u.defaultRoles()}
}

// facts is what a sign-in has read so far.
type facts struct {
	now    time.Time
	newID  string // the id of a user who is created
	reread bool   // what the identity's row remembers was wrong

	userID string // to which the identity leads; "": it has no row
	known  User   // as the identity's row remembers the user; zero: it does not
	user   *User  // as the user's row says; nil: not read

	owner          *emailOwner // of the profile's address; nil: not read
	ownerUser      *User       // nil: not read
	ownerHasIssuer *bool       // the owner has, or has had, an identity of the issuer; nil: not read
}

// emailOwner is the row of an e-mail address.
type emailOwner struct {
	userID string // "": there is no row
}

// need is what a decision lacks.
type need int

const (
	needNothing need = iota
	needUser
	needOwner
	needOwnerUser
	needIssuer
)

// plan is what a sign-in does.
type plan struct {
	before User // zero: the user is created
	user   User // afterward

	links      bool   // the identity leads to the user from now on
	remembers  bool   // the identity's row must remember the user as of now
	dropEmail  string // a canonical address that no longer leads to the user; "": none
	claimEmail string // one that leads to the user from now on; "": none
	makesAdmin bool
	events     []event // for the audit trail
}

// event is an entry of the audit trail before it is written.
type event struct {
	action Action
	by     By
	detail string
}

func (p plan) creates() bool { return p.before.ID == "" }
func (p plan) changes() bool { return !p.user.equal(p.before) }

// decide decides about a sign-in by what is known. If it needs to know more, it
// says what, and decides nothing.
func (r signInRules) decide(f facts, a signInAttempt) (plan, need, error) {
	switch {
	case f.userID == "":
		return r.first(f, a)
	case f.user != nil:
		return r.returning(f, a, *f.user)
	case f.known.Status != Active || f.reread:
		return plan{}, needUser, nil
	}
	return r.returning(f, a, f.known)
}

// returning decides about an identity that leads to a user.
func (r signInRules) returning(f facts, a signInAttempt, user User) (plan, need, error) {
	if user.Status != Active {
		return plan{}, needNothing, ErrSuspended
	}
	p := plan{before: user, user: user}
	if user.primary == "" || user.primary == a.key().PK {
		p.user.showProfile(a.Profile)
		if r.changesClaim(user, a.Profile) {
			if r.trusts(a.Profile) && f.owner == nil {
				return plan{}, needOwner, nil
			}
			r.changeClaim(&p, f, a.Profile)
		}
		if !p.user.showsAs(user) {
			p.add(ProfileChanged, a.by(user.ID), "from "+a.Provider)
		}
	}
	r.giveAdmin(&p, a.Profile)
	if p.changes() {
		p.user.Version++
	}
	p.remembers = !p.user.equal(f.known)
	return p, needNothing, nil
}

// first decides about an identity that has not signed in before: it belongs to a
// new user, or to the user who owns its address, if the provider is trusted to
// say so.
func (r signInRules) first(f facts, a signInAttempt) (plan, need, error) {
	switch {
	case !a.EmailVerified || len(r.trustedProviders) == 0:
		return r.create(f, a, false), needNothing, nil
	case f.owner == nil:
		return plan{}, needOwner, nil
	case f.owner.userID == "":
		return r.create(f, a, r.trusts(a.Profile)), needNothing, nil
	case !r.trusts(a.Profile):
		return plan{}, needNothing, ErrEmailKnown
	case f.ownerUser == nil:
		return plan{}, needOwnerUser, nil
	case f.ownerUser.claimedEmail != a.canonicalEmail():
		return plan{}, needNothing, errChanged
	case f.ownerHasIssuer == nil:
		return plan{}, needIssuer, nil
	case *f.ownerHasIssuer:
		return r.create(f, a, false), needNothing, nil
	}
	p, err := r.join(*f.ownerUser, a)
	return p, needNothing, err
}

// create is the plan for a new user.
func (r signInRules) create(f facts, a signInAttempt, canClaim bool) plan {
	p := plan{links: true, user: User{
		ID: f.newID, Roles: sortedRoles(r.defaultRoles), Status: a.status,
		CreatedAt: f.now, Version: 1, identities: 1, TokensFrom: f.now.Truncate(time.Second),
	}}
	p.user.showProfile(a.Profile)
	p.add(UserCreated, a.by(p.user.ID), "from "+a.Provider)
	if canClaim {
		p.claimEmail = a.canonicalEmail()
		p.user.claimedEmail = p.claimEmail
	}
	r.giveAdmin(&p, a.Profile)
	return p
}

// join is the plan for a user to whom the identity is linked.
func (r signInRules) join(user User, a signInAttempt) (plan, error) {
	if user.Status != Active {
		return plan{}, ErrSuspended
	}
	if user.identities >= maxIdentities {
		return plan{}, ErrEmailKnown
	}
	p := plan{before: user, user: user, links: true}
	p.user.identities++
	p.add(IdentityLinked, a.by(user.ID), "from "+a.Provider)
	r.giveAdmin(&p, a.Profile)
	p.user.Version++
	return p, nil
}

// changesClaim tells whether the profile changes which address leads to the user.
func (r signInRules) changesClaim(user User, p Profile) bool {
	want := r.claimable(p)
	return want != user.claimedEmail && (want == "" || want != user.lostEmail)
}

// changeClaim makes the profile's address lead to the user, if the provider is
// trusted and the address does not lead to another user. An address that the
// user no longer has leads to no user.
func (r signInRules) changeClaim(plan *plan, f facts, p Profile) {
	want, user := r.claimable(p), &plan.user
	plan.dropEmail = user.claimedEmail
	user.claimedEmail, user.lostEmail = want, ""
	switch {
	case want == "":
	case f.owner.userID != "":
		user.claimedEmail, user.lostEmail = "", want
	default:
		plan.claimEmail = want
	}
}

// claimable returns the canonical address that the profile can claim, or "".
func (r signInRules) claimable(p Profile) string {
	if r.trusts(p) {
		return p.canonicalEmail()
	}
	return ""
}

// giveAdmin makes the user an admin if the configuration names them and has not
// done so before.
func (r signInRules) giveAdmin(plan *plan, p Profile) {
	user := &plan.user
	if user.adminGiven || !r.isAdmin(p) {
		return
	}
	user.adminGiven = true
	if user.HasRole(Admin) {
		return
	}
	user.Roles = sortedRoles(append(slices.Clone(user.Roles), Admin))
	plan.makesAdmin = true
	plan.add(RolesChanged, By{UserID: configured}, "+"+Admin)
}

func (p *plan) add(action Action, by By, detail string) {
	p.events = append(p.events, event{action, by, detail})
}

// isAdmin tells whether p is one of the first admins.
func (r signInRules) isAdmin(p Profile) bool {
	if !p.EmailVerified || len(r.trustedProviders) > 0 && !r.trusts(p) {
		return false
	}
	address := p.canonicalEmail()
	return address != "" && slices.ContainsFunc(r.admins, func(admin string) bool {
		canonical, ok := email.Canonical(admin)
		return ok && canonical == address
	})
}

// trusts tells whether the provider of p is trusted to say that p owns its
// address, and says so.
func (r signInRules) trusts(p Profile) bool {
	return p.EmailVerified && p.canonicalEmail() != "" && slices.Contains(r.trustedProviders, p.Provider)
}

// showProfile takes over what the provider says about the user.
func (u *User) showProfile(p Profile) {
	u.primary = p.key().PK
	u.Email, u.EmailVerified, u.Picture = p.Email, p.EmailVerified, p.Picture
	if !u.ownName {
		u.Name = p.Name
	}
}

// showsAs tells whether both users have the same profile.
func (u User) showsAs(other User) bool {
	return u.Email == other.Email && u.EmailVerified == other.EmailVerified && u.Name == other.Name && u.Picture == other.Picture
}

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
	noAdminProviders []string // see [Users.NoAdminProviders]
	defaultRoles     []string // of a new user
}

func (u *Users) signInRules() signInRules {
	return signInRules{u.Admins, u.TrustedProviders, u.NoAdminProviders, u.defaultRoles()}
}

// facts is what a sign-in has read so far.
type facts struct {
	now    time.Time
	newID  string // the id of a user who is created
	reread bool   // the identity's row remembers the user wrongly

	userID string // to which the identity leads; "": it has no row
	known  User   // as the identity's row remembers the user; zero: it does not
	user   *User  // as the user's row says; nil: not read

	adminWasGiven bool // the role admin has been given to the profile's address before

	owner          *emailOwner // of the profile's address; nil: not read
	ownerUser      *User       // nil: not read
	ownerHasIssuer *bool       // the owner has, or has had, an identity of the issuer; nil: not read
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
	makesAdmin bool   // the user is given the role admin
	adminEmail string // the canonical address that is the reason, and must not have been one before; "": none

	dropEmail   string // the canonical address that the user owns no more; "": none
	claims      bool   // the user owns user.owns from now on
	claimsFrom  string // the id of the user that the address has led to; "": none
	ownerBefore User   // another user, who owned the address; zero: none

	events []event // for the audit trail
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
			if needed := r.changeClaim(&p, f, a.Profile); needed != needNothing {
				return plan{}, needed, nil
			}
		}
		p.user.verifyEmail(a.Profile)
		if !p.user.showsAs(user) {
			p.add(ProfileChanged, a.by(user.ID), "from "+a.Provider)
		}
	}
	r.giveAdmin(&p, f, a.Profile)
	if p.changes() {
		p.user.Version++
	}
	p.remembers = !p.user.equal(f.known)
	return p, needNothing, nil
}

// first decides about an identity that has not signed in before: it belongs to a
// new user, or to the user who owns its address, if trusted providers say so of
// both.
func (r signInRules) first(f facts, a signInAttempt) (plan, need, error) {
	want := r.claimOf(a.Profile)
	switch {
	case want.email == "":
		return r.create(f, a)
	case f.owner == nil:
		return plan{}, needOwner, nil
	case f.owner.userID == "" || !f.owner.claim.trusted:
		return r.create(f, a)
	case !want.trusted && len(r.trustedProviders) > 0:
		return plan{}, needNothing, ErrEmailKnown
	case !want.trusted:
		return r.create(f, a)
	case f.ownerUser == nil:
		return plan{}, needOwnerUser, nil
	case f.ownerUser.owns.email != want.email:
		return plan{}, needNothing, errChanged
	case f.ownerHasIssuer == nil:
		return plan{}, needIssuer, nil
	case *f.ownerHasIssuer:
		return r.create(f, a)
	}
	p, err := r.join(f, a)
	return p, needNothing, err
}

// create is the plan for a new user.
func (r signInRules) create(f facts, a signInAttempt) (plan, need, error) {
	p := plan{links: true, user: User{
		ID: f.newID, Roles: sortedRoles(r.defaultRoles), Status: a.status,
		CreatedAt: f.now, Version: 1, identities: 1, TokensFrom: f.now.Truncate(time.Second),
	}}
	p.user.showProfile(a.Profile)
	p.add(UserCreated, a.by(p.user.ID), "from "+a.Provider)
	if needed := r.changeClaim(&p, f, a.Profile); needed != needNothing {
		return plan{}, needed, nil
	}
	p.user.verifyEmail(a.Profile)
	r.giveAdmin(&p, f, a.Profile)
	return p, needNothing, nil
}

// join is the plan for a user to whom the identity is linked.
func (r signInRules) join(f facts, a signInAttempt) (plan, error) {
	user := *f.ownerUser
	if user.Status != Active {
		return plan{}, ErrSuspended
	}
	if user.identities >= maxIdentities {
		return plan{}, ErrEmailKnown
	}
	p := plan{before: user, user: user, links: true}
	p.user.identities++
	p.add(IdentityLinked, a.by(user.ID), "from "+a.Provider)
	r.giveAdmin(&p, f, a.Profile)
	p.user.Version++
	return p, nil
}

// giveAdmin makes the user an admin if the configuration names their address. It
// does so once for each user and once for each address.
func (r signInRules) giveAdmin(plan *plan, f facts, p Profile) {
	user := &plan.user
	if user.adminGiven || !r.isAdmin(*user, p) {
		return
	}
	user.adminGiven = true
	if f.adminWasGiven {
		return
	}
	plan.adminEmail = p.canonicalEmail()
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

// isAdmin tells whether p's address is one of the first admins', and is the user's
// for sure: a trusted provider says so or, where no provider is trusted, the user
// owns it.
func (r signInRules) isAdmin(user User, p Profile) bool {
	address := p.canonicalEmail()
	if address == "" || slices.Contains(r.noAdminProviders, p.Provider) || !r.trusts(p) && (len(r.trustedProviders) > 0 || user.owns.email != address) {
		return false
	}
	return r.namesAdmin(address)
}

// namesAdmin tells whether a canonical address is among the first admins'.
func (r signInRules) namesAdmin(canonical string) bool {
	return slices.ContainsFunc(r.admins, func(admin string) bool {
		address, ok := email.Canonical(admin)
		return ok && address == canonical
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
	u.Email, u.Picture = p.Email, p.Picture
	if !u.ownName {
		u.Name = p.Name
	}
}

// verifyEmail shows the profile's address as verified if the user owns it.
func (u *User) verifyEmail(p Profile) {
	u.EmailVerified = p.EmailVerified && u.owns.email != "" && u.owns.email == p.canonicalEmail()
}

// showsAs tells whether both users have the same profile.
func (u User) showsAs(other User) bool {
	return u.Email == other.Email && u.EmailVerified == other.EmailVerified && u.Name == other.Name && u.Picture == other.Picture
}

package usersvc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// SignInInfo is what is known about a sign-in besides the profile.
type SignInInfo struct {
	UserAgent string
	SourceIP  string    // without a port
	AuthTime  time.Time // when the provider last authenticated the person; zero: now
	ACR       string    // how strongly, in the words of the provider; "": it did not say
	AMR       []string  // the methods that it names; empty: none
}

// SignIn finds or creates the user of a provider's profile and starts a session,
// all in one transaction. It returns the cookie that [Users.Session] takes. A
// suspended user gets [ErrSuspended] and nothing else; see also [ErrEmailKnown]
// and [ErrBadProfile]. The writes of also are part of the transaction; if the
// condition of one fails, the error is the one that the write carries.
func (u *Users) SignIn(ctx context.Context, p Profile, info SignInInfo, also ...table.Write) (User, Session, string, error) {
	var (
		s      Session
		cookie string
	)
	a := signInAttempt{p, info, Active}
	user, err := u.enter(ctx, a, func(user User) []table.Write {
		s, cookie = u.newSession(user, a)
		started := []table.Write{table.Put(s.item()).If(table.NotExists{}), u.audit(SessionStarted, user.ID, a.by(user.ID), s.ID)}
		return append(started, also...)
	})
	if err != nil {
		return User{}, Session{}, "", fmt.Errorf("signing in: %w", err)
	}
	return user, s, cookie, nil
}

// signInAttempt is one sign-in: the profile, the request, and the status of a
// user that it creates.
type signInAttempt struct {
	Profile
	info   SignInInfo
	status Status
}

func (a signInAttempt) by(userID string) By {
	return By{UserID: userID, SourceIP: a.info.SourceIP, UserAgent: a.info.UserAgent}
}

// enter finds or creates the user of a, and brings the user up to date. The
// writes of then are part of the same transaction, which fails unless the user
// is active.
func (u *Users) enter(ctx context.Context, a signInAttempt, then func(User) []table.Write) (User, error) {
	if err := a.check(); err != nil {
		return User{}, err
	}
	a.Profile = a.clean()
	known := facts{} // by what has failed
	for range attempts {
		p, err := u.plan(ctx, a, known)
		if err != nil && !errors.Is(err, errChanged) {
			return User{}, err
		}
		if err == nil {
			err = u.carryOut(ctx, p, a, then(p.user))
		}
		switch {
		case errors.Is(err, errAdminGiven):
			known.adminWasGiven = true
		case errors.Is(err, errChanged):
			known.reread = true
		default:
			return p.user, err
		}
	}
	return User{}, errContended
}

// carryOut writes what a plan says, with more writes in the same transaction.
func (u *Users) carryOut(ctx context.Context, p plan, a signInAttempt, more []table.Write) error {
	claims, revoked, err := u.claimWrites(ctx, p)
	if err != nil {
		return err
	}
	if err := u.write(ctx, slices.Concat(u.writesOf(p, a), claims, more)...); err != nil {
		return err
	}
	return u.finishRevoking(ctx, &revoked)
}

// plan reads what [signInRules.decide] needs, and nothing else, and returns its
// decision. Known is what earlier attempts have found.
func (u *Users) plan(ctx context.Context, a signInAttempt, known facts) (plan, error) {
	f, err := u.readIdentity(ctx, a.key())
	if err != nil {
		return plan{}, err
	}
	f.reread, f.adminWasGiven = known.reread, known.adminWasGiven
	f.now = u.now()
	f.newID = newID("u_", f.now)
	for {
		p, needed, err := u.signInRules().decide(f, a)
		if err != nil || needed == needNothing {
			return p, err
		}
		if err := u.readFact(ctx, &f, a, needed); err != nil {
			return plan{}, err
		}
	}
}

// readFact reads what a decision needs to know.
func (u *Users) readFact(ctx context.Context, f *facts, a signInAttempt, needed need) (err error) {
	switch needed {
	case needUser:
		f.user, err = u.mustGet(ctx, f.userID)
	case needOwner:
		var owner emailOwner
		owner, err = u.emailOwner(ctx, a.canonicalEmail())
		f.owner = &owner
	case needOwnerUser:
		f.ownerUser, err = u.mustGet(ctx, f.owner.userID)
	case needIssuer:
		f.ownerHasIssuer, err = u.hasIssuer(ctx, f.owner.userID, a.Issuer)
	}
	return err
}

// mustGet returns a user that another row leads to. If there is none, the user
// was deleted between two reads.
func (u *Users) mustGet(ctx context.Context, id string) (*User, error) {
	user, err := u.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, errChanged
	}
	return &user, err
}

// writesOf returns the writes that carry out a plan, except for [Users.claimWrites].
func (u *Users) writesOf(p plan, a signInAttempt) []table.Write {
	var writes []table.Write
	id, now := p.user.ID, u.now()
	switch {
	case p.creates():
		writes = append(writes, table.Put(p.user.item()).If(table.NotExists{}))
	case p.changes():
		writes = append(writes, p.user.replace(p.before))
	default:
		writes = append(writes, table.Check(userKey(id), versionIs(p.before)))
	}
	if p.makesAdmin {
		writes = append(writes, putMember(id))
	}
	if p.adminEmail != "" {
		writes = append(writes, u.putAdminGiven(p.adminEmail).If(table.NotExists{}).Else(errAdminGiven))
	}
	switch {
	case p.links:
		writes = append(writes, linkRowsOf(p.user, a.Profile, now)...)
	case p.remembers:
		writes = append(writes, table.Update(a.key(), remembered(p.user)).If(table.Equal{Name: "user_id", Value: id}))
	}
	for _, e := range p.events {
		writes = append(writes, u.audit(e.action, id, e.by, e.detail))
	}
	return writes
}

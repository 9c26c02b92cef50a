package usersvc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// SignInInfo is what is known about a sign-in besides who it is.
type SignInInfo struct {
	UserAgent string
	SourceIP  string    // without a port
	AuthTime  time.Time // when the provider last saw the person prove who they are; zero: now
}

// SignIn finds or creates the user of a provider's profile and starts a session,
// all in one transaction. It returns the cookie that [Users.Session] takes. A
// suspended user gets [ErrSuspended] and nothing else; see also [ErrEmailKnown]
// and [ErrBadProfile].
func (u *Users) SignIn(ctx context.Context, p Profile, info SignInInfo) (User, Session, string, error) {
	var (
		s      Session
		cookie string
	)
	a := arrival{p, info, Active}
	user, err := u.enter(ctx, a, func(user User) []table.Write {
		s, cookie = u.newSession(user, a)
		return []table.Write{table.Put(s.item()).If(table.NotExists{}), u.audit(SessionStarted, user.ID, a.by(user.ID), s.ID)}
	})
	if err != nil {
		return User{}, Session{}, "", fmt.Errorf("signing in: %w", err)
	}
	return user, s, cookie, nil
}

// arrival is somebody at the door.
type arrival struct {
	Profile
	info   SignInInfo
	status Status // of the user, if this creates them
}

func (a arrival) by(userID string) By {
	return By{UserID: userID, SourceIP: a.info.SourceIP, UserAgent: a.info.UserAgent}
}

// enter finds or creates the user of a and brings the user up to date. What then
// adds is written in the same transaction, which fails unless the user is active.
func (u *Users) enter(ctx context.Context, a arrival, then func(User) []table.Write) (User, error) {
	if err := a.check(); err != nil {
		return User{}, err
	}
	a.Profile = a.clean()
	for attempt := range attempts {
		e, err := u.find(ctx, a, attempt > 0)
		if err == nil {
			err = u.write(ctx, append(e.writes, then(e.user)...)...)
		}
		if !errors.Is(err, errChanged) {
			return e.user, err
		}
	}
	return User{}, errContended
}

// entry is a user who enters, and the writes that this takes.
type entry struct {
	user   User
	writes []table.Write
}

// find finds the user of an identity as its row remembers them, or with anew by
// reading them, too.
func (u *Users) find(ctx context.Context, a arrival, anew bool) (entry, error) {
	id, known, err := u.knownBy(ctx, a.key())
	if err != nil {
		return entry{}, err
	}
	if id == "" {
		return u.findByEmail(ctx, a)
	}
	if known.Status == Active && !anew {
		return u.returning(ctx, known, a, known)
	}
	user, err := u.Get(ctx, id)
	if errors.Is(err, ErrNotFound) { // deleted between the two reads
		return entry{}, errChanged
	}
	if err != nil {
		return entry{}, err
	}
	return u.returning(ctx, user, a, known)
}

// returning is the entry of a user who is known, and whom the identity's row
// remembers as known.
func (u *Users) returning(ctx context.Context, user User, a arrival, known User) (entry, error) {
	if user.Status != Active {
		return entry{}, ErrSuspended
	}
	next := user
	e := entry{}
	if next.primary == "" || next.primary == a.key().PK {
		next.show(a.Profile)
		claim, err := u.claim(ctx, &next, a.Profile)
		if err != nil {
			return entry{}, err
		}
		e.writes = append(e.writes, claim...)
		if next.Email != user.Email || next.Name != user.Name || next.Picture != user.Picture || next.EmailVerified != user.EmailVerified {
			e.writes = append(e.writes, u.audit(ProfileChanged, user.ID, a.by(user.ID), "from "+a.Provider))
		}
	}
	e.writes = append(e.writes, u.giveAdmin(&next, a.Profile)...)
	if next.equal(user) {
		e.writes = append(e.writes, table.Check(userKey(user.ID), as(user)))
	} else {
		e.writes = append(e.writes, replace(user, &next).If(as(user)))
	}
	if !next.equal(known) {
		key := a.key()
		e.writes = append(e.writes, table.Update(key, remembered(next)).If(table.Equal{Name: "user_id", Value: user.ID}))
	}
	e.user = next
	return e, nil
}

// create is the entry of a user who has never been here.
func (u *Users) create(a arrival, canClaim bool) entry {
	now := u.now()
	user := User{
		ID: newID("u_", now), Roles: sortedRoles(u.defaultRoles()), Status: a.status,
		CreatedAt: now, Version: 1, primary: a.key().PK, identities: 1, TokensFrom: now.Truncate(time.Second),
	}
	user.show(a.Profile)
	writes := []table.Write{u.audit(UserCreated, user.ID, a.by(user.ID), "from "+a.Provider)}
	if canClaim {
		user.claimedEmail = a.canonicalEmail()
		writes = append(writes, putClaim(user.ID, user.claimedEmail))
	}
	writes = append(writes, u.giveAdmin(&user, a.Profile)...)
	writes = append(writes, table.Put(user.item()).If(table.NotExists{}))
	return entry{user: user, writes: append(writes, linkRowsOf(user, a.Profile, now)...)}
}

// show takes over what the provider says about the user.
func (u *User) show(p Profile) {
	u.primary = p.key().PK
	u.Email, u.EmailVerified, u.Picture = p.Email, p.EmailVerified, p.Picture
	if !u.ownName {
		u.Name = p.Name
	}
}

// giveAdmin makes the user an admin if the configuration names them and has not
// done so before.
func (u *Users) giveAdmin(user *User, p Profile) []table.Write {
	if user.adminGiven || !u.isAdmin(p) {
		return nil
	}
	user.adminGiven = true
	if user.HasRole(Admin) {
		return nil
	}
	user.Roles = sortedRoles(append(slices.Clone(user.Roles), Admin))
	return []table.Write{putMember(user.ID), u.audit(RolesChanged, user.ID, By{UserID: configured}, "+"+Admin)}
}

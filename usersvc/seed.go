package usersvc

import (
	"context"
	"errors"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// EnsureUser finds or creates the user of a profile without signing in. A user
// who is created has the status; one who is there keeps what they have. It is
// for the people of the demo provider and for moves from another system.
func (u *Users) EnsureUser(ctx context.Context, p Profile, status Status) (User, error) {
	user, err := u.enter(ctx, signInAttempt{Profile: p, status: status}, func(User) []table.Write { return nil })
	if errors.Is(err, ErrSuspended) {
		id, err := u.owner(ctx, p.key())
		if err != nil {
			return User{}, err
		}
		return u.Get(ctx, id)
	}
	return user, err
}

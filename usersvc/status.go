package usersvc

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Suspend keeps the user out: their sessions end, their tokens are revoked, and
// they cannot sign in until [Users.Activate]. Only an admin or an operator may do
// it, not to themselves. It returns [ErrLastAdmin] if no active admin would remain.
func (u *Users) Suspend(ctx context.Context, by By, id string) (User, error) {
	if by.UserID == id {
		return User{}, ErrOneself
	}
	return u.change(ctx, by, id, 0, func(next *User) ([]table.Write, error) {
		if next.Status == Suspended {
			return nil, nil
		}
		old := *next
		next.Status = Suspended
		next.endAllSessions()
		writes, err := u.keepAdmin(ctx, by, old, *next)
		if err != nil {
			return nil, err
		}
		u.revokeUser(next)
		writes = append(writes, u.rememberAdmin(old)...)
		return append(writes, u.audit(UserSuspended, id, by, "")), nil
	})
}

// Activate lets a suspended user in again. Sessions that ended stay ended.
func (u *Users) Activate(ctx context.Context, by By, id string) (User, error) {
	if by.UserID == id {
		return User{}, ErrOneself
	}
	return u.change(ctx, by, id, 0, func(next *User) ([]table.Write, error) {
		if next.Status == Active {
			return nil, nil
		}
		next.Status = Active
		return []table.Write{u.audit(UserActivated, id, by, "")}, nil
	})
}

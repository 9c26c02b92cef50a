package usersvc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// SetRoles gives the user these roles in place of those they had; tokens with
// the old ones are revoked. Only an admin or an operator may do it. It returns
// [ErrUnknownRole] for a new role that is not declared, [ErrLastAdmin] if no
// active admin would remain, and [ErrVersion] if version is neither 0 nor the
// user's.
func (u *Users) SetRoles(ctx context.Context, by By, id string, roles []string, version int64) (User, error) {
	roles = sortedRoles(roles)
	return u.change(ctx, by, id, version, func(next *User) ([]table.Write, error) {
		for _, role := range roles {
			if !u.declared(role) && !next.HasRole(role) {
				return nil, ErrUnknownRole
			}
		}
		if by.UserID == id && !next.HasRole(Admin) {
			return nil, ErrForbidden
		}
		if slices.Equal(roles, next.Roles) {
			return nil, nil
		}
		old := *next
		next.Roles = roles
		writes, err := u.keepAdmin(ctx, by, old, *next)
		if err != nil {
			return nil, err
		}
		switch {
		case next.HasRole(Admin) && !old.HasRole(Admin):
			writes = append(writes, putMember(id))
		case !next.HasRole(Admin) && old.HasRole(Admin):
			writes = append(writes, table.Delete(memberKey(id)))
			writes = append(writes, u.rememberAdmin(old)...)
		}
		u.revokeUser(next)
		return append(writes, u.audit(RolesChanged, id, by, difference(old.Roles, roles))), nil
	})
}

// difference tells what a change of roles is: "+admin -user".
func difference(old, roles []string) string {
	var words []string
	for _, role := range roles {
		if !slices.Contains(old, role) {
			words = append(words, "+"+role)
		}
	}
	for _, role := range old {
		if !slices.Contains(roles, role) {
			words = append(words, "-"+role)
		}
	}
	return strings.Join(words, " ")
}

func (u User) activeAdmin() bool { return u.Status == Active && u.HasRole(Admin) }

func activeAdmin() table.Cond {
	return table.All{
		table.Equal{Name: "status", Value: string(Active)},
		table.Contains{Name: "roles", Element: Admin},
	}
}

// keepAdmin returns what must be checked so that an active admin remains when
// old becomes next. If another admin does it, they remain, and writeBy checks
// that they are one; otherwise another admin has to be found.
func (u *Users) keepAdmin(ctx context.Context, by By, old, next User) ([]table.Write, error) {
	if !old.activeAdmin() || next.activeAdmin() || by.Operator == "" && by.UserID != old.ID {
		return nil, nil
	}
	for cursor := ""; ; {
		page, err := u.Table.Query(ctx, table.Query{PK: schema.AdminPartition, Limit: 100, Cursor: cursor})
		if err != nil {
			return nil, fmt.Errorf("looking for another admin: %w", err)
		}
		for _, item := range page.Items {
			other, err := u.Get(ctx, item.Key().SK)
			switch {
			case errors.Is(err, ErrNotFound), errors.Is(err, table.ErrDamaged):
			case err != nil:
				return nil, err
			case other.ID != old.ID && other.activeAdmin():
				return []table.Write{table.Check(userKey(other.ID), activeAdmin())}, nil
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return nil, ErrLastAdmin
		}
	}
}

// Choosable returns the roles that the user may have: those that are declared,
// and those that they have from a time when they were.
func (u *Users) Choosable(user User) []string {
	roles := append(u.DeclaredRoles(), user.Roles...)
	return sortedRoles(roles)
}

// DeclaredRoles returns the roles that may be given.
func (u *Users) DeclaredRoles() []string {
	if u.Roles == nil {
		return sortedRoles(append([]string{Admin}, u.defaultRoles()...))
	}
	return sortedRoles(u.Roles)
}

// OnlyAdmin tells whether no active admin would remain without the user.
func (u *Users) OnlyAdmin(ctx context.Context, user User) (bool, error) {
	_, err := u.keepAdmin(ctx, By{UserID: user.ID}, user, User{})
	if errors.Is(err, ErrLastAdmin) {
		return true, nil
	}
	return false, err
}

// memberKey is a row that tells that a user has the role admin. It exists so
// that another admin is found without going through all users; what counts is
// the user's own row.
func memberKey(userID string) table.Key { return schema.Admin(userID) }

func putMember(userID string) table.Write {
	key := memberKey(userID)
	return table.Put(table.Item{table.PK: key.PK, table.SK: key.SK, "user_id": userID})
}

// sortedRoles returns roles in order and each once; never nil.
func sortedRoles(roles []string) []string {
	sorted := append([]string{}, roles...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

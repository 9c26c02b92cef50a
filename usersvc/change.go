package usersvc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// By is who does something, and from where. The zero value may do nothing.
type By struct {
	UserID string // a user: to themselves, or as an admin to others
	// Operator is instead the name of a person who has the table in hand, on
	// the command line. It MUST NOT come from a request.
	Operator string

	SourceIP  string // without a port; "" if unknown
	UserAgent string
}

func (b By) actor() string {
	if b.Operator != "" {
		return "operator:" + text(b.Operator, maxName)
	}
	return b.UserID
}

// errChanged says that something was read and has changed before the write that
// depends on it.
var errChanged = errors.New("changed meanwhile")

// attempts is how often a change begins anew when others change the same.
const attempts = 8

// errContended says that others changed the same at each attempt.
var errContended = fmt.Errorf("%w: others keep changing the user", table.ErrUnavailable)

// change reads the user, lets edit change it, and writes the result with the
// writes that edit returns in one transaction, which fails unless the user is
// still as they were read and by may do it. A version other than 0 must be the
// user's. If edit changes nothing, nothing is written.
func (u *Users) change(ctx context.Context, by By, id string, version int64, edit func(next *User) ([]table.Write, error)) (User, error) {
	for range attempts {
		user, err := u.Get(ctx, id)
		if err != nil {
			return User{}, err
		}
		if version != 0 && user.Version != version {
			return User{}, ErrVersion
		}
		if by.Operator == "" && by.UserID == id && user.Status != Active {
			return User{}, ErrForbidden
		}
		next := user
		writes, err := edit(&next)
		if err != nil {
			return User{}, err
		}
		if !next.equal(user) {
			writes = append(writes, replace(user, &next))
		}
		if err := u.writeBy(ctx, by, id, writes); !errors.Is(err, errChanged) {
			return next, err
		}
	}
	return User{}, errContended
}

// writeBy writes if by may change the user: an operator, the user, or an admin.
// That an admin is one, and active, is judged in the same transaction.
func (u *Users) writeBy(ctx context.Context, by By, userID string, writes []table.Write) error {
	if by.Operator != "" || by.UserID == userID {
		return u.write(ctx, writes...)
	}
	if !IsID(by.UserID) {
		return ErrForbidden
	}
	guard := table.Check(userKey(by.UserID), activeAdmin())
	err := u.Table.Write(ctx, append([]table.Write{guard}, writes...)...)
	if failed, ok := errors.AsType[*table.ConditionError](err); ok {
		if slices.Contains(failed.Failed, 0) {
			return ErrForbidden
		}
		return errChanged
	}
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// write does the writes, or returns errChanged if one of their conditions fails.
func (u *Users) write(ctx context.Context, writes ...table.Write) error {
	if len(writes) == 0 {
		return nil
	}
	err := u.Table.Write(ctx, writes...)
	if errors.Is(err, table.ErrConditionFailed) {
		return errChanged
	}
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// replace writes next in place of old, if old is still what is there. Next gets
// the next version.
func replace(old User, next *User) table.Write {
	next.Version = old.Version + 1
	return table.Put(next.item()).If(table.Equal{Name: "version", Value: old.Version})
}

// equal tells whether the rows of two users are equal.
func (u User) equal(other User) bool {
	same := slices.Equal(u.Roles, other.Roles)
	u.Roles, other.Roles = nil, nil
	a, b := u.item(), other.item()
	for name := range a {
		if _, isList := a[name].([]string); !isList && a[name] != b[name] {
			return false
		}
	}
	return same
}

// Rename gives the user a name of their own, which later sign-ins leave alone.
// An empty name gives the provider's back at the next sign-in. A version other
// than 0 must be the user's, or the error is [ErrVersion].
func (u *Users) Rename(ctx context.Context, by By, id, name string, version int64) (User, error) {
	return u.change(ctx, by, id, version, func(next *User) ([]table.Write, error) {
		name := text(name, maxName)
		if name == next.Name && next.ownName == (name != "") {
			return nil, nil
		}
		next.Name, next.ownName = name, name != ""
		return []table.Write{u.audit(ProfileChanged, id, by, "name")}, nil
	})
}

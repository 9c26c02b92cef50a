package usersvc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// By is the actor of a change, and where the request came from. The zero value may
// do nothing.
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

// attempts is how often a change is tried when others change the same user.
const attempts = 8

// errContended says that others changed the user at each attempt.
var errContended = fmt.Errorf("%w: others keep changing the user", table.ErrUnavailable)

// change reads the user, lets edit change it, and writes the result with the
// writes that edit returns in one transaction, which fails unless the user is
// still as they were read and by may do it. A version other than 0 must be the
// user's. If edit changes nothing, nothing is written.
func (u *Users) change(ctx context.Context, by By, id string, version int64, edit func(next *User) ([]table.Write, error)) (User, error) {
	var failed error
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
		if next.revokes {
			feed, err := u.revokeAll(ctx, &next, user.ledger)
			if err != nil {
				return User{}, err
			}
			writes = append(writes, feed...)
		}
		if !next.equal(user) {
			next.Version = user.Version + 1
			writes = append(writes, next.replace(user))
		}
		err = u.writeBy(ctx, by, id, writes)
		if err == nil {
			err = u.finishRevoking(ctx, &next)
			return next, err
		}
		if failed = err; !errors.Is(err, errChanged) {
			return next, err
		}
	}
	return User{}, fmt.Errorf("%w: %w", errContended, failed)
}

// writeBy writes if by may change the user: an operator, the user, or an admin.
// The same transaction checks that the admin is one, and active.
func (u *Users) writeBy(ctx context.Context, by By, userID string, writes []table.Write) error {
	may, err := u.mayChange(by, userID)
	if err != nil {
		return err
	}
	return u.write(ctx, append(may, writes...)...)
}

// mayChange returns the check that by may change the user, for a transaction of the
// caller, or [ErrForbidden]. Operators and the user need none.
func (u *Users) mayChange(by By, userID string) ([]table.Write, error) {
	switch {
	case by.Operator != "" || by.UserID == userID:
		return nil, nil
	case !IsID(by.UserID):
		return nil, ErrForbidden
	}
	return []table.Write{table.Check(userKey(by.UserID), activeAdmin()).Else(ErrForbidden)}, nil
}

// write does the writes. If a condition fails, it returns the error that the
// condition carries, or errChanged if it carries none.
func (u *Users) write(ctx context.Context, writes ...table.Write) error {
	if len(writes) == 0 {
		return nil
	}
	err := u.Table.Write(ctx, writes...)
	for _, w := range writes {
		if w.Err != nil && errors.Is(err, w.Err) {
			return w.Err
		}
	}
	switch {
	case errors.Is(err, table.ErrConditionFailed):
		return fmt.Errorf("%w: %w", errChanged, err)
	case err != nil:
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// replace writes u in place of old, if old is still what is there. Unless tokens are
// revoked by it, the ledger stays what it is, which others may write meanwhile.
func (u User) replace(old User) table.Write {
	if !u.revokes {
		return table.Update(userKey(u.ID), u.attributes()).If(versionIs(old))
	}
	return table.Put(u.item()).If(table.All{versionIs(old), old.ledger.unchanged()})
}

// equal tells whether two users have the same row, but for the ledger.
func (u User) equal(other User) bool {
	return u.ID == other.ID && u.showsAs(other) && slices.Equal(u.Roles, other.Roles) &&
		u.Status == other.Status && u.CreatedAt.Equal(other.CreatedAt) && u.Version == other.Version &&
		u.TokensFrom.Equal(other.TokensFrom) && u.epoch == other.epoch && slices.Equal(u.cutoffs, other.cutoffs) &&
		u.primary == other.primary && u.owns == other.owns && u.lost == other.lost &&
		u.adminGiven == other.adminGiven && u.ownName == other.ownName && u.identities == other.identities && u.revokes == other.revokes
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

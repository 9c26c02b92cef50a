package usersvc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Delete deletes the user. One transaction deletes the user, their identities and
// their rights, ends their sessions and revokes their tokens. Only the id stays,
// so that nothing is written to it any more. Then Delete erases every other row of
// the user's partition, whichever package owns it (see package schema), and
// removes source addresses from their entries in the audit trail. If this is
// interrupted, deleting again continues it, and returns [ErrNotFound] as it does
// for an unknown user. A later sign-in with one of the identities creates a new
// user.
//
// It returns [ErrLastAdmin] if no active admin would remain.
func (u *Users) Delete(ctx context.Context, by By, id string) error {
	_, err := u.change(ctx, by, id, 0, func(next *User) ([]table.Write, error) {
		old := *next
		*next = User{ID: id, Status: deleted, epoch: old.epoch + 1}
		writes, err := u.keepAdmin(ctx, by, old, *next)
		if err != nil {
			return nil, err
		}
		gone, err := u.linksOf(ctx, old)
		if err != nil {
			return nil, err
		}
		writes = append(writes, gone...)
		u.revokeUser(next)
		return append(writes, u.audit(UserDeleted, id, by, "")), nil
	})
	if err != nil && !errors.Is(err, ErrNotFound) || !IsID(id) {
		return err
	}
	if err := u.eraseRows(ctx, id); err != nil {
		return fmt.Errorf("erasing user: %w", err)
	}
	return err
}

// linksOf deletes the rows that lead to the user.
func (u *Users) linksOf(ctx context.Context, user User) ([]table.Write, error) {
	linked, err := u.Identities(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	var writes []table.Write
	for _, i := range linked {
		key := Profile{Issuer: i.Issuer, Subject: i.Subject}.key()
		writes = append(writes, table.Delete(key).If(table.Equal{Name: "user_id", Value: user.ID}))
	}
	if user.owns.email != "" {
		writes = append(writes, dropClaim(user.ID, user.owns.email))
	}
	if user.adminGiven {
		writes = append(writes, u.rememberAdmin(user)...)
	}
	if user.HasRole(Admin) {
		writes = append(writes, table.Delete(memberKey(user.ID)))
	}
	return writes, nil
}

// eraseRows erases the rows in the partition of a deleted user, except for the audit
// trail.
func (u *Users) eraseRows(ctx context.Context, id string) error {
	err := u.eachItem(ctx, table.Query{PK: userKey(id).PK}, func(item table.Item) (table.Write, bool) {
		switch {
		case item.Key().SK == userKey(id).SK:
			return table.Write{}, false
		case strings.HasPrefix(item.Key().SK, auditPrefix):
			return erased(item, id)
		}
		return table.Delete(item.Key()), true
	})
	if err != nil {
		return err
	}
	return u.eachItem(ctx, table.Query{Index: table.GSI2, PK: actorPartition(id)}, func(item table.Item) (table.Write, bool) {
		return erased(item, id)
	})
}

// erased takes from an entry of the audit trail where the actor came from.
func erased(item table.Item, actor string) (table.Write, bool) {
	e, err := entryFrom(item)
	if err != nil || e.Actor != actor || e.SourceIP == "" && e.Agent == "" {
		return table.Write{}, false
	}
	return table.Update(item.Key(), map[string]any{"source_ip": "", "agent": ""}).If(table.Exists{}), true
}

// eachItem does the writes that do returns for the items of a query, a page at a time.
func (u *Users) eachItem(ctx context.Context, q table.Query, do func(table.Item) (table.Write, bool)) error {
	q.Limit = table.MaxWrites
	for {
		page, err := u.Table.Query(ctx, q)
		if err != nil {
			return err
		}
		var writes []table.Write
		for _, item := range page.Items {
			if w, ok := do(item); ok {
				writes = append(writes, w)
			}
		}
		if err := u.write(ctx, writes...); err != nil {
			return err
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return nil
		}
	}
}

package usersvc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Delete forgets the user. In one transaction they, their identities and their
// rights are gone, their sessions are dead and their tokens revoked; what stays
// is the id, so that nothing is written to it any more. Then their other rows
// are erased, and from the audit trail the addresses that they came from. If
// this is interrupted, deleting again goes on with it, and returns [ErrNotFound]
// as it does for a user that never was. Whoever signs in with one of the
// identities later is a new user.
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
		gone, err := u.forget(ctx, old)
		if err != nil {
			return nil, err
		}
		writes = append(writes, gone...)
		return append(writes, u.audit(UserDeleted, id, by, ""), u.revokeUser(next)), nil
	})
	if err != nil && !errors.Is(err, ErrNotFound) || !IsID(id) {
		return err
	}
	if sweep := u.sweep(ctx, id); sweep != nil {
		return fmt.Errorf("erasing user: %w", sweep)
	}
	return err
}

// forget deletes what leads to the user.
func (u *Users) forget(ctx context.Context, user User) ([]table.Write, error) {
	linked, err := u.Identities(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	var writes []table.Write
	for _, i := range linked {
		key := Profile{Issuer: i.Issuer, Subject: i.Subject}.key()
		writes = append(writes, table.Delete(key).If(table.Equal{Name: "user_id", Value: user.ID}))
	}
	if user.claimedEmail != "" {
		writes = append(writes, dropClaim(user.ID, user.claimedEmail))
	}
	if user.HasRole(Admin) {
		writes = append(writes, table.Delete(memberKey(user.ID)))
	}
	return writes, nil
}

// sweep erases the rows of a deleted user, but for the trail of what was done.
func (u *Users) sweep(ctx context.Context, id string) error {
	err := u.each(ctx, table.Query{PK: userKey(id).PK}, func(item table.Item) (table.Write, bool) {
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
	return u.each(ctx, table.Query{Index: table.GSI2, PK: actorPartition(id)}, func(item table.Item) (table.Write, bool) {
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

// each makes the writes that do returns for the items of a query, some at a time.
func (u *Users) each(ctx context.Context, q table.Query, do func(table.Item) (table.Write, bool)) error {
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

package usersvc

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// revocationPartition holds the feed. Its sort keys are in the order of time.
const revocationPartition = "revocations"

// clockLeeway is how far an authorizer's clock may be behind ours.
const clockLeeway = time.Minute

// revokeSession is the row that makes every access token of the session dead. It
// is written in the same transaction as what ends the session.
func (u *Users) revokeSession(sid string) table.Write {
	return u.revoke(table.Item{"session_id": sid})
}

// revokeUser is the row that makes every access token dead that the user has: the
// next ones are issued from user.TokensFrom on. It is written in the same
// transaction as the change of the user.
func (u *Users) revokeUser(user *User) table.Write {
	user.TokensFrom = u.now().Truncate(time.Second).Add(time.Second)
	return u.revoke(table.Item{"user_id": user.ID, "issued_before": user.TokensFrom.Unix()})
}

func (u *Users) revoke(row table.Item) table.Write {
	now := u.now()
	expires := now.Add(u.accessTTL() + clockLeeway)
	row[table.PK], row[table.SK] = revocationPartition, now.Format(auditTime)+"#"+rand.Text()[:16]
	row["expires_at"], row[table.TTL] = expires.UnixMilli(), expires.Unix()+1
	return table.Put(row).If(table.NotExists{})
}

// Revocations returns what the feed lists now, with one query in all but
// extraordinary hours.
func (u *Users) Revocations(ctx context.Context) (*revocation.List, error) {
	list := &revocation.List{}
	q := table.Query{PK: revocationPartition, Descending: true, Limit: 1000}
	for {
		page, err := u.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading revocations: %w", err)
		}
		for _, item := range page.Items {
			more, err := u.add(list, item)
			if err != nil || !more {
				return list, err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return list, nil
		}
	}
}

// add adds a row to the list, unless it has expired. It tells whether there can
// be older rows that have not.
func (u *Users) add(list *revocation.List, item table.Item) (more bool, err error) {
	r := table.Reader{Item: item}
	expires, now := r.Milli("expires_at"), u.now()
	switch {
	case r.Err != nil:
		return false, r.Err
	case !now.Before(expires): // a shorter life may have been configured since
		return now.Before(expires.Add(time.Hour)), nil
	case item["session_id"] != nil:
		list.AddSession(r.Text("session_id"))
	default:
		list.AddSubject(r.Text("user_id"), time.Unix(r.Number("issued_before"), 0))
	}
	return true, r.Err
}

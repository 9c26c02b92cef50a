package usersvc

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// revocationPartition holds the feed. Its sort keys are in the order of time.
const revocationPartition = schema.RevocationPartition

// clockLeeway is how far an authorizer's clock may be behind ours.
const clockLeeway = time.Minute

// maxSessionEntries is how many sessions of one user the feed lists. Of a user
// who ends more, all tokens are dead that were issued before the last of them
// ended: authorizers read no feed that is too large, and refuse everybody then.
const maxSessionEntries = 5

// revokeSession is the row that makes every access token of the user's session
// dead. It is written in the same transaction as what ends the session.
func (u *Users) revokeSession(userID, sid string) table.Write {
	return u.revoke("#"+sid, table.Item{"session_id": sid, "user_id": userID, "issued_before": u.nextSecond().Unix()})
}

// revokeUser is the row that makes every access token dead that the user has: the
// next ones are issued from user.TokensFrom on. It is written in the same
// transaction as the change of the user.
func (u *Users) revokeUser(user *User) table.Write {
	user.TokensFrom = u.nextSecond()
	return u.revoke("#"+user.ID, table.Item{"user_id": user.ID, "issued_before": user.TokensFrom.Unix()})
}

// nextSecond is when a token can be issued that is alive: its iat is a whole second.
func (u *Users) nextSecond() time.Time { return u.now().Truncate(time.Second).Add(time.Second) }

// revoke writes a row under the second and the name of what is revoked. To do it
// again within that second is to do it once, so that the partition does not grow
// as fast as somebody can ask.
func (u *Users) revoke(name string, row table.Item) table.Write {
	expires := u.now().Add(u.accessTTL() + clockLeeway)
	row[table.PK], row[table.SK] = revocationPartition, u.nextSecond().Format(auditTime)+name
	row["expires_at"], row[table.TTL] = expires.UnixMilli(), expires.Unix()+1
	return table.Put(row)
}

// Revocations returns what the feed lists now, with one query in all but
// extraordinary hours.
func (u *Users) Revocations(ctx context.Context) (*revocation.List, error) {
	found := found{List: &revocation.List{}, ended: map[string][]string{}, endedBy: map[string]time.Time{}}
	q := table.Query{PK: revocationPartition, Descending: true, Limit: 1000}
	for {
		page, err := u.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading revocations: %w", err)
		}
		for _, item := range page.Items {
			more, err := u.add(found, item)
			if err != nil || !more {
				return found.all(), err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return found.all(), nil
		}
	}
}

// found is what the rows say.
type found struct {
	*revocation.List                      // but for the sessions
	ended            map[string][]string  // sessions, by their users
	endedBy          map[string]time.Time // no token of theirs was issued later
}

// all is the list with the sessions, or with those in their place who ended many.
func (f found) all() *revocation.List {
	for userID, sessions := range f.ended {
		if len(sessions) > maxSessionEntries {
			f.AddSubject(userID, f.endedBy[userID])
			continue
		}
		for _, sid := range sessions {
			f.AddSession(sid)
		}
	}
	return f.List
}

// add adds a row to what was found, unless it has expired. It tells whether there
// can be older rows that have not.
func (u *Users) add(f found, item table.Item) (more bool, err error) {
	r := table.Reader{Item: item}
	expires, now := r.Milli("expires_at"), u.now()
	switch {
	case r.Err != nil:
		return false, r.Err
	case !now.Before(expires): // a shorter life may have been configured since
		return now.Before(expires.Add(time.Hour)), nil
	case item["session_id"] != nil && item["user_id"] == nil: // it was written before its user was
		f.AddSession(r.Text("session_id"))
	case item["session_id"] != nil:
		userID, before := r.Text("user_id"), r.Seconds("issued_before")
		f.ended[userID] = append(f.ended[userID], r.Text("session_id"))
		if before.After(f.endedBy[userID]) {
			f.endedBy[userID] = before
		}
	default:
		f.AddSubject(r.Text("user_id"), r.Seconds("issued_before"))
	}
	return true, r.Err
}

package usersvc

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Revocation is one entry of the revocation feed: access tokens that are dead
// although they have not expired.
type Revocation struct {
	SessionID string // every token of the session; or
	UserID    string // every token of the user issued before IssuedBefore
	// IssuedBefore is a whole second, as the claim iat is: the next one after
	// the change, so that no token from before it slips through.
	IssuedBefore time.Time
	ExpiresAt    time.Time // no such token is alive any more, and the entry is gone
}

// revocationPartition holds the feed. Its sort keys are in the order of time.
const revocationPartition = "revocations"

// clockLeeway is how far an authorizer's clock may be behind ours.
const clockLeeway = time.Minute

func (u *Users) revokeSession(sid string) table.Write { return u.revoke("session_id", sid) }
func (u *Users) revokeUser(id string) table.Write     { return u.revoke("user_id", id) }

// revoke is the row of an entry. It is written in the same transaction as what
// makes the tokens dead.
func (u *Users) revoke(kind, id string) table.Write {
	now := u.now()
	expires := now.Add(u.accessTTL() + clockLeeway)
	return table.Put(table.Item{
		table.PK: revocationPartition, table.SK: now.Format(auditTime) + "#" + rand.Text()[:16],
		kind: id, "issued_before": now.Truncate(time.Second).Add(time.Second).Unix(),
		"expires_at": expires.UnixMilli(), table.TTL: expires.Unix() + 1,
	}).If(table.NotExists{})
}

// Revocations returns what the feed lists now, newest first, with one query in
// all but extraordinary hours.
func (u *Users) Revocations(ctx context.Context) ([]Revocation, error) {
	var (
		all    []Revocation
		now    = u.now()
		cursor string
	)
	for {
		page, err := u.Table.Query(ctx, table.Query{PK: revocationPartition, Descending: true, Limit: 1000, Cursor: cursor})
		if err != nil {
			return nil, fmt.Errorf("reading revocations: %w", err)
		}
		for _, item := range page.Items {
			r := row{item: item}
			entry := Revocation{IssuedBefore: time.Unix(r.number("issued_before"), 0).UTC(), ExpiresAt: r.instant("expires_at")}
			entry.SessionID, _ = item["session_id"].(string)
			entry.UserID, _ = item["user_id"].(string)
			if r.err != nil {
				return nil, r.err
			}
			if now.After(entry.ExpiresAt.Add(time.Hour)) { // and so has everything older
				return all, nil
			}
			if now.Before(entry.ExpiresAt) {
				all = append(all, entry)
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return all, nil
		}
	}
}

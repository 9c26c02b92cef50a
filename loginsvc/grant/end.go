package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// ErrSpent says that a code or device code was redeemed before, perhaps by a
// request that raced.
var ErrSpent = errors.New("code was redeemed before")

// errEnded says that something ended before. It ends nothing more: what is spent
// stays in histories and logs, and its finder could otherwise keep the user
// signed out by sending it again and again.
var errEnded = errors.New("ended before")

// EndFamily ends a family, and the access tokens that its client has from its
// session: both, or neither. A family that has ended already ends nothing more.
func (s Store) EndFamily(ctx context.Context, f Family) error {
	return s.end(ctx, f.UserID, f.SessionID, f.Client,
		table.Delete(schema.Refresh(f.UserID, f.ID)).If(table.Exists{}).Else(errEnded))
}

// EndCode ends what a spent code was redeemed for, the first time that it comes
// again: two have seen it (RFC 6749, Section 4.1.2). Life is that of an access
// token. When it is over there is nothing to end.
func (s Store) EndCode(ctx context.Context, c Code, now time.Time, life time.Duration) error {
	if c.Family == "" && now.After(c.ExpiresAt.Add(life)) {
		return nil
	}
	return s.endSpent(ctx, c.Approval, c.Client, c.Family, c.row)
}

// EndDevice is [Store.EndCode] for a device code.
func (s Store) EndDevice(ctx context.Context, d Device, now time.Time, life time.Duration) error {
	if d.Family == "" && now.After(d.ExpiresAt.Add(life)) {
		return nil
	}
	return s.endSpent(ctx, d.Approval, d.Client, d.Family, d.row)
}

func (s Store) endSpent(ctx context.Context, a Approval, clientRef, family string, row table.Key) error {
	writes := []table.Write{table.Update(row, map[string]any{"ended": true}).
		If(table.All{table.Exists{}, table.Not{Cond: table.Has{Name: "ended"}}}).Else(errEnded)}
	if family != "" {
		writes = append(writes, table.Delete(schema.Refresh(a.UserID, family)))
	}
	return s.end(ctx, a.UserID, a.SessionID, clientRef, writes...)
}

// EndClientInSession ends all that a client holds in a session of a user: its
// refresh tokens and its access tokens.
func (s Store) EndClientInSession(ctx context.Context, userID, sid, clientRef string) error {
	q := table.Query{
		PK: schema.UserPartition(userID), Prefix: schema.RefreshPrefix, Limit: table.MaxWrites / 2,
		Filter: table.All{table.Equal{Name: "sid", Value: sid}, table.Equal{Name: "client_id", Value: clientRef}},
	}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("finding refresh tokens: %w", err)
		}
		var families []table.Write
		for _, item := range page.Items {
			families = append(families, table.Delete(item.Key()))
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return s.end(ctx, userID, sid, clientRef, families...)
		}
		if len(families) > 0 {
			if err := s.Table.Write(ctx, families...); err != nil {
				return fmt.Errorf("ending refresh tokens: %w", err)
			}
		}
	}
}

// end does the writes, and makes the access tokens dead that the client has from
// the session: both, or neither.
func (s Store) end(ctx context.Context, userID, sid, clientRef string, writes ...table.Write) error {
	err := s.Users.Revoke(ctx, usersvc.Tokens{Subject: userID, SessionID: sid, ClientID: client.IDOf(clientRef)}, writes...)
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

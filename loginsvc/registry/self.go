package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// A client that registers itself (RFC 7591) gets one of 1,000 places. Its row is not
// there any more, and its place free, a day after the registration, or 90 days after a
// person last signed in to it. So strangers write at most 1,000 rows.
const (
	selfPlaces = 1000
	selfUnused = 24 * time.Hour
	selfUsed   = 90 * 24 * time.Hour
	selfTries  = 4
)

// ErrFull says that no place for a client that registers itself was found.
var ErrFull = errors.New("there is no room for another client that registers itself")

// AddSelf registers app, which described itself, and returns it with its id. The error
// is [ErrFull], one of the table, or joins all the [client.Problem]s of app.
func (c *Clients) AddSelf(ctx context.Context, app client.Client) (client.Client, error) {
	now := c.now()
	app.Self, app.Registration = true, rand.Text()[:16]
	for range selfTries {
		place, err := rand.Int(rand.Reader, big.NewInt(selfPlaces))
		if err != nil {
			return client.Client{}, err
		}
		app.ID = fmt.Sprintf("self-%03d", place)
		if err := c.check(app); err != nil {
			return client.Client{}, err
		}
		r := Registered{Client: app, CreatedAt: now, Version: 1, Until: now.Add(selfUnused)}
		free := table.Any{table.NotExists{}, table.Less{Name: table.TTL, Value: now.Unix()}}
		err = c.Table.Write(ctx, table.Put(r.item()).If(free).Else(ErrExists))
		if err == nil {
			app.RegisteredAt = now
			return app, nil
		}
		if !errors.Is(err, ErrExists) {
			return client.Client{}, fmt.Errorf("registering a client: %w", err)
		}
	}
	return client.Client{}, ErrFull
}

// Keep notes that a person signed in to app, if it registered itself: its row stays. The
// error is [client.ErrUnknown] if the row is gone.
func (c *Clients) Keep(ctx context.Context, app client.Client) error {
	if !app.Self {
		return nil
	}
	same := table.Equal{Name: "registration", Value: app.Registration}
	return c.Table.Write(ctx, table.Update(keyOf(app.ID), map[string]any{table.TTL: c.now().Add(selfUsed).Unix()}).If(same).Else(client.ErrUnknown))
}

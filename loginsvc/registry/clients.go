// Package registry keeps clients in the table, beside those of gatehouse.yml:
// apps that come and go without a deployment.
//
// Internal to Gatehouse: it may change with any release.
package registry

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

var (
	// ErrExists says that the id is taken.
	ErrExists = errors.New("there is a client of that id")
	// ErrPublic says that a client has no secret and never gets one: it is known
	// to be unable to keep it.
	ErrPublic = errors.New("a public client has no secret")
	// ErrOneSecret says that a client has no older secret that could be dropped.
	ErrOneSecret = errors.New("the client has one secret only")
	// ErrChanged says that somebody else has changed the client meanwhile.
	ErrChanged = errors.New("the client was changed meanwhile")
)

// Clients are the clients in a table.
type Clients struct {
	Table  table.Table
	Limits client.Limits    // what a client may be registered for; only Add and Edit look at it
	Now    func() time.Time // nil: time.Now
}

// Registered is a client and what the table knows about it.
type Registered struct {
	client.Client
	CreatedAt time.Time
	SecretAt  time.Time // when the newest secret was made; zero for a public client
	Version   int64     // counts changes
	Until     time.Time // when the row of a client that registered itself ends; zero for others
}

// isID tells whether a client of the table can have the id. One that acts for
// itself is the subject of its tokens: it must not be taken for a user.
func isID(id string) bool { return client.CheckID(id) == nil && !strings.HasPrefix(id, "u_") }

// maxListed bounds each list of a client, so that it fits its row by far.
const maxListed = 50

// Add registers app: a confidential client is given a secret, which is returned
// and cannot be told again; for a public one it is "". The error is [ErrExists],
// one of the table, or joins all the [client.Problem]s of app. Nothing that was
// granted to a client that had the id before is app's.
func (c *Clients) Add(ctx context.Context, by usersvc.By, app client.Client, confidential bool) (client.Secret, error) {
	app.Secret, app.SecretEnv, app.SecretHashes = "", "", nil
	app.Registration = rand.Text()[:16] // 80 bits
	var secret client.Secret
	if confidential {
		secret = newSecret()
		app.SecretHashes = []string{client.HashSecret(string(secret))}
	}
	if err := c.check(app); err != nil {
		return "", err
	}
	now := c.now()
	r := Registered{Client: app, CreatedAt: now, Version: 1}
	if confidential {
		r.SecretAt = now
	}
	err := c.Table.Write(ctx, table.Put(r.item()).If(table.NotExists{}).Else(ErrExists),
		usersvc.ClientAudit(usersvc.ClientAdded, app.ID, by, strings.Join(differences(client.Client{}, app), "; "), now))
	if errors.Is(err, ErrExists) {
		return "", ErrExists
	}
	if err != nil {
		return "", fmt.Errorf("registering a client: %w", err)
	}
	return secret, nil
}

func (c *Clients) check(app client.Client) error {
	var all []error
	if err := client.CheckID(app.ID); err != nil {
		all = append(all, client.Problem{Field: "id", Text: err.Error()})
	} else if !isID(app.ID) {
		all = append(all, client.Problem{Field: "id", Text: fmt.Sprintf("want no u_ at the beginning, as ids of users have it, not %q", app.ID)})
	}
	lists := [][]string{app.RedirectURIs, app.PostLogoutRedirectURIs, app.Origins, app.Grants, app.Scopes, app.Audiences, app.Serves}
	for _, e := range client.All() {
		lists = append(lists, e.Get(app.Exceptions))
	}
	for _, list := range lists {
		if len(list) > maxListed {
			all = append(all, fmt.Errorf("%d values in one list, want at most %d", len(list), maxListed))
		}
	}
	if len(app.Name) > 200 {
		all = append(all, client.Problem{Field: "name", Text: "want at most 200 bytes"})
	}
	for _, p := range app.Problems(c.Limits) {
		all = append(all, p)
	}
	return errors.Join(all...)
}

// Get returns the client with the id, as it is now, or [client.ErrUnknown]. It
// asks the table nothing about an id that no client can have.
func (c *Clients) Get(ctx context.Context, id string) (Registered, error) {
	if !isID(id) {
		return Registered{}, client.ErrUnknown
	}
	item, err := c.Table.Get(ctx, keyOf(id))
	if errors.Is(err, table.ErrNotFound) {
		return Registered{}, client.ErrUnknown
	}
	if err != nil {
		return Registered{}, fmt.Errorf("reading a client: %w", err)
	}
	r, err := read(item)
	if err == nil && r.Self && !c.now().Before(r.Until) {
		return Registered{}, client.ErrUnknown
	}
	return r, err
}

// List returns all clients of the table in the order of their ids, one query
// for a thousand. It may be a moment behind.
func (c *Clients) List(ctx context.Context) ([]Registered, error) {
	return c.list(ctx, table.Query{Index: table.GSI1, PK: schema.ClientsIndex})
}

// withOrigins returns the clients that have origins.
func (c *Clients) withOrigins(ctx context.Context) ([]Registered, error) {
	return c.list(ctx, table.Query{Index: table.GSI2, PK: schema.ClientsIndex})
}

func (c *Clients) list(ctx context.Context, q table.Query) ([]Registered, error) {
	var all []Registered
	for q.Limit = table.MaxLimit; ; {
		page, err := c.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("listing clients: %w", err)
		}
		for _, item := range page.Items {
			r, err := read(item)
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return all, nil
		}
	}
}

// Remove deletes the client, or returns [client.ErrUnknown]. Its codes and
// refresh tokens, and what users have consented to, end with it, and its access
// tokens are revoked.
func (c *Clients) Remove(ctx context.Context, by usersvc.By, id string) error {
	if !isID(id) {
		return client.ErrUnknown
	}
	users := &usersvc.Users{Table: c.Table, Now: c.Now}
	err := users.Revoke(ctx, usersvc.Tokens{ClientID: id},
		table.Delete(keyOf(id)).If(table.Exists{}).Else(client.ErrUnknown), usersvc.ClientAudit(usersvc.ClientRemoved, id, by, "", c.now()))
	if errors.Is(err, client.ErrUnknown) {
		return client.ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("removing a client: %w", err)
	}
	return nil
}

func (c *Clients) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// newSecret returns 256 random bits, with a beginning by which scanners of
// source code find it.
func newSecret() client.Secret {
	var bits [32]byte
	rand.Read(bits[:])
	return client.Secret("gatehouse_" + base64.RawURLEncoding.EncodeToString(bits[:]))
}

package registry

import (
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

func keyOf(id string) table.Key { return schema.Client(id) }

// StillRegistered returns a check for a transaction of the caller: the client has
// not been removed, or the transaction fails with [client.ErrUnknown]. A client of
// gatehouse.yml needs none.
func StillRegistered(c client.Client) []table.Write {
	if c.Registration == "" {
		return nil
	}
	return []table.Write{table.Check(keyOf(c.ID), table.Equal{Name: "registration", Value: c.Registration}).Else(client.ErrUnknown)}
}

func (r Registered) item() table.Item {
	key := keyOf(r.ID)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, table.GSI1PK: schema.ClientsIndex, table.GSI1SK: r.ID,
		"id": r.ID, "name": r.Name, "public": r.Public(), "third_party": r.ThirdParty, "secret_hashes": present(r.SecretHashes),
		"redirect_uris": present(r.RedirectURIs), "post_logout_redirect_uris": present(r.PostLogoutRedirectURIs),
		"origins": present(r.Origins), "grants": present(r.Grants), "scopes": present(r.Scopes),
		"created_at": r.CreatedAt.UnixMilli(), "version": r.Version, "registration": r.Registration,
		"audiences": present(r.Audiences), "serves": present(r.Serves), "access_token_ttl": milli(r.Lifetimes.AccessToken),
		"refresh_token_ttl": milli(r.Lifetimes.RefreshToken), "refresh_idle_ttl": milli(r.Lifetimes.RefreshIdle),
	}
	for _, e := range client.All() {
		if values := e.Get(r.Exceptions); len(values) > 0 {
			item[e.Key] = values
		}
	}
	if r.Self {
		item["self"], item[table.TTL] = true, r.Until.Unix()
	}
	if len(r.Origins) > 0 {
		item[table.GSI2PK], item[table.GSI2SK] = schema.ClientsIndex, r.ID
	}
	if !r.SecretAt.IsZero() {
		item["secret_at"] = r.SecretAt.UnixMilli()
	}
	return item
}

// present is list as a table can hold it.
func present(list []string) []string { return append([]string{}, list...) }

// read returns the client in item. One that has lost its secrets is damaged, and
// not a public client.
func read(item table.Item) (Registered, error) {
	row := table.Reader{Item: item}
	r := Registered{
		Client: client.Client{
			ID: row.Text("id"), Name: row.Text("name"), SecretHashes: list(&row, "secret_hashes"),
			RedirectURIs: list(&row, "redirect_uris"), PostLogoutRedirectURIs: list(&row, "post_logout_redirect_uris"),
			Origins: list(&row, "origins"), Grants: list(&row, "grants"), Scopes: list(&row, "scopes"),
			ThirdParty: row.Flag("third_party"),
		},
		CreatedAt: row.Milli("created_at"),
		Version:   row.Number("version"),
	}
	if _, ok := item["registration"]; ok { // else it is older than these
		r.Registration, r.Audiences = row.Text("registration"), list(&row, "audiences")
		if _, ok := item["serves"]; ok {
			r.Serves = list(&row, "serves")
		}
		r.Lifetimes = client.Lifetimes{
			AccessToken: row.Span("access_token_ttl"), RefreshToken: row.Span("refresh_token_ttl"), RefreshIdle: row.Span("refresh_idle_ttl"),
		}
	}
	for _, e := range client.All() {
		if _, ok := item[e.Key]; !ok {
			continue
		}
		if err := e.Set(&r.Exceptions, row.List(e.Key)); err != nil {
			row.Fail(e.Key)
		}
	}
	if _, ok := item["self"]; ok {
		r.Self, r.Until = row.Flag("self"), row.Seconds(table.TTL)
	}
	if public := row.Flag("public"); public != r.Public() || item.Key() != keyOf(r.ID) {
		row.Fail("public")
	} else if !public {
		r.SecretAt = row.Milli("secret_at")
	}
	r.RegisteredAt = r.CreatedAt
	if row.Err != nil {
		return Registered{}, fmt.Errorf("%s: %w", item.Key().PK, row.Err)
	}
	return r, nil
}

func milli(d time.Duration) int64 { return d.Milliseconds() }

// list returns nil for an empty list, as gatehouse.yml gives it.
func list(row *table.Reader, name string) []string {
	if v := row.List(name); len(v) > 0 {
		return v
	}
	return nil
}

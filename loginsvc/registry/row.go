package registry

import (
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// partition holds all clients in the first index, and those with origins in the
// second, by their ids.
const partition = "clients"

func keyOf(id string) table.Key { return table.Key{PK: "client#" + id, SK: "client"} }

func (r Registered) item() table.Item {
	key := keyOf(r.ID)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, table.GSI1PK: partition, table.GSI1SK: r.ID,
		"id": r.ID, "name": r.Name, "public": r.Public(), "third_party": r.ThirdParty, "secret_hashes": present(r.SecretHashes),
		"redirect_uris": present(r.RedirectURIs), "post_logout_redirect_uris": present(r.PostLogoutRedirectURIs),
		"origins": present(r.Origins), "grants": present(r.Grants), "scopes": present(r.Scopes),
		"created_at": r.CreatedAt.UnixMilli(), "version": r.Version, "registration": r.Registration,
		"audiences": present(r.Audiences), "serves": present(r.Serves), "access_token_ttl": milli(r.Lifetimes.AccessToken),
		"refresh_token_ttl": milli(r.Lifetimes.RefreshToken), "refresh_idle_ttl": milli(r.Lifetimes.RefreshIdle),
	}
	if len(r.Origins) > 0 {
		item[table.GSI2PK], item[table.GSI2SK] = partition, r.ID
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
	row := row{item: item}
	r := Registered{
		Client: client.Client{
			ID: attribute[string](&row, "id"), Name: attribute[string](&row, "name"), SecretHashes: row.list("secret_hashes"),
			RedirectURIs: row.list("redirect_uris"), PostLogoutRedirectURIs: row.list("post_logout_redirect_uris"),
			Origins: row.list("origins"), Grants: row.list("grants"), Scopes: row.list("scopes"),
			ThirdParty: attribute[bool](&row, "third_party"),
		},
		CreatedAt: row.instant("created_at"),
		Version:   attribute[int64](&row, "version"),
	}
	if _, ok := item["registration"]; ok { // else it is older than these
		r.Registration, r.Audiences = attribute[string](&row, "registration"), row.list("audiences")
		if _, ok := item["serves"]; ok {
			r.Serves = row.list("serves")
		}
		r.Lifetimes = client.Lifetimes{
			AccessToken: row.span("access_token_ttl"), RefreshToken: row.span("refresh_token_ttl"), RefreshIdle: row.span("refresh_idle_ttl"),
		}
	}
	if public := attribute[bool](&row, "public"); public != r.Public() || item.Key() != keyOf(r.ID) {
		row.fail("public")
	} else if !public {
		r.SecretAt = row.instant("secret_at")
	}
	if row.err != nil {
		return Registered{}, row.err
	}
	return r, nil
}

// row reads the attributes of an item and keeps the first mistake.
type row struct {
	item table.Item
	err  error
}

func (r *row) fail(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("attribute %s of %s is damaged", name, r.item.Key().PK)
	}
}

func (r *row) instant(name string) time.Time {
	return time.UnixMilli(attribute[int64](r, name)).UTC()
}

func milli(d time.Duration) int64 { return d.Milliseconds() }

func (r *row) span(name string) time.Duration {
	return time.Duration(attribute[int64](r, name)) * time.Millisecond
}

// list returns nil for an empty list, as gatehouse.yml gives it.
func (r *row) list(name string) []string {
	if v := attribute[[]string](r, name); len(v) > 0 {
		return v
	}
	return nil
}

func attribute[T any](r *row, name string) T {
	v, ok := r.item[name].(T)
	if !ok {
		r.fail(name)
	}
	return v
}

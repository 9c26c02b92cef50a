package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Edit changes a client, and returns what has become of it. Version is the
// [Registered.Version] that the caller has read; 0 takes the current one. What
// change does to id, secrets and registration counts for nothing; an error of it
// is returned. Either all is changed or nothing: the error is
// [client.ErrUnknown], [ErrChanged] if the client was edited meanwhile, or joins
// all the [client.Problem]s that the client would have.
func (c *Clients) Edit(ctx context.Context, by usersvc.By, id string, version int64, change func(*client.Client) error) (Registered, error) {
	before, err := c.Get(ctx, id)
	if err != nil {
		return Registered{}, err
	}
	if version != 0 && version != before.Version {
		return Registered{}, ErrChanged
	}
	after := before
	if err := change(&after.Client); err != nil {
		return Registered{}, err
	}
	after.ID, after.Registration, after.RegisteredAt = before.ID, before.Registration, before.RegisteredAt
	after.Secret, after.SecretEnv, after.SecretHashes = "", "", before.SecretHashes
	if err := c.check(after.Client); err != nil {
		return Registered{}, err
	}
	changes := differences(before.Client, after.Client)
	if len(changes) == 0 {
		return before, nil
	}
	after.Version++
	err = c.Table.Write(ctx, table.Put(after.item()).If(before.unchanged()).Else(ErrChanged),
		usersvc.ClientAudit(usersvc.ClientEdited, id, by, strings.Join(changes, "; "), c.now()))
	if errors.Is(err, ErrChanged) {
		return Registered{}, ErrChanged
	}
	if err != nil {
		return Registered{}, fmt.Errorf("editing a client: %w", err)
	}
	return after, nil
}

// unchanged holds if the row is the one that was read as r, and not that of
// another client, which was given the id meanwhile.
func (r Registered) unchanged() table.Cond {
	same := table.All{
		table.Equal{Name: "version", Value: r.Version}, table.Equal{Name: "created_at", Value: r.CreatedAt.UnixMilli()},
	}
	if r.Registration != "" { // else the row is older than these
		same = append(same, table.Equal{Name: "registration", Value: r.Registration})
	}
	return same
}

// differences are what stands in the audit trail about a change: each field that
// has changed, and what it is now.
func differences(before, after client.Client) []string {
	var changes []string
	old := settings(before)
	for i, now := range settings(after) {
		if !slices.Equal(now.values, old[i].values) {
			changes = append(changes, now.name+": "+cut(strings.Join(now.values, " ")))
		}
	}
	return changes
}

// setting is a field of a client that can be edited, as text.
type setting struct {
	name   string
	values []string
}

func settings(c client.Client) []setting {
	all := []setting{
		{"name", []string{c.Name}},
		{"redirect_uris", c.RedirectURIs},
		{"post_logout_redirect_uris", c.PostLogoutRedirectURIs},
		{"origins", c.Origins},
		{"grants", c.Grants},
		{"scopes", c.Scopes},
		{"audiences", c.Audiences},
		{"serves", c.Serves},
		{"lifetimes.access_token", []string{c.Lifetimes.AccessToken.String()}},
		{"lifetimes.refresh_token", []string{c.Lifetimes.RefreshToken.String()}},
		{"lifetimes.refresh_idle", []string{c.Lifetimes.RefreshIdle.String()}},
		{"third_party", []string{strconv.FormatBool(c.ThirdParty)}},
	}
	for _, e := range client.All() {
		all = append(all, setting{e.Key, e.Get(c.Exceptions)})
	}
	return all
}

// maxValue bounds how much of a value an entry of the audit trail repeats.
const maxValue = 300

func cut(text string) string {
	if len(text) <= maxValue {
		return text
	}
	return strings.ToValidUTF8(text[:maxValue], "") + "…"
}

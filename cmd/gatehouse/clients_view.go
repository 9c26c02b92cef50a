package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// clientView is what people and scripts are shown of a client: no secret, and
// no hash of one.
type clientView struct {
	ID                     string              `json:"id"`
	Name                   string              `json:"name"`
	Public                 bool                `json:"public"`
	ThirdParty             bool                `json:"third_party"`
	RedirectURIs           []string            `json:"redirect_uris"`
	PostLogoutRedirectURIs []string            `json:"post_logout_redirect_uris"`
	Origins                []string            `json:"origins"`
	Grants                 []string            `json:"grants"`
	Scopes                 []string            `json:"scopes"`
	Audiences              []string            `json:"audiences"` // empty: that of gatehouse.yml
	Serves                 []string            `json:"serves"`
	AccessToken            string              `json:"access_token_lifetime,omitempty"`
	RefreshToken           string              `json:"refresh_token_lifetime,omitempty"`
	RefreshIdle            string              `json:"refresh_idle_lifetime,omitempty"`
	Exceptions             map[string][]string `json:"exceptions,omitempty"` // by their keys in gatehouse.yml
	In                     string              `json:"in"`                   // "file", "table", or "table, hidden by the file"
	Secrets                int                 `json:"secrets,omitempty"`
	SecretAt               *time.Time          `json:"secret_at,omitempty"` // when the newest was made
	CreatedAt              *time.Time          `json:"created_at,omitempty"`
	Version                int64               `json:"version,omitempty"` // for edit --if-version

	Audit []usersvc.Entry `json:"audit,omitempty"` // what was done to it, the newest first
}

func viewOf(app client.Client) clientView {
	grants := app.Grants
	if len(grants) == 0 && app.MayUse(client.GrantCode) {
		grants = []string{client.GrantCode}
	}
	exceptions := make(map[string][]string)
	for _, e := range client.All() {
		if values := e.Get(app.Exceptions); len(values) > 0 {
			exceptions[e.Key] = values
		}
	}
	return clientView{
		Exceptions: exceptions,
		ID:         app.ID, Name: app.DisplayName(), Public: app.Public(), ThirdParty: app.ThirdParty,
		RedirectURIs: listed(app.RedirectURIs), PostLogoutRedirectURIs: listed(app.PostLogoutRedirectURIs),
		Origins: listed(app.Origins), Grants: listed(grants), Scopes: app.AllowedScopes(), In: "file",
		Audiences: listed(app.Audiences), Serves: listed(app.Serves), AccessToken: span(app.Lifetimes.AccessToken),
		RefreshToken: span(app.Lifetimes.RefreshToken), RefreshIdle: span(app.Lifetimes.RefreshIdle),
	}
}

// span is a span of time, or "" for that of gatehouse.yml.
func span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// listed is list as JSON shows a list that may be empty.
func listed(list []string) []string { return append([]string{}, list...) }

func (c clients) viewOfRow(r registry.Registered) clientView {
	v := viewOf(r.Client)
	v.In = "table"
	if _, hidden := c.inFile(r.ID); hidden {
		v.In = "table, hidden by the file"
	}
	v.CreatedAt, v.Secrets, v.Version = &r.CreatedAt, len(r.SecretHashes), r.Version
	if v.Secrets > 0 {
		v.SecretAt = &r.SecretAt
	}
	return v
}

func (v clientView) kind() string {
	kind := "with a secret"
	if v.Public {
		kind = "public"
	}
	if v.ThirdParty {
		kind += ", third party"
	}
	return kind
}

// print prints the client as text, or as json.
func (v clientView) print(out io.Writer, output string) error {
	if output == "json" {
		return json.NewEncoder(out).Encode(v)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "id\t%s\nname\t%s\nkind\t%s\nin\t%s\n", v.ID, printable(v.Name), v.kind(), v.In)
	for _, list := range []struct {
		name   string
		values []string
	}{
		{"redirect URI", v.RedirectURIs}, {"after logout", v.PostLogoutRedirectURIs}, {"origin", v.Origins},
	} {
		for _, value := range list.values {
			fmt.Fprintf(table, "%s\t%s\n", list.name, printable(value))
		}
	}
	fmt.Fprintf(table, "grants\t%s\nscopes\t%s\n", strings.Join(v.Grants, " "), strings.Join(v.Scopes, " "))
	for _, line := range []struct{ name, value string }{
		{"audiences", strings.Join(v.Audiences, " ")}, {"serves", strings.Join(v.Serves, " ")}, {"access tokens live", v.AccessToken},
		{"refresh tokens live", v.RefreshToken}, {"and unused", v.RefreshIdle},
	} {
		if line.value != "" {
			fmt.Fprintf(table, "%s\t%s\n", line.name, printable(line.value))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.Exceptions)) {
		fmt.Fprintf(table, "%s\t%s\n", key, printable(strings.Join(v.Exceptions[key], " ")))
	}
	if v.CreatedAt != nil {
		fmt.Fprintf(table, "since\t%s\n", instant(*v.CreatedAt))
	}
	if v.SecretAt != nil {
		fmt.Fprintf(table, "secrets\t%d, the newest of %s\n", v.Secrets, instant(*v.SecretAt))
	}
	if v.Version != 0 {
		fmt.Fprintf(table, "version\t%d\n", v.Version)
	}
	for _, e := range v.Audit {
		fmt.Fprintf(table, "%s\t%s by %s %s\n", instant(e.At), e.Action, printable(e.Actor), printable(e.Detail))
	}
	return table.Flush()
}

// showSecret prints a secret that was just made: nothing can print it again.
func showSecret(w *process, output, id string, secret client.Secret) error {
	if output == "json" {
		made := map[string]string{"client_id": id}
		if secret != "" {
			made["client_secret"] = string(secret)
		}
		return writeLines(w, []any{made})
	}
	if _, err := fmt.Fprintf(w.stdout, "client_id      %s\n", id); err != nil || secret == "" {
		return err
	}
	_, err := fmt.Fprintf(w.stdout, "client_secret  %s\n", string(secret))
	return err
}

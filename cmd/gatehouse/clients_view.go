package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

// clientView is what people and scripts are shown of a client: no secret, and
// no hash of one.
type clientView struct {
	ID                     string     `json:"id"`
	Name                   string     `json:"name"`
	Public                 bool       `json:"public"`
	ThirdParty             bool       `json:"third_party"`
	RedirectURIs           []string   `json:"redirect_uris"`
	PostLogoutRedirectURIs []string   `json:"post_logout_redirect_uris"`
	Origins                []string   `json:"origins"`
	Grants                 []string   `json:"grants"`
	Scopes                 []string   `json:"scopes"`
	In                     string     `json:"in"` // "file", "table", or "table, hidden by the file"
	Secrets                int        `json:"secrets,omitempty"`
	SecretAt               *time.Time `json:"secret_at,omitempty"` // when the newest was made
	CreatedAt              *time.Time `json:"created_at,omitempty"`
}

func viewOf(app client.Client) clientView {
	grants := app.Grants
	if len(grants) == 0 {
		grants = []string{client.GrantCode}
	}
	return clientView{
		ID: app.ID, Name: app.DisplayName(), Public: app.Public(), ThirdParty: app.ThirdParty,
		RedirectURIs: listed(app.RedirectURIs), PostLogoutRedirectURIs: listed(app.PostLogoutRedirectURIs),
		Origins: listed(app.Origins), Grants: grants, Scopes: app.AllowedScopes(), In: "file",
	}
}

// listed is list as JSON shows a list that may be empty.
func listed(list []string) []string { return append([]string{}, list...) }

func (c clients) viewOfRow(r registry.Registered) clientView {
	v := viewOf(r.Client)
	v.In = "table"
	if _, hidden := c.inFile(r.ID); hidden {
		v.In = "table, hidden by the file"
	}
	v.CreatedAt, v.Secrets = &r.CreatedAt, len(r.SecretHashes)
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

func (v clientView) write(out io.Writer) error {
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
	if v.CreatedAt != nil {
		fmt.Fprintf(table, "since\t%s\n", instant(*v.CreatedAt))
	}
	if v.SecretAt != nil {
		fmt.Fprintf(table, "secrets\t%d, the newest of %s\n", v.Secrets, instant(*v.SecretAt))
	}
	return table.Flush()
}

// showSecret prints a secret that was just made: nothing can print it again.
func showSecret(w *world, output, id string, secret client.Secret) error {
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

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

func kindOf(v registry.View) string {
	kind := "with a secret"
	if v.Public {
		kind = "public"
	}
	if v.ThirdParty {
		kind += ", third party"
	}
	return kind
}

// printClient prints a client as text, or as json.
func printClient(w *process, json bool, v registry.View) error {
	if json {
		return w.printJSON(v)
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "id\t%s\nname\t%s\nkind\t%s\nin\t%s\n", v.ID, printable(v.Name), kindOf(v), v.In)
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
		{"refresh tokens live", v.RefreshToken}, {"and unused", v.RefreshIdle}, {"secret in", v.SecretEnv},
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

// printID prints the client that was changed.
func printID(w *process, json bool, id, format string, args ...any) error {
	if json {
		return w.printJSON(map[string]string{"client_id": id})
	}
	_, err := fmt.Fprintf(w.stdout, format, args...)
	return err
}

// printSecret prints a secret that was just made: nothing can print it again.
func printSecret(w *process, json bool, id string, secret client.Secret) error {
	if json {
		made := map[string]string{"client_id": id}
		if secret != "" {
			made["client_secret"] = string(secret)
		}
		return w.printJSON(made)
	}
	if _, err := fmt.Fprintf(w.stdout, "client_id      %s\n", id); err != nil || secret == "" {
		return err
	}
	_, err := fmt.Fprintf(w.stdout, "client_secret  %s\n", string(secret))
	return err
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/email"
)

type usersCommand struct {
	List     usersListCommand     `cmd:"" help:"List users, the newest first."`
	Show     usersShowCommand     `cmd:"" help:"Show one user: what they sign in with, where, and what was done."`
	Grant    usersGrantCommand    `cmd:"" help:"Give a user roles."`
	Revoke   usersRevokeCommand   `cmd:"" help:"Take roles from a user. Tokens with them are dead at once."`
	Suspend  usersSuspendCommand  `cmd:"" help:"Keep a user out, end their sessions and revoke their tokens."`
	Activate usersActivateCommand `cmd:"" help:"Let a suspended user in again."`
	Delete   usersDeleteCommand   `cmd:"" help:"Delete a user and all that is personal. There is no way back."`
	Export   usersExportCommand   `cmd:"" help:"Print all that is stored about a user as JSON."`
}

type usersListCommand struct {
	usersFlags
	Search string `placeholder:"TEXT" help:"Only users whose e-mail address, or id, begins with this."`
	Role   string `placeholder:"ROLE" help:"Only users with this role."`
	Status string `enum:",active,suspended" default:"" placeholder:"STATUS" help:"Only users who are active, or suspended."`
	Limit  int    `default:"50" placeholder:"N" help:"At most so many users (${default})."`
	Output string `short:"o" default:"text" enum:"text,json" help:"Print them as text, or one JSON object a line."`
}

// Run prints users, one a line.
func (c *usersListCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, users *usersvc.Users) error {
		var found []usersvc.User
		f := usersvc.Filter{Search: c.Search, Role: c.Role, Status: usersvc.Status(c.Status)}
		for len(found) < c.Limit {
			f.Limit = min(c.Limit-len(found), 200)
			page, err := users.List(ctx, f)
			if err != nil {
				return err
			}
			found = append(found, page.Items...)
			if f.Cursor = page.Cursor; f.Cursor == "" {
				break
			}
		}
		if c.Output == "json" {
			return writeLines(w, found)
		}
		table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tE-MAIL\tROLES\tSTATUS\tSINCE")
		for _, u := range found {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
				u.ID, printable(u.Name), printable(u.Email), strings.Join(u.Roles, " "), u.Status, instant(u.CreatedAt))
		}
		return table.Flush()
	})
}

type usersShowCommand struct {
	usersFlags
	User   string `arg:"" help:"An id, or an e-mail address."`
	Output string `short:"o" default:"text" enum:"text,json" help:"Print it as text or as json."`
}

// auditTail is how many entries of the audit trail are shown.
const auditTail = 10

// Run prints what is known about a user.
func (c *usersShowCommand) Run(w *process) error {
	return c.useOn(w, c.User, func(ctx context.Context, users *usersvc.Users, u usersvc.User) error {
		identities, err := users.Identities(ctx, u.ID)
		if err != nil {
			return err
		}
		sessions, err := users.Sessions(ctx, u.ID)
		if err != nil {
			return err
		}
		trail, err := users.Audit(ctx, usersvc.AuditFilter{UserID: u.ID, Limit: auditTail})
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return writeLines(w, []any{map[string]any{"user": u, "identities": identities, "sessions": sessions, "audit": trail.Items}})
		}
		table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		writeUserTo(table, u)
		for _, i := range identities {
			fmt.Fprintf(table, "signs in with\t%s as %s, since %s\n", i.Provider, printable(cmp.Or(i.Email, i.Subject)), instant(i.LinkedAt))
		}
		for _, s := range sessions {
			fmt.Fprintf(table, "signed in\t%s to %s, %s\n", instant(s.CreatedAt), instant(s.ExpiresAt), printable(cmp.Or(s.UserAgent, "browser unknown")))
		}
		for _, e := range trail.Items {
			fmt.Fprintf(table, "%s\t%s %s by %s %s\n", instant(e.At), e.Action, printable(e.Detail), printable(e.Actor), e.SourceIP)
		}
		return table.Flush()
	})
}

type usersGrantCommand struct {
	usersFlags
	User  string   `arg:"" help:"An id, or an e-mail address."`
	Roles []string `arg:"" help:"Roles that gatehouse.yml declares."`
}

// Run gives the roles, and prints the user.
func (c *usersGrantCommand) Run(w *process) error {
	return c.changeOn(w, c.User, func(ctx context.Context, users *usersvc.Users, u usersvc.User) (usersvc.User, error) {
		return users.SetRoles(ctx, c.by(), u.ID, append(u.Roles, c.Roles...), u.Version)
	})
}

type usersRevokeCommand struct {
	usersFlags
	User  string   `arg:"" help:"An id, or an e-mail address."`
	Roles []string `arg:"" help:"Roles of the user."`
}

// Run takes the roles, and prints the user.
func (c *usersRevokeCommand) Run(w *process) error {
	return c.changeOn(w, c.User, func(ctx context.Context, users *usersvc.Users, u usersvc.User) (usersvc.User, error) {
		for _, role := range c.Roles {
			if !u.HasRole(role) {
				return u, fmt.Errorf("%s does not have the role %q", u.ID, role)
			}
		}
		kept := slices.DeleteFunc(slices.Clone(u.Roles), func(role string) bool { return slices.Contains(c.Roles, role) })
		return users.SetRoles(ctx, c.by(), u.ID, kept, u.Version)
	})
}

type usersSuspendCommand struct {
	usersFlags
	User string `arg:"" help:"An id, or an e-mail address."`
}

// Run suspends, and prints the user.
func (c *usersSuspendCommand) Run(w *process) error {
	return c.changeOn(w, c.User, func(ctx context.Context, users *usersvc.Users, u usersvc.User) (usersvc.User, error) {
		return users.Suspend(ctx, c.by(), u.ID)
	})
}

type usersActivateCommand struct {
	usersFlags
	User string `arg:"" help:"An id, or an e-mail address."`
}

// Run activates, and prints the user.
func (c *usersActivateCommand) Run(w *process) error {
	return c.changeOn(w, c.User, func(ctx context.Context, users *usersvc.Users, u usersvc.User) (usersvc.User, error) {
		return users.Activate(ctx, c.by(), u.ID)
	})
}

type usersDeleteCommand struct {
	usersFlags
	User string `arg:"" help:"An id, or an e-mail address."`
	Yes  bool   `help:"Say that you mean it."`
}

// Run deletes the user, and prints their id.
func (c *usersDeleteCommand) Run(w *process) error {
	return c.useOn(w, c.User, func(ctx context.Context, users *usersvc.Users, u usersvc.User) error {
		if !c.Yes {
			return fmt.Errorf("this deletes %s (%s) for good: say --yes if you mean it", printable(cmp.Or(u.Email, u.Name)), u.ID)
		}
		if err := users.Delete(ctx, c.by(), u.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w.stdout, "%s is deleted\n", u.ID)
		return err
	})
}

type usersExportCommand struct {
	usersFlags
	User string `arg:"" help:"An id, or an e-mail address."`
}

// Run prints the export.
func (c *usersExportCommand) Run(w *process) error {
	return c.useOn(w, c.User, func(ctx context.Context, users *usersvc.Users, u usersvc.User) error {
		export, err := users.Export(ctx, u.ID)
		if err != nil {
			return err
		}
		out := json.NewEncoder(w.stdout)
		out.SetIndent("", "  ")
		return out.Encode(export)
	})
}

// findUser returns the user with the id or the address.
func findUser(ctx context.Context, users *usersvc.Users, name string) (usersvc.User, error) {
	address, ok := email.Canonical(name)
	if !ok {
		u, err := users.Get(ctx, name)
		if errors.Is(err, usersvc.ErrNotFound) {
			err = fmt.Errorf("there is no user %q", name)
		}
		return u, err
	}
	page, err := users.List(ctx, usersvc.Filter{Search: address})
	if err != nil {
		return usersvc.User{}, err
	}
	var ids []string
	var found usersvc.User
	for _, u := range page.Items {
		if canonical, _ := email.Canonical(u.Email); canonical == address {
			ids, found = append(ids, u.ID), u
		}
	}
	switch len(ids) {
	case 0:
		return found, fmt.Errorf("there is no user with the address %s", address)
	case 1:
		return users.Get(ctx, found.ID)
	}
	return found, fmt.Errorf("%d users have the address %s: name one of %s", len(ids), address, strings.Join(ids, ", "))
}

func writeUserTo(table *tabwriter.Writer, u usersvc.User) {
	fmt.Fprintf(table, "id\t%s\nname\t%s\n", u.ID, printable(u.Name))
	verified := ""
	if u.Email != "" && !u.EmailVerified {
		verified = " (not verified)"
	}
	fmt.Fprintf(table, "e-mail\t%s%s\nroles\t%s\nstatus\t%s\nsince\t%s\n", printable(u.Email), verified, strings.Join(u.Roles, " "), u.Status, instant(u.CreatedAt))
}

// writeLines prints each value as JSON on a line of its own.
func writeLines[T any](w *process, values []T) error {
	out := json.NewEncoder(w.stdout)
	for _, v := range values {
		if err := out.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	serviceFlags
	Search string `placeholder:"TEXT" help:"Only users whose e-mail address, or id, begins with this."`
	Role   string `placeholder:"ROLE" help:"Only users with this role."`
	Status string `enum:",active,suspended" default:"" placeholder:"STATUS" help:"Only users who are active, or suspended."`
	Limit  int    `default:"50" placeholder:"N" help:"At most so many users (${default})."`
	outputFlag
}

// Run prints users, one a line.
func (c *usersListCommand) Run(w *process) error {
	if c.Limit < 1 {
		return usageError("--limit: want 1 or more")
	}
	return c.use(w, func(ctx context.Context, s *service) error {
		found, err := listUsers(ctx, s, url.Values{"q": {c.Search}, "role": {c.Role}, "status": {c.Status}}, c.Limit)
		if err != nil {
			return err
		}
		if c.json() {
			return w.printJSON(itemsOf(found))
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

// listUsers returns at most limit users that the filter lets through.
func listUsers(ctx context.Context, s *service, filter url.Values, limit int) ([]usersvc.User, error) {
	for name, value := range filter {
		if value[0] == "" {
			delete(filter, name)
		}
	}
	var found []usersvc.User
	for {
		filter.Set("limit", strconv.Itoa(min(limit-len(found), usersvc.MaxLimit)))
		var page usersvc.Page[usersvc.User]
		if err := s.get(ctx, "/users?"+filter.Encode(), &page); err != nil {
			return nil, err
		}
		found = append(found, page.Items...)
		if page.Cursor == "" || len(found) >= limit {
			return found, nil
		}
		filter.Set("cursor", page.Cursor)
	}
}

type usersShowCommand struct {
	serviceFlags
	User string `arg:"" help:"An id, or an e-mail address."`
	outputFlag
}

// auditTail is how many entries of the audit trail are shown.
const auditTail = 10

// Run prints what is known about a user.
func (c *usersShowCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, s *service) error {
		u, err := findUser(ctx, s, c.User)
		if err != nil {
			return err
		}
		var identities usersvc.Page[usersvc.Identity]
		var sessions usersvc.Page[usersvc.Session]
		var trail usersvc.Page[usersvc.Entry]
		if err := s.get(ctx, userPath(u, "/identities"), &identities); err != nil {
			return err
		}
		if err := s.get(ctx, userPath(u, "/sessions"), &sessions); err != nil {
			return err
		}
		if err := s.get(ctx, "/audit?"+url.Values{"user": {u.ID}, "limit": {strconv.Itoa(auditTail)}}.Encode(), &trail); err != nil {
			return err
		}
		if c.json() {
			return w.printJSON(map[string]any{"user": u, "identities": identities.Items, "sessions": sessions.Items, "audit": trail.Items})
		}
		table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		writeUserTo(table, u)
		for _, i := range identities.Items {
			fmt.Fprintf(table, "signs in with\t%s as %s, since %s\n", i.Provider, printable(cmp.Or(i.Email, i.Subject)), instant(i.LinkedAt))
		}
		for _, s := range sessions.Items {
			fmt.Fprintf(table, "signed in\t%s to %s, %s\n", instant(s.CreatedAt), instant(s.ExpiresAt), printable(cmp.Or(s.UserAgent, "browser unknown")))
		}
		for _, e := range trail.Items {
			fmt.Fprintf(table, "%s\t%s %s by %s %s\n", instant(e.At), e.Action, printable(e.Detail), printable(e.Actor), e.SourceIP)
		}
		return table.Flush()
	})
}

// changeFlags are those of every command that changes one user.
type changeFlags struct {
	serviceFlags
	User string `arg:"" help:"An id, or an e-mail address."`
	outputFlag
}

// change finds the user, says what is about to change, and calls do.
func (c changeFlags) change(w *process, do func(context.Context, *service, usersvc.User) error) error {
	return c.use(w, func(ctx context.Context, s *service) error {
		u, err := findUser(ctx, s, c.User)
		if err != nil {
			return err
		}
		if err := s.announce(ctx, w); err != nil {
			return err
		}
		err = do(ctx, s, u)
		if refusal, ok := errors.AsType[*apiError](err); ok {
			err = explained(refusal)
		}
		return err
	})
}

// print prints what has become of a user.
func (c changeFlags) print(w *process, u usersvc.User) error {
	if c.json() {
		return w.printJSON(u)
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	writeUserTo(table, u)
	return table.Flush()
}

type usersGrantCommand struct {
	changeFlags
	Roles []string `arg:"" help:"Roles that gatehouse.yml declares."`
}

// Run gives the roles, and prints the user.
func (c *usersGrantCommand) Run(w *process) error {
	return c.change(w, func(ctx context.Context, s *service, u usersvc.User) error {
		return c.setRoles(ctx, w, s, u, append(slices.Clone(u.Roles), c.Roles...))
	})
}

type usersRevokeCommand struct {
	changeFlags
	Roles []string `arg:"" help:"Roles of the user."`
}

// Run takes the roles, and prints the user.
func (c *usersRevokeCommand) Run(w *process) error {
	return c.change(w, func(ctx context.Context, s *service, u usersvc.User) error {
		for _, role := range c.Roles {
			if !u.HasRole(role) {
				return fmt.Errorf("%s does not have the role %q", u.ID, role)
			}
		}
		kept := slices.DeleteFunc(slices.Clone(u.Roles), func(role string) bool { return slices.Contains(c.Roles, role) })
		return c.setRoles(ctx, w, s, u, kept)
	})
}

// setRoles fails if the user has changed since it was read.
func (c changeFlags) setRoles(ctx context.Context, w *process, s *service, u usersvc.User, roles []string) error {
	version := http.Header{"If-Match": {`"` + strconv.FormatInt(u.Version, 10) + `"`}}
	slices.Sort(roles)
	var after usersvc.User
	err := s.ask(ctx, http.MethodPut, userPath(u, "/roles"), version, map[string][]string{"roles": slices.Compact(roles)}, &after)
	if err != nil {
		return err
	}
	return c.print(w, after)
}

type usersSuspendCommand struct{ changeFlags }

// Run suspends, and prints the user.
func (c *usersSuspendCommand) Run(w *process) error { return c.post(w, "/suspend") }

type usersActivateCommand struct{ changeFlags }

// Run activates, and prints the user.
func (c *usersActivateCommand) Run(w *process) error { return c.post(w, "/activate") }

func (c changeFlags) post(w *process, what string) error {
	return c.change(w, func(ctx context.Context, s *service, u usersvc.User) error {
		var after usersvc.User
		if err := s.ask(ctx, http.MethodPost, userPath(u, what), nil, nil, &after); err != nil {
			return err
		}
		return c.print(w, after)
	})
}

type usersDeleteCommand struct {
	changeFlags
	Yes bool `help:"Say that you mean it."`
}

// Run deletes the user, and prints their id.
func (c *usersDeleteCommand) Run(w *process) error {
	return c.change(w, func(ctx context.Context, s *service, u usersvc.User) error {
		if !c.Yes {
			return fmt.Errorf("this deletes %s (%s) for good: say --yes if you mean it", printable(cmp.Or(u.Email, u.Name)), u.ID)
		}
		if err := s.ask(ctx, http.MethodDelete, userPath(u, ""), nil, nil, nil); err != nil {
			return err
		}
		if c.json() {
			return w.printJSON(map[string]string{"id": u.ID})
		}
		_, err := fmt.Fprintf(w.stdout, "%s is deleted\n", u.ID)
		return err
	})
}

type usersExportCommand struct {
	serviceFlags
	User string `arg:"" help:"An id, or an e-mail address."`
	outputFlag
}

// Run prints the export: on one line with --output json, else for people.
func (c *usersExportCommand) Run(w *process) error {
	return c.use(w, func(ctx context.Context, s *service) error {
		u, err := findUser(ctx, s, c.User)
		if err != nil {
			return err
		}
		var export []byte
		err = s.get(ctx, userPath(u, "/export"), &export)
		if refusal, ok := errors.AsType[*apiError](err); ok {
			err = explained(refusal)
		}
		if err != nil {
			return err
		}
		return w.printRaw(export, !c.json())
	})
}

func userPath(u usersvc.User, rest string) string { return "/users/" + url.PathEscape(u.ID) + rest }

// findUser returns the user with the id or the address.
func findUser(ctx context.Context, s *service, name string) (usersvc.User, error) {
	var found usersvc.User
	address, ok := email.Canonical(name)
	if !ok {
		err := s.get(ctx, "/users/"+url.PathEscape(name), &found)
		if refusal, ok := errors.AsType[*apiError](err); ok && refusal.Status == http.StatusNotFound {
			err = fmt.Errorf("there is no user %q", name)
		}
		return found, err
	}
	all, err := listUsers(ctx, s, url.Values{"q": {address}}, usersvc.MaxLimit)
	if err != nil {
		return found, err
	}
	var ids []string
	for _, u := range all {
		if canonical, _ := email.Canonical(u.Email); canonical == address {
			ids, found = append(ids, u.ID), u
		}
	}
	switch len(ids) {
	case 0:
		return found, fmt.Errorf("there is no user with the address %s", address)
	case 1:
		return found, s.get(ctx, userPath(found, ""), &found)
	}
	return found, fmt.Errorf("%d users have the address %s: name one of %s", len(ids), address, strings.Join(ids, ", "))
}

// explained adds to a refusal what to do about it.
func explained(refusal *apiError) error {
	if refusal.Code == "insufficient_user_authentication" {
		return fmt.Errorf("%w: run gatehouse login again", refusal)
	}
	return refusal
}

func writeUserTo(table *tabwriter.Writer, u usersvc.User) {
	fmt.Fprintf(table, "id\t%s\nname\t%s\n", u.ID, printable(u.Name))
	verified := ""
	if u.Email != "" && !u.EmailVerified {
		verified = " (not verified)"
	}
	fmt.Fprintf(table, "e-mail\t%s%s\nroles\t%s\nstatus\t%s\nsince\t%s\n", printable(u.Email), verified, strings.Join(u.Roles, " "), u.Status, instant(u.CreatedAt))
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Admin is what an admin does with clients: those of the table, beside those of
// gatehouse.yml, which cannot be changed here. Its errors tell people what to do.
type Admin struct {
	*Clients
	File []client.Client // those of gatehouse.yml
	By   usersvc.By      // who acts, for the audit trail
}

// auditTail is how many entries of the audit trail are shown with a client.
const auditTail = 10

// Views returns all clients, those of the file first.
func (a Admin) Views(ctx context.Context) ([]View, error) {
	registered, err := a.List(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]View, 0, len(a.File)+len(registered))
	for _, app := range a.File {
		views = append(views, ViewOf(app))
	}
	for _, r := range registered {
		views = append(views, a.viewOf(r))
	}
	return views, nil
}

// View returns the client that sign-ins find.
func (a Admin) View(ctx context.Context, id string) (View, error) {
	if i := a.inFile(id); i >= 0 {
		return ViewOf(a.File[i]), nil
	}
	r, err := a.Get(ctx, id)
	if errors.Is(err, client.ErrUnknown) {
		return View{}, &AdminError{fmt.Sprintf("there is no client %q", id), err}
	}
	if err != nil {
		return View{}, err
	}
	trail, err := (&usersvc.Users{Table: a.Table}).Audit(ctx, usersvc.AuditFilter{ClientID: id, Limit: auditTail})
	view := a.viewOf(r)
	view.Audit = trail.Items
	return view, err
}

// Register adds a client, and returns its secret: "" for a public one.
func (a Admin) Register(ctx context.Context, id string, settings Edits, confidential bool) (client.Secret, error) {
	if a.inFile(id) >= 0 {
		return "", &AdminError{id + " is in the configuration, which comes first: choose another id", ErrExists}
	}
	app := client.Client{ID: id}
	if err := settings.Apply(&app); err != nil {
		return "", err
	}
	if !confidential && app.MayUse(client.GrantClientCredentials) {
		return "", &AdminError{"a client that acts for itself has to prove who it is: take out --public", ErrPublic}
	}
	secret, err := a.Add(ctx, a.By, app, confidential)
	return secret, a.explain(id, err)
}

// Change edits a client as [Clients.Edit] does.
func (a Admin) Change(ctx context.Context, id string, version int64, edits Edits) (View, error) {
	r, err := a.Edit(ctx, a.By, id, version, edits.Apply)
	return a.viewOf(r), a.explain(id, err)
}

// NewSecret rotates the secret of a client as [Clients.RotateSecret] does.
func (a Admin) NewSecret(ctx context.Context, id string) (client.Secret, error) {
	secret, err := a.RotateSecret(ctx, a.By, id)
	return secret, a.explain(id, err)
}

// EndOldSecret ends the older of the client's two secrets.
func (a Admin) EndOldSecret(ctx context.Context, id string) error {
	return a.explain(id, a.DropOldSecret(ctx, a.By, id))
}

// Unregister removes a client as [Clients.Remove] does.
func (a Admin) Unregister(ctx context.Context, id string) error {
	return a.explain(id, a.Remove(ctx, a.By, id))
}

func (a Admin) inFile(id string) int {
	return slices.IndexFunc(a.File, func(app client.Client) bool { return app.ID == id })
}

func (a Admin) viewOf(r Registered) View {
	v := ViewOf(r.Client)
	v.In = "table"
	if a.inFile(r.ID) >= 0 {
		v.In = "table, hidden by the file"
	}
	v.CreatedAt, v.Secrets, v.Version = &r.CreatedAt, len(r.SecretHashes), r.Version
	if v.Secrets > 0 {
		v.SecretAt = &r.SecretAt
	}
	return v
}

// AdminError is a refusal that tells a person what to do.
type AdminError struct {
	Text  string
	Cause error
}

func (e *AdminError) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *AdminError) Unwrap() error { return e.Cause }

// explain adds to a refusal what to do about it.
func (a Admin) explain(id string, err error) error {
	text := ""
	_, isProblem := errors.AsType[client.Problem](err)
	switch {
	case errors.Is(err, client.ErrUnknown) && a.inFile(id) >= 0:
		text = id + " is in the configuration: change it there"
	case errors.Is(err, client.ErrUnknown):
		text = fmt.Sprintf("there is no client %q in the table", id)
	case errors.Is(err, ErrExists):
		text = fmt.Sprintf("%v: choose another, or remove that one", err)
	case errors.Is(err, ErrPublic):
		text = fmt.Sprintf("%v: remove %s and add it without --public, if it can keep one", err, id)
	case errors.Is(err, ErrOneSecret):
		text = fmt.Sprintf("%v: rotate it first", err)
	case errors.Is(err, ErrChanged):
		text = fmt.Sprintf("%v; try again", err)
	case isProblem:
		text = err.Error()
	default:
		return err
	}
	return &AdminError{text, err}
}

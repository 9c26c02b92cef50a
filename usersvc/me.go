package usersvc

import (
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

func (a *api) getMe(c call) error {
	user, err := a.users.Get(c.Context(), c.who.Subject)
	if err != nil {
		return err
	}
	if user.Status != Active {
		return &httpx.Error{Status: http.StatusForbidden, Code: "suspended", Detail: "this account is suspended"}
	}
	return writeUser(c.w, c.Request, user)
}

// profileChange is what may be changed of a user by hand. The rest is the
// provider's, or has its own operation.
type profileChange struct {
	Name *string `json:"name"`
}

func (a *api) patchMe(c call) error { return a.rename(c, c.who.Subject) }

func (a *api) rename(c call, id string) error {
	change, err := decode[profileChange](c.Request)
	if err != nil {
		return err
	}
	if change.Name == nil {
		return invalid("body: want a name")
	}
	return c.answer(a.users.Rename(c.Context(), c.by(), id, *change.Name, ifMatch(c.Request)))
}

func (a *api) deleteMe(c call) error {
	return c.done(a.users.Delete(c.Context(), c.by(), c.who.Subject))
}

func (a *api) getMySessions(c call) error { return a.listSessions(c, c.who.Subject) }

func (a *api) deleteMySessions(c call) error {
	return c.done(a.users.EndSessions(c.Context(), c.by(), c.who.Subject, ""))
}

func (a *api) deleteMyOtherSessions(c call) error {
	if c.who.SessionID == "" {
		return signInFirst
	}
	err := a.users.EndSessions(c.Context(), c.by(), c.who.Subject, c.who.SessionID)
	if errors.Is(err, ErrNoSession) {
		return signInFirst
	}
	return c.done(err)
}

func (a *api) deleteMySession(c call) error {
	return c.done(a.users.EndSessionBy(c.Context(), c.by(), c.who.Subject, c.PathValue("sid")))
}

func (a *api) getMyIdentities(c call) error {
	identities, err := a.users.Identities(c.Context(), c.who.Subject)
	if err != nil {
		return err
	}
	return httpx.JSON(c.w, Page[Identity]{Items: identities})
}

func (a *api) deleteMyIdentity(c call) error {
	_, err := a.users.Unlink(c.Context(), c.by(), c.who.Subject, c.PathValue("identity"))
	return c.done(err)
}

func (a *api) getMyExport(c call) error {
	export, err := a.users.Export(c.Context(), c.who.Subject)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="account.json"`)
	return httpx.JSON(c.w, export)
}

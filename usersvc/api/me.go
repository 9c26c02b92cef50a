package api

import (
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func (h *handlers) getMe(c call) error {
	user, err := h.users.Get(c.Context(), c.who.Subject)
	if err != nil {
		return err
	}
	if user.Status != usersvc.Active {
		return &httpx.Error{Status: http.StatusForbidden, Code: "suspended", Detail: "this account is suspended"}
	}
	return writeUser(c.w, c.Request, user)
}

// profileChange is what may be changed of a user by hand. The rest is the
// provider's, or has its own operation.
type profileChange struct {
	Name *string `json:"name"`
}

func (h *handlers) patchMe(c call) error { return h.rename(c, c.who.Subject) }

func (h *handlers) rename(c call, id string) error {
	change, err := decode[profileChange](c.Request)
	if err != nil {
		return err
	}
	if change.Name == nil {
		return invalid("body: want a name")
	}
	return c.answer(h.users.Rename(c.Context(), c.by(), id, *change.Name, ifMatch(c.Request)))
}

func (h *handlers) deleteMe(c call) error {
	return c.done(h.users.Delete(c.Context(), c.by(), c.who.Subject))
}

func (h *handlers) getMySessions(c call) error { return h.listSessions(c, c.who.Subject) }

func (h *handlers) deleteMySessions(c call) error {
	return c.done(h.users.EndSessions(c.Context(), c.by(), c.who.Subject, ""))
}

func (h *handlers) deleteMyOtherSessions(c call) error {
	if c.who.SessionID == "" {
		return errSignInFirst
	}
	err := h.users.EndSessions(c.Context(), c.by(), c.who.Subject, c.who.SessionID)
	if errors.Is(err, usersvc.ErrNoSession) {
		return errSignInFirst
	}
	return c.done(err)
}

func (h *handlers) deleteMySession(c call) error {
	return c.done(h.users.EndSessionBy(c.Context(), c.by(), c.who.Subject, c.PathValue("sid")))
}

func (h *handlers) getMyIdentities(c call) error { return h.listIdentities(c, c.who.Subject) }

func (h *handlers) listIdentities(c call, userID string) error {
	identities, err := h.users.Identities(c.Context(), userID)
	if err != nil {
		return err
	}
	return httpx.JSON(c.w, usersvc.Page[usersvc.Identity]{Items: identities})
}

func (h *handlers) deleteMyIdentity(c call) error {
	_, err := h.users.Unlink(c.Context(), c.by(), c.who.Subject, c.PathValue("identity"))
	return c.done(err)
}

func (h *handlers) getMyExport(c call) error { return h.export(c, c.who.Subject) }

func (h *handlers) export(c call, userID string) error {
	export, err := h.users.Export(c.Context(), userID)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="account.json"`)
	return httpx.JSON(c.w, export)
}

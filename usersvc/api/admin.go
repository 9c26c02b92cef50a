package api

import (
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func (h *handlers) getUsers(c call) error {
	query, err := params(c.Request, "q", "role", "status", "limit", "cursor")
	if err != nil {
		return err
	}
	n, err := limit(query)
	if err != nil {
		return err
	}
	status := usersvc.Status(query["status"])
	if status != "" && status != usersvc.Active && status != usersvc.Suspended {
		return invalid("status: want active or suspended")
	}
	page, err := h.users.List(c.Context(), usersvc.Filter{
		Search: query["q"], Role: query["role"], Status: status, Limit: n, Cursor: query["cursor"],
	})
	if err != nil {
		return err
	}
	return httpx.JSON(c.w, page)
}

func (h *handlers) getUser(c call) error {
	user, err := h.users.Get(c.Context(), c.id())
	if err != nil {
		return err
	}
	return writeUser(c.w, c.Request, user)
}

func (h *handlers) patchUser(c call) error { return h.rename(c, c.id()) }

func (h *handlers) deleteUser(c call) error {
	return c.done(h.users.Delete(c.Context(), c.by(), c.id()))
}

// rolesChange is the roles that a user is to have.
type rolesChange struct {
	Roles []string `json:"roles"`
}

func (h *handlers) putRoles(c call) error {
	change, err := decode[rolesChange](c.Request)
	if err != nil {
		return err
	}
	if change.Roles == nil {
		return invalid("body: want roles, a list")
	}
	return c.answer(h.users.SetRoles(c.Context(), c.by(), c.id(), change.Roles, ifMatch(c.Request)))
}

func (h *handlers) suspend(c call) error {
	return c.answer(h.users.Suspend(c.Context(), c.by(), c.id()))
}

func (h *handlers) activate(c call) error {
	return c.answer(h.users.Activate(c.Context(), c.by(), c.id()))
}

func (h *handlers) getExport(c call) error { return h.export(c, c.id()) }

// getIdentities reads the user first, because a user who does not exist has no
// identities either.
func (h *handlers) getIdentities(c call) error {
	if _, err := h.users.Get(c.Context(), c.id()); err != nil {
		return err
	}
	return h.listIdentities(c, c.id())
}

func (h *handlers) getSessions(c call) error { return h.listSessions(c, c.id()) }

// listedSession tells which session the caller is in.
type listedSession struct {
	usersvc.Session
	Current bool `json:"current"`
}

func (h *handlers) listSessions(c call, userID string) error {
	sessions, err := h.users.Sessions(c.Context(), userID)
	if err != nil {
		return err
	}
	page := usersvc.Page[listedSession]{Items: []listedSession{}}
	for _, s := range sessions {
		page.Items = append(page.Items, listedSession{s, s.ID == c.who.SessionID})
	}
	return httpx.JSON(c.w, page)
}

func (h *handlers) deleteSessions(c call) error {
	return c.done(h.users.EndSessions(c.Context(), c.by(), c.id(), ""))
}

func (h *handlers) deleteSession(c call) error {
	return c.done(h.users.EndSessionBy(c.Context(), c.by(), c.id(), c.PathValue("sid")))
}

func (h *handlers) getAudit(c call) error {
	query, err := params(c.Request, "user", "actor", "time", "limit", "cursor")
	if err != nil {
		return err
	}
	n, err := limit(query)
	if err != nil {
		return err
	}
	if strings.ContainsFunc(query["time"], func(r rune) bool { return !strings.ContainsRune("0123456789-:.TZ", r) }) {
		return invalid("time: want the beginning of a time, as 2026-03-01T12")
	}
	for _, name := range []string{"user", "actor"} {
		if id := query[name]; id != "" && !usersvc.IsID(id) {
			return invalid(name + ": want the id of a user")
		}
	}
	page, err := h.users.Audit(c.Context(), usersvc.AuditFilter{
		UserID: query["user"], Actor: query["actor"], Time: query["time"], Limit: n, Cursor: query["cursor"],
	})
	if err != nil {
		return err
	}
	return httpx.JSON(c.w, page)
}

package usersvc

import (
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
)

func (a *api) getUsers(c call) error {
	query, err := params(c.Request, "q", "role", "status", "limit", "cursor")
	if err != nil {
		return err
	}
	n, err := limit(query)
	if err != nil {
		return err
	}
	status := Status(query["status"])
	if status != "" && status != Active && status != Suspended {
		return invalid("status: want active or suspended")
	}
	page, err := a.users.List(c.Context(), Filter{
		Search: query["q"], Role: query["role"], Status: status, Limit: n, Cursor: query["cursor"],
	})
	if err != nil {
		return err
	}
	return httpx.JSON(c.w, page)
}

func (a *api) getUser(c call) error {
	user, err := a.users.Get(c.Context(), c.id())
	if err != nil {
		return err
	}
	return writeUser(c.w, c.Request, user)
}

func (a *api) patchUser(c call) error { return a.rename(c, c.id()) }

func (a *api) deleteUser(c call) error {
	return c.done(a.users.Delete(c.Context(), c.by(), c.id()))
}

// rolesChange is the roles that a user is to have.
type rolesChange struct {
	Roles []string `json:"roles"`
}

func (a *api) putRoles(c call) error {
	change, err := decode[rolesChange](c.Request)
	if err != nil {
		return err
	}
	if change.Roles == nil {
		return invalid("body: want roles, a list")
	}
	return c.answer(a.users.SetRoles(c.Context(), c.by(), c.id(), change.Roles, ifMatch(c.Request)))
}

func (a *api) suspend(c call) error {
	return c.answer(a.users.Suspend(c.Context(), c.by(), c.id()))
}

func (a *api) activate(c call) error {
	return c.answer(a.users.Activate(c.Context(), c.by(), c.id()))
}

func (a *api) getSessions(c call) error { return a.listSessions(c, c.id()) }

// listedSession tells which session the caller is in.
type listedSession struct {
	Session
	Current bool `json:"current"`
}

func (a *api) listSessions(c call, userID string) error {
	sessions, err := a.users.Sessions(c.Context(), userID)
	if err != nil {
		return err
	}
	page := Page[listedSession]{Items: []listedSession{}}
	for _, s := range sessions {
		page.Items = append(page.Items, listedSession{s, s.ID == c.who.SessionID})
	}
	return httpx.JSON(c.w, page)
}

func (a *api) deleteSessions(c call) error {
	return c.done(a.users.EndSessions(c.Context(), c.by(), c.id(), ""))
}

func (a *api) deleteSession(c call) error {
	return c.done(a.users.EndSessionBy(c.Context(), c.by(), c.id(), c.PathValue("sid")))
}

func (a *api) getAudit(c call) error {
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
		if id := query[name]; id != "" && !isID(id) {
			return invalid(name + ": want the id of a user")
		}
	}
	page, err := a.users.Audit(c.Context(), AuditFilter{
		UserID: query["user"], Actor: query["actor"], Time: query["time"], Limit: n, Cursor: query["cursor"],
	})
	if err != nil {
		return err
	}
	return httpx.JSON(c.w, page)
}

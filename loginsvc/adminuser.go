package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// trailRows is how much of the audit trail stands on the page of a user.
const trailRows = 5

func (s *Service) handleAdminUser(w http.ResponseWriter, r *http.Request, v visitor) error {
	return s.showUser(w, r, v, pages.AdminNothingNew)
}

// handleAdminUserChange does what one of the forms of the page says.
func (s *Service) handleAdminUserChange(w http.ResponseWriter, r *http.Request, v visitor) error {
	p, err := form(w, r)
	if err != nil {
		return err
	}
	for name, values := range p {
		if len(values) > 1 && name != "role" {
			return badFilter("a field is repeated")
		}
	}
	ctx, id := r.Context(), r.PathValue("id")
	if p.get("do") == "delete" {
		return s.deleteUser(w, r, v, strings.TrimSpace(p.get("confirm")))
	}
	notice, err := s.changeUser(ctx, v.by, id, p)
	switch {
	case errors.Is(err, usersvc.ErrVersion):
		notice = pages.UserChanged
	case errors.Is(err, usersvc.ErrLastAdmin):
		notice = pages.LastAdmin
	case errors.Is(err, usersvc.ErrOneself):
		notice = pages.NotToOneself
	case err != nil:
		return adminTrouble(err)
	case id == v.user.ID: // who may have given up the role, or ended this session
		return redirect(w, s.url("/admin/users/"+id))
	}
	return s.showUser(w, r, v, notice)
}

// changeUser does it, and returns what to say if that succeeded.
func (s *Service) changeUser(ctx context.Context, by usersvc.By, id string, p params) (notice pages.AdminNotice, err error) {
	switch p.get("do") {
	case "roles":
		version, malformed := strconv.ParseInt(p.get("version"), 10, 64)
		if malformed != nil || version <= 0 { // 0 would overwrite what others did
			return "", badFilter("the form has no version")
		}
		_, err = s.Users.SetRoles(ctx, by, id, p["role"], version)
		notice = pages.RolesSaved
	case "suspend":
		_, err = s.Users.Suspend(ctx, by, id)
		notice = pages.UserSuspended
	case "activate":
		_, err = s.Users.Activate(ctx, by, id)
		notice = pages.UserActivated
	case "end_sessions":
		err = s.Users.EndSessions(ctx, by, id, "")
		notice = pages.SessionsEnded
	default:
		return "", badFilter("the form does nothing that exists")
	}
	return notice, err
}

// deleteUser deletes the user if their id was typed. It does not look for the
// user before: deleting once more goes on where deleting was interrupted.
func (s *Service) deleteUser(w http.ResponseWriter, r *http.Request, v visitor, typed string) error {
	id := r.PathValue("id")
	if typed != id {
		return s.showUser(w, r, v, pages.DeleteNotConfirmed)
	}
	err := s.Users.Delete(r.Context(), v.by, id)
	switch {
	case errors.Is(err, usersvc.ErrLastAdmin):
		return s.showUser(w, r, v, pages.LastAdmin)
	case err != nil:
		return adminTrouble(err)
	case id == v.user.ID:
		s.setCookie(w, sessionCookie, "", 0)
		s.Pages.Render(w, r, http.StatusOK, pages.AccountDeleted{})
		return nil
	}
	return redirect(w, s.url("/admin/users"))
}

// showUser shows the user as they are now.
func (s *Service) showUser(w http.ResponseWriter, r *http.Request, v visitor, notice pages.AdminNotice) error {
	ctx, id := r.Context(), r.PathValue("id")
	user, err := s.Users.Get(ctx, id)
	if err != nil {
		return adminTrouble(err)
	}
	page := pages.AdminUser{
		Frame: s.adminFrame(v), User: userRow(user), Version: user.Version, Self: user.ID == v.user.ID, Notice: notice,
	}
	if page.Roles, err = s.roleChoices(ctx, user); err != nil {
		return err
	}
	sessions, err := s.Users.Sessions(ctx, id)
	if err != nil {
		return adminTrouble(err)
	}
	for _, at := range sessions {
		page.Sessions = append(page.Sessions, s.sessionRow(at, v.session.ID))
	}
	identities, err := s.Users.Identities(ctx, id)
	if err != nil {
		return err
	}
	for _, i := range identities {
		page.Identities = append(page.Identities, s.identityRow(i))
	}
	trail, err := s.Users.Audit(ctx, usersvc.AuditFilter{UserID: id, Limit: trailRows})
	if err != nil {
		return err
	}
	page.Trail = auditRows(trail.Items)
	if trail.Cursor != "" {
		page.TrailURL = s.path("/admin/audit?" + url.Values{"user": {id}}.Encode())
	}
	s.Pages.Render(w, r, 0, page)
	return nil
}

// roleChoices are the roles that the user has or may be given. That the last
// admin keeps theirs is said beforehand, and judged when it is taken.
func (s *Service) roleChoices(ctx context.Context, user usersvc.User) ([]pages.RoleChoice, error) {
	only, err := s.Users.OnlyAdmin(ctx, user)
	if err != nil {
		return nil, err
	}
	var choices []pages.RoleChoice
	for _, role := range s.Users.Choosable(user) {
		choices = append(choices, pages.RoleChoice{Name: role, Has: user.HasRole(role), Kept: only && role == usersvc.Admin})
	}
	return choices, nil
}

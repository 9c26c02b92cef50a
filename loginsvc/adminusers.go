package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

var userFilters = []string{"q", "role", "status", "cursor"}

// handleAdminUsers lists users. Its query may hold an id, a role and a status.
func (s *Service) handleAdminUsers(w http.ResponseWriter, r *http.Request, v visitor) error {
	_, f, err := s.userFilter(query(r))
	if err != nil {
		return err
	}
	if f.ByEmail() {
		return badFilter("an address stands in the URL")
	}
	return s.listUsers(w, r, v, f)
}

// handleAdminUsersSearch lists the users whose address begins as was typed. Any
// other search goes on at a URL of its own.
func (s *Service) handleAdminUsersSearch(w http.ResponseWriter, r *http.Request, v visitor) error {
	p, f, err := s.userFilter(form(w, r))
	if err != nil {
		return err
	}
	if f.ByEmail() {
		return s.listUsers(w, r, v, f)
	}
	return s.goOn(w, "/admin/users", p)
}

// goOn leads to the list at path with what p has.
func (s *Service) goOn(w http.ResponseWriter, path string, p params) error {
	if p = p.given(); len(p) > 0 {
		path += "?" + url.Values(p).Encode()
	}
	return redirect(w, s.url(path))
}

// userFilter says which users p asks for, and with what of p; err is that of
// reading p.
func (s *Service) userFilter(p params, err error) (params, usersvc.Filter, error) {
	if err == nil {
		p, err = p.filters(userFilters...)
	}
	if err != nil {
		return nil, usersvc.Filter{}, err
	}
	f := usersvc.Filter{
		Search: p.get("q"), Role: p.get("role"), Status: usersvc.Status(p.get("status")), Cursor: p.get("cursor"), Limit: pages.AdminRows,
	}
	if f.Role != "" && !slices.Contains(s.Users.DeclaredRoles(), f.Role) {
		return nil, f, badFilter("there is no such role")
	}
	if !slices.Contains([]usersvc.Status{"", usersvc.Active, usersvc.Suspended}, f.Status) {
		return nil, f, badFilter("there is no such status")
	}
	return p, f, nil
}

func (s *Service) listUsers(w http.ResponseWriter, r *http.Request, v visitor, f usersvc.Filter) error {
	found, err := s.Users.List(r.Context(), f)
	if err != nil {
		return adminTrouble(err)
	}
	page := pages.AdminUsers{
		Frame: s.adminFrame(v), Search: f.Search, Private: f.ByEmail(), Role: f.Role, Status: string(f.Status),
		Roles: s.Users.DeclaredRoles(), Next: found.Cursor, Previous: found.Previous,
	}
	for _, user := range found.Items {
		page.Users = append(page.Users, userRow(user))
	}
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

func userRow(u usersvc.User) pages.UserRow {
	return pages.UserRow{ID: u.ID, Name: u.Name, Email: u.Email, Roles: u.Roles, Suspended: u.Status == usersvc.Suspended, CreatedAt: u.CreatedAt}
}

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
	switch {
	case id == v.user.ID && !s.recent(v.session): // as on the account page
		return redirect(w, s.url(s.freshLoginFor(r.URL.Path)))
	case typed != id:
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

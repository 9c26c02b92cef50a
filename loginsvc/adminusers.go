package loginsvc

import (
	"net/http"
	"net/url"
	"slices"

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

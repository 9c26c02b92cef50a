package loginsvc

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleAdminAudit lists what was done. Its query may hold the ids of whom it
// was done to and who did it, and the beginning of a time.
func (s *Service) handleAdminAudit(w http.ResponseWriter, r *http.Request, v visitor) error {
	p, err := query(r)
	if err == nil {
		p, err = auditFilters(p)
	}
	if err != nil {
		return err
	}
	f := usersvc.AuditFilter{
		UserID: p.get("user"), Actor: p.get("actor"), Time: p.get("time"), Cursor: p.get("cursor"), Limit: pages.AdminRows,
	}
	if strings.Contains(f.UserID+f.Actor, "@") {
		return badFilter("an address stands in the URL")
	}
	found, err := s.Users.Audit(r.Context(), f)
	if err != nil {
		return adminTrouble(err)
	}
	page := pages.AdminAudit{Frame: s.adminFrame(v), Rows: auditRows(found.Items), User: f.UserID, Actor: f.Actor, Time: f.Time}
	page.NextURL, page.PreviousURL = s.auditURL(p, found.Cursor), s.auditURL(p, found.Previous)
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

// handleAdminAuditSearch leads to the list that was asked for. Whose address was
// typed in place of an id is looked up; if that is not one user, those that it
// may be are listed.
func (s *Service) handleAdminAuditSearch(w http.ResponseWriter, r *http.Request, v visitor) error {
	p, err := form(w, r)
	if err == nil {
		p, err = auditFilters(p)
	}
	if err != nil {
		return err
	}
	for _, name := range []string{"user", "actor"} {
		address := p.get(name)
		if !strings.Contains(address, "@") {
			continue
		}
		found, err := s.Users.List(r.Context(), usersvc.Filter{Search: address, Limit: 2})
		if err != nil {
			return err
		}
		if len(found.Items) != 1 || !strings.EqualFold(found.Items[0].Email, address) {
			return s.listUsers(w, r, v, usersvc.Filter{Search: address, Limit: pages.AdminRows})
		}
		p[name] = []string{found.Items[0].ID}
	}
	return s.goOn(w, "/admin/audit", p)
}

// auditFilters returns p if it is a filter of the audit trail.
func auditFilters(p params) (params, error) {
	p, err := p.filters("user", "actor", "time", "cursor")
	if err != nil {
		return nil, err
	}
	if !only(p.get("time"), "0123456789-:.TZ") {
		return nil, badFilter("that is not the beginning of a time")
	}
	return p, nil
}

// auditURL is where the list goes on at a cursor; "" if there is none.
func (s *Service) auditURL(p params, cursor string) string {
	if cursor == "" {
		return ""
	}
	values := url.Values(p.given())
	values.Set("cursor", cursor)
	return s.path("/admin/audit?" + values.Encode())
}

func auditRows(entries []usersvc.Entry) []pages.AuditRow {
	var rows []pages.AuditRow
	for _, e := range entries {
		rows = append(rows, pages.AuditRow{At: e.At, Action: string(e.Action), Actor: e.Actor, UserID: e.UserID, App: e.ClientID, Detail: e.Detail, From: e.SourceIP})
	}
	return rows
}

package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// The page on which people see what is kept about them and act on it. GET
// changes nothing; what was done is told by a notice in the URL that the browser
// is sent to, so that reloading and going back repeat nothing.

func (s *Service) accountRoutes(page func(pattern string, h httpx.HandlerFunc)) {
	page("GET /account", s.visited(s.handleAccount))
	page("POST /account", s.visited(s.handleAccountForm))
	page("GET /account/export", s.visited(s.handleAccountExport))
}

// handleAccount shows the account of the visitor.
func (s *Service) handleAccount(w http.ResponseWriter, r *http.Request, v visitor) error {
	p, err := query(r)
	if err != nil {
		return err
	}
	page, err := s.account(r.Context(), v)
	if err != nil {
		return err
	}
	for _, n := range pages.AccountNotices() {
		if string(n) == p.get("notice") {
			page.Notice = n
		}
	}
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

// handleAccountExport answers with everything that is stored about the visitor.
func (s *Service) handleAccountExport(w http.ResponseWriter, r *http.Request, v visitor) error {
	export, err := s.Users.Export(r.Context(), v.user.ID)
	if err != nil {
		return s.accountTrouble(err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="account.json"`)
	return httpx.JSON(w, export)
}

// account is the page about the visitor.
func (s *Service) account(ctx context.Context, v visitor) (pages.Account, error) {
	u := v.user
	page := pages.Account{
		Frame: pages.Frame{Base: s.basePath, Who: displayName(u), Admin: u.HasRole(usersvc.Admin)},
		ID:    u.ID, Name: u.Name, Email: u.Email, EmailVerified: u.EmailVerified, Roles: u.Roles, CreatedAt: u.CreatedAt,
		ConfirmWith: deletionWord(u),
	}
	sessions, err := s.Users.Sessions(ctx, u.ID)
	if err != nil {
		return page, err
	}
	for _, session := range sessions {
		row := s.sessionRow(session, v.session.ID)
		if row.This {
			page.Sessions = append([]pages.SessionRow{row}, page.Sessions...)
			continue
		}
		page.Sessions = append(page.Sessions, row)
	}
	identities, err := s.Users.Identities(ctx, u.ID)
	if err != nil {
		return page, err
	}
	for _, i := range identities {
		page.Identities = append(page.Identities, s.identityRow(i))
	}
	for _, p := range s.Providers { // also those that are linked: people have several accounts at one
		page.Linkable = append(page.Linkable, pages.ProviderLink{ID: p.ID(), Name: p.Name()})
		page.FormActionOrigins = append(page.FormActionOrigins, p.Origin(ctx))
	}
	page.Apps, err = s.apps(ctx, u.ID)
	return page, err
}

// sessionRow shows a session to somebody who is in the session this.
func (s *Service) sessionRow(session usersvc.Session, this string) pages.SessionRow {
	return pages.SessionRow{
		ID: session.ID, This: session.ID == this, UserAgent: session.UserAgent, Provider: s.providerName(session.Provider),
		CreatedAt: session.CreatedAt, LastUsedAt: session.LastUsedAt,
	}
}

// identityRow shows an identity. A provider that is not configured any more is
// shown by where it is.
func (s *Service) identityRow(i usersvc.Identity) pages.IdentityRow {
	row := pages.IdentityRow{ID: i.ID, Provider: s.providerName(i.Provider), Email: i.Email, LinkedAt: i.LinkedAt}
	if row.Provider == "" {
		row.Provider = hostOf(i.Issuer)
	}
	return row
}

// apps are those that the user let have something. One that is not registered
// any more can still be withdrawn.
func (s *Service) apps(ctx context.Context, userID string) ([]pages.AppRow, error) {
	consents, err := s.Users.Consents(ctx, userID)
	if err != nil {
		return nil, err
	}
	var rows []pages.AppRow
	for _, c := range consents {
		row := pages.AppRow{ClientID: c.ClientID, Name: c.ClientID, Scopes: c.Scopes, Since: c.GrantedAt}
		app, err := s.Clients(ctx, c.ClientID)
		switch {
		case err == nil && !c.IsTo(appOf(app)):
			continue // it was to another app, which had the id before
		case err == nil:
			row.Name = app.DisplayName()
		case !errors.Is(err, client.ErrUnknown):
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// deletionWord is what people type to delete their account. It is always
// something that they can read and type.
func deletionWord(u usersvc.User) string {
	if u.Email != "" {
		return u.Email
	}
	return u.ID
}

// accountURL is the account page with a notice.
func (s *Service) accountURL(notice pages.AccountNotice) string {
	if notice == pages.NothingNew {
		return s.url("/account")
	}
	return s.url("/account?" + url.Values{"notice": {string(notice)}}.Encode())
}

package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// The page on which people see what is kept about them and act on it. GET
// changes nothing; a notice in the URL says what was done, which the browser
// is sent to, so that reloading and going back repeat nothing.

func (s *Service) accountRoutes(page func(pattern string, h httpx.HandlerFunc)) {
	page("GET /account", s.visited(s.handleAccount))
	page("POST /account", s.visited(s.handleAccountForm))
	page("GET /account/export", s.visited(s.recently(s.handleAccountExport)))
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
		if host, ok := client.DocumentHost(c.ClientID); ok { // to fetch each document would keep the page waiting
			row.Name = host
			rows = append(rows, row)
			continue
		}
		app, err := s.Clients(ctx, c.ClientID)
		switch {
		case err == nil && !c.IsTo(grant.AppOf(app)):
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

// handleAccountForm does what the visitor asked for on the account page.
func (s *Service) handleAccountForm(w http.ResponseWriter, r *http.Request, v visitor) error {
	p, err := singleForm(w, r)
	if err != nil {
		return err
	}
	if do := p.get("do"); (do == "link" || do == "unlink" || do == "delete") && !s.recent(v.session) {
		return redirect(w, s.url(s.freshLoginFor("/account")))
	}
	switch p.get("do") {
	case "link":
		return s.startLink(w, r, v, p.get("provider"))
	case "delete":
		return s.deleteAccount(w, r, v, p.get("confirm"))
	case "end_session":
		if p.get("session") == v.session.ID {
			return s.leave(w, r, v)
		}
	}
	notice, err := s.changeAccount(r, v, p)
	if err != nil {
		return s.accountTrouble(err)
	}
	return redirect(w, s.accountURL(notice))
}

// changeAccount makes the changes after which the visitor goes on as before. What
// is so already was asked for twice: the notice says that it is done.
func (s *Service) changeAccount(r *http.Request, v visitor, p params) (pages.AccountNotice, error) {
	ctx, id := r.Context(), v.user.ID
	switch p.get("do") {
	case "rename":
		_, err := s.Users.Rename(ctx, v.by, id, p.get("name"), 0)
		return pages.Renamed, err
	case "end_session":
		err := s.Users.EndSessionBy(ctx, v.by, id, p.get("session"))
		if errors.Is(err, usersvc.ErrNoSession) {
			err = nil
		}
		return pages.SessionEnded, err
	case "end_others":
		return pages.OthersEnded, s.Users.EndSessions(ctx, v.by, id, v.session.ID)
	case "unlink":
		_, err := s.Users.Unlink(ctx, v.by, id, p.get("identity"))
		switch {
		case errors.Is(err, usersvc.ErrLastIdentity):
			return pages.LastIdentity, nil
		case errors.Is(err, usersvc.ErrNoIdentity):
			err = nil
		}
		return pages.IdentityUnlinked, err
	case "withdraw":
		return pages.ConsentWithdrawn, s.Users.WithdrawConsent(ctx, v.by, p.get("client"))
	}
	return pages.NothingNew, fail(pages.Failure{Kind: pages.BadRequest}, errors.New("no such form"))
}

// leave ends the visitor's own session.
func (s *Service) leave(w http.ResponseWriter, r *http.Request, v visitor) error {
	err := s.Users.EndSessionBy(r.Context(), v.by, v.user.ID, v.session.ID)
	if err != nil && !errors.Is(err, usersvc.ErrNoSession) {
		return err
	}
	s.setCookie(w, sessionCookie, "", 0)
	s.Pages.Render(w, r, http.StatusOK, s.signedOut(leaving{}, pages.FromHere))
	return nil
}

// deleteAccount erases the visitor, who has to type what the page shows.
func (s *Service) deleteAccount(w http.ResponseWriter, r *http.Request, v visitor, typed string) error {
	if strings.TrimSpace(typed) != deletionWord(v.user) {
		return redirect(w, s.accountURL(pages.NotConfirmed))
	}
	switch err := s.Users.Delete(r.Context(), v.by, v.user.ID); {
	case errors.Is(err, usersvc.ErrLastAdmin):
		return redirect(w, s.accountURL(pages.LastAdminStays))
	case err != nil && !errors.Is(err, usersvc.ErrNotFound):
		return s.accountTrouble(err)
	}
	s.setCookie(w, sessionCookie, "", 0)
	s.setCookie(w, providerCookie, "", 0)
	s.Pages.Render(w, r, http.StatusOK, pages.AccountDeleted{})
	return nil
}

// accountTrouble is the answer to somebody whose session ended, or who was
// suspended or deleted, while they asked: they come back to the page, which asks
// them to sign in. Other errors stay what they are.
func (s *Service) accountTrouble(err error) error {
	for _, gone := range []error{usersvc.ErrNoSession, usersvc.ErrForbidden, usersvc.ErrNotFound} {
		if errors.Is(err, gone) {
			return &detour{to: destination{url: s.url("/account")}, reason: "session_ended", cause: err}
		}
	}
	return err
}

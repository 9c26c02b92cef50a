package loginsvc

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleAccountForm does what the visitor asked for on the account page.
func (s *Service) handleAccountForm(w http.ResponseWriter, r *http.Request, v visitor) error {
	p, err := singleForm(w, r)
	if err != nil {
		return err
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
// is so already was asked for twice, and is told as done.
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
			return &detour{location: s.url("/account"), reason: "session_ended", cause: err}
		}
	}
	return err
}

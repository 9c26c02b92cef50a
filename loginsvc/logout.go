package loginsvc

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// leaving is a request to end a session (RP-Initiated Logout, Section 2).
type leaving struct {
	hint     *token.ID // an ID token that we issued; nil if there is none to trust
	app      client.Client
	known    bool   // app is known
	backURL  string // registered by the app for this; "" if there is none
	state    string
	confirms bool // the form of our own page
	all      bool // of every session of the person
	session  usersvc.Session
	user     usersvc.User
	live     bool // the browser has a session
}

// handleLogout ends the session of the browser. An app that proves by an ID
// token whom it means is obeyed; for anyone else the person is asked, because
// any site can send a browser here.
func (s *Service) handleLogout(w http.ResponseWriter, r *http.Request) error {
	p, err := query(r)
	if r.Method == http.MethodPost {
		p, err = singleForm(w, r)
	}
	if err != nil {
		return err
	}
	if _, ok := p.repeated(); ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("a parameter is repeated"))
	}
	l, err := s.readLeaving(r, p)
	if err != nil {
		return err
	}
	meant := l.hint != nil && (!l.live || l.hint.Subject == l.session.UserID)
	switch {
	case meant || l.confirms && l.live:
		return s.signOut(w, r, l)
	case l.live:
		return s.confirmSignOut(w, r, l)
	}
	s.setCookie(w, sessionCookie, "", 0)
	s.Pages.Render(w, r, http.StatusOK, s.signedOut(l, pages.FromNothing))
	return nil
}

func (s *Service) readLeaving(r *http.Request, p params) (leaving, error) {
	ctx := r.Context()
	l := leaving{state: p.get("state")}
	clientID, bad := p.get("client_id"), false
	if rawHint := p.get("id_token_hint"); rawHint != "" {
		hint, err := s.verifyHint(ctx, rawHint)
		if _, refused := errors.AsType[*token.Refusal](err); err != nil && !refused {
			return l, err
		}
		if bad = err != nil || clientID != "" && clientID != hint.Audience; !bad {
			l.hint, clientID = &hint, hint.Audience
		}
	}
	app, err := s.Clients(ctx, clientID)
	if err != nil && !errors.Is(err, client.ErrUnknown) {
		return l, err
	}
	if err == nil && !bad {
		l.app, l.known = app, true
		if back := p.get("post_logout_redirect_uri"); app.MatchPostLogout(back) {
			l.backURL = back
		}
	}
	l.session, l.user, err = s.session(ctx, r)
	if err != nil && !errors.Is(err, usersvc.ErrNoSession) {
		return l, err
	}
	l.live = err == nil
	l.confirms = r.Method == http.MethodPost && p.get("sign_out") != "" && s.crossOrigin.Check(r) == nil
	l.all = l.confirms && p.get("sign_out") == "everywhere"
	return l, nil
}

// signOut ends the session of the browser, and the one that the hint is of: a
// form on another site does not bring the cookie along. The browser's cookie is
// taken away only after the session has ended.
func (s *Service) signOut(w http.ResponseWriter, r *http.Request, l leaving) error {
	ctx, from := r.Context(), pages.FromHere
	switch by := (usersvc.By{UserID: l.session.UserID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}); {
	case l.all && l.live:
		if err := s.Users.EndSessions(ctx, by, by.UserID, ""); err != nil {
			return err
		}
		from = pages.FromEverywhere
	case l.live:
		if err := s.Users.EndSession(ctx, l.session.UserID, l.session.ID); err != nil {
			return err
		}
	}
	if l.hint != nil && l.hint.SessionID != "" && l.hint.SessionID != l.session.ID {
		if err := s.Users.EndSession(ctx, l.hint.Subject, l.hint.SessionID); err != nil && !errors.Is(err, usersvc.ErrNoSession) {
			return err
		}
	}
	s.setCookie(w, sessionCookie, "", 0)
	if l.backURL != "" {
		return redirect(w, l.back())
	}
	s.Pages.Render(w, r, http.StatusOK, s.signedOut(l, from))
	return nil
}

// back is where the browser goes after the sign-out.
func (l leaving) back() string {
	if l.state == "" || l.backURL == "" {
		return l.backURL
	}
	return addQuery(l.backURL, url.Values{"state": {l.state}})
}

func (s *Service) signedOut(l leaving, from pages.SignedOutFrom) pages.SignedOut {
	page := pages.SignedOut{From: from, SignInURL: s.path("/login"), BackURL: l.back()}
	if l.known {
		page.AppName = l.app.DisplayName()
	}
	return page
}

func (s *Service) confirmSignOut(w http.ResponseWriter, r *http.Request, l leaving) error {
	page := pages.ConfirmSignOut{Who: displayName(l.user), Action: s.path("/logout"), Everywhere: true, StayURL: s.path("/account")}
	if l.known {
		page.AppName = l.app.DisplayName()
		page.Fields = map[string]string{"client_id": l.app.ID}
		if l.backURL != "" {
			page.Fields["post_logout_redirect_uri"], page.Fields["state"] = l.backURL, l.state
			page.FormActionOrigins = []string{originOf(l.backURL)}
		}
	}
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

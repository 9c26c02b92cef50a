package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// leaving is a request to end a session (RP-Initiated Logout, Section 2).
type leaving struct {
	hint     *token.ID // an ID token of a client that we issued; nil if none is valid
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

// handleLogout ends the session of the browser. A client that proves by an ID
// token which user it means is obeyed; otherwise the person is asked, because any
// site can send a browser here. Without the cookie of a session nothing ends,
// whatever the request says: an ID token may be old, and in anyone's hands.
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
	switch {
	case l.live && (l.confirms || l.hint != nil && l.hint.Subject == l.session.UserID):
		return s.signOut(w, r, l)
	case l.live:
		return s.confirmSignOut(w, r, l)
	case r.Method == http.MethodPost && s.cookie(r, sessionCookie) == "":
		// A form on another site sends no SameSite=Lax cookie; the link that it
		// becomes here does.
		return redirect(w, s.url("/logout?"+leavingQuery(p)))
	}
	s.setCookie(w, sessionCookie, "", 0)
	if l.backURL != "" { // the session had ended before
		return redirect(w, l.back())
	}
	s.Pages.Render(w, r, http.StatusOK, s.signedOut(l, pages.FromNothing))
	return nil
}

// leavingQuery is the query of a link that asks for the same as a form of a
// client. The answers of our own page are no part of it.
func leavingQuery(p params) string {
	kept := url.Values{}
	for _, name := range []string{"client_id", "id_token_hint", "post_logout_redirect_uri", "state"} {
		if v := p.get(name); v != "" {
			kept.Set(name, v)
		}
	}
	return kept.Encode()
}

func (s *Service) readLeaving(r *http.Request, p params) (leaving, error) {
	ctx := r.Context()
	l := leaving{state: p.get("state")}
	if err := s.readLeavingClient(ctx, &l, p); err != nil {
		return l, err
	}
	var err error
	l.session, l.user, err = s.session(ctx, r)
	if err != nil && !errors.Is(err, usersvc.ErrNoSession) {
		return l, err
	}
	l.live = err == nil
	l.confirms = r.Method == http.MethodPost && p.get("sign_out") != "" && s.crossOrigin.Check(r) == nil
	l.all = l.confirms && p.get("sign_out") == "everywhere"
	return l, nil
}

// readLeavingClient reads which client asks, by its ID token or its id. An ID
// token that proves nothing is ignored; one of another client than client_id names
// leads nowhere. That of a third-party client counts as long as its user consents.
func (s *Service) readLeavingClient(ctx context.Context, l *leaving, p params) error {
	clientID := p.get("client_id")
	if rawHint := p.get("id_token_hint"); rawHint != "" {
		hint, err := s.verifyHint(ctx, rawHint)
		_, refused := errors.AsType[*token.Refusal](err)
		switch {
		case err != nil && !refused:
			return err
		case err == nil && clientID != "" && clientID != hint.Audience:
			return nil
		case err == nil:
			l.hint, clientID = &hint, hint.Audience
		}
	}
	app, err := s.Clients(ctx, clientID)
	_, unreadable := errors.AsType[*client.DocumentError](err)
	if errors.Is(err, client.ErrUnknown) || unreadable { // the person leaves all the same
		l.hint = nil
		return nil
	}
	if err != nil {
		return err
	}
	l.app, l.known = app, true
	if back := p.get("post_logout_redirect_uri"); app.MatchPostLogout(back) {
		l.backURL = back
	}
	if l.hint != nil && app.ThirdParty {
		consent, err := s.Users.Consent(ctx, l.hint.Subject, grant.AppOf(app))
		if err != nil {
			return err
		}
		if consent.GrantedAt.IsZero() {
			l.hint = nil
		}
	}
	return nil
}

// signOut ends the session of the browser, or all of the person's. The browser's
// cookie is taken away only after the session has ended.
func (s *Service) signOut(w http.ResponseWriter, r *http.Request, l leaving) error {
	ctx, from := r.Context(), pages.FromHere
	if l.all {
		by := usersvc.By{UserID: l.session.UserID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}
		if err := s.Users.EndSessions(ctx, by, by.UserID, ""); err != nil {
			return err
		}
		from = pages.FromEverywhere
	} else if err := s.Users.EndSession(ctx, l.session.UserID, l.session.ID); err != nil {
		return err
	}
	s.setCookie(w, sessionCookie, "", 0)
	if l.backURL != "" {
		return s.sendTo(w, r, l.back())
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
		}
	}
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

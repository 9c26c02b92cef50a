package loginsvc

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleLogin shows the ways to sign in to a person who came without an app.
func (s *Service) handleLogin(w http.ResponseWriter, r *http.Request) error {
	p, err := query(r)
	if err != nil {
		return err
	}
	if _, ok := p.repeated(); ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("a parameter is repeated"))
	}
	what, err := s.purposeOf(r.Context(), atLogin+"?"+url.Values(p).Encode())
	if err != nil {
		return err
	}
	who := ""
	_, user, err := s.session(r.Context(), r)
	switch {
	case err == nil:
		who = displayName(user)
	case !errors.Is(err, usersvc.ErrNoSession):
		return err
	}
	return s.choose(w, r, what, who)
}

// handleLoginChoice carries on with what the person chose on that page.
func (s *Service) handleLoginChoice(w http.ResponseWriter, r *http.Request) error {
	if err := s.crossOrigin.Check(r); err != nil {
		return fail(pages.Failure{Kind: pages.CrossOrigin}, err)
	}
	p, err := singleForm(w, r)
	if err != nil {
		return err
	}
	what, err := s.purposeOf(r.Context(), p.get("request"))
	if err != nil {
		return err
	}
	if p.get("continue") != "" {
		session, user, err := s.session(r.Context(), r)
		if errors.Is(err, usersvc.ErrNoSession) { // it ended while the page was open
			return s.choose(w, r, what, "")
		}
		if err != nil {
			return err
		}
		return s.finish(w, r, what, user, session)
	}
	provider, ok := s.provider(p.get("provider"))
	if !ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("no such provider"))
	}
	return s.toProvider(w, r, provider, what)
}

// choose shows the ways to sign in, the one used last first.
func (s *Service) choose(w http.ResponseWriter, r *http.Request, what purpose, who string) error {
	page := pages.Choose{Request: what.String(), Action: s.path("/login"), ContinueAs: who}
	last := s.cookie(r, providerCookie)
	for _, p := range s.Providers {
		link := pages.ProviderLink{ID: p.ID(), Name: p.Name(), LastUsed: p.ID() == last}
		page.FormActionOrigins = append(page.FormActionOrigins, p.Origin(r.Context()))
		if link.LastUsed {
			page.Providers = append([]pages.ProviderLink{link}, page.Providers...)
			continue
		}
		page.Providers = append(page.Providers, link)
	}
	if what.app != nil {
		page.AppName = what.app.Client.DisplayName()
		page.Next = hostOf(what.app.RedirectURI)
		page.FormActionOrigins = append(page.FormActionOrigins, originOf(what.app.RedirectURI))
	}
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

// toProvider starts a flow and sends the browser to the provider.
func (s *Service) toProvider(w http.ResponseWriter, r *http.Request, p *upstream.Provider, what purpose) error {
	location, err := s.startAt(w, r, p, what)
	if err != nil {
		return err
	}
	return redirect(w, location)
}

// google answers prompt=login with an error, so that asking which account is the
// most that can be asked of it.
const google = "https://accounts.google.com"

// startAt starts a flow at the provider and returns where the browser has to go.
func (s *Service) startAt(w http.ResponseWriter, r *http.Request, p *upstream.Provider, what purpose) (string, error) {
	f, err := s.startFlow(r.Context(), w, r, flow{Provider: p.ID(), Purpose: what})
	if err != nil {
		return "", err
	}
	ask := upstream.Request{State: f.state, Nonce: f.nonce(), Verifier: f.verifier()}
	if req := what.app; req != nil {
		ask.MaxAge, ask.LoginHint = req.MaxAge, req.LoginHint
		switch {
		case req.Prompt.login:
			ask.Prompt, ask.MaxAge = "login", new(int)
			if p.Issuer() == google {
				ask.Prompt = "select_account"
			}
		case req.Prompt.selectAccount:
			ask.Prompt = "select_account"
		}
	}
	location, err := p.AuthURL(r.Context(), ask)
	if err != nil {
		return "", s.providerTrouble(p, what, err)
	}
	return location, nil
}

// providerTrouble is the page for a provider that cannot be used now.
func (s *Service) providerTrouble(p *upstream.Provider, what purpose, err error) error {
	page := pages.Failure{Kind: pages.ProviderFailed, Provider: p.Name(), RestartURL: s.url(what.String())}
	if what.app != nil {
		page.AppName = what.app.Client.DisplayName()
	}
	e := httpx.As(fail(page, err))
	if errors.Is(err, upstream.ErrUnavailable) {
		e.Status, e.RetryAfter = http.StatusServiceUnavailable, time.Second
	}
	return e
}

// finish ends a sign-in with what it was for.
func (s *Service) finish(w http.ResponseWriter, r *http.Request, what purpose, user usersvc.User, session usersvc.Session) error {
	switch {
	case what.app != nil:
		return s.letIn(w, r, what.app, user, session)
	case what.path == atSeed:
		return s.answerSeed(w, r, user, session)
	case what.path == atDevice:
		return redirect(w, s.url(what.String()))
	case what.returnTo != "":
		return redirect(w, s.origin+what.returnTo)
	}
	s.Pages.Render(w, r, http.StatusOK, pages.SignedIn{
		Who: displayName(user), Email: user.Email, Provider: s.providerName(session.Provider),
		AccountURL: s.path("/account"), SignOutURL: s.path("/logout"),
	})
	return nil
}

func displayName(u usersvc.User) string {
	for _, name := range []string{u.Name, u.Email} {
		if name != "" {
			return name
		}
	}
	return u.ID
}

package loginsvc

import (
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleLogin shows the ways to sign in to a person who came without a client.
// With idp_hint it leads to that provider; with continue it goes on with the
// session that the browser has.
func (s *Service) handleLogin(w http.ResponseWriter, r *http.Request) error {
	p, err := query(r)
	if err != nil {
		return err
	}
	if _, ok := p.repeated(); ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("a parameter is repeated"))
	}
	what, err := s.readPurpose(r.Context(), atLogin, p)
	if err != nil {
		return err
	}
	if provider, ok := s.provider(p.get("idp_hint")); ok {
		return s.toProvider(w, r, provider, what)
	}
	session, user, err := s.session(r.Context(), r)
	switch {
	case errors.Is(err, usersvc.ErrNoSession):
		return s.choose(w, r, what, "")
	case err != nil:
		return err
	case what.fresh:
		return s.choose(w, r, what, "")
	case p.get("continue") != "":
		return s.finish(w, r, what, user, session)
	}
	return s.choose(w, r, what, displayName(user))
}

// choose shows the ways to sign in, the one used last first. Each is a link to
// the same request with idp_hint; who is the person whose session would do, or "".
func (s *Service) choose(w http.ResponseWriter, r *http.Request, what purpose, who string) error {
	page := pages.Choose{ContinueAs: who, ContinueURL: s.path(what.goOn()), Again: what.fresh}
	last := s.cookie(r, providerCookie)
	for _, p := range s.Providers {
		link := pages.ProviderLink{Name: p.Name(), URL: s.path(what.at(p.ID())), LastUsed: p.ID() == last}
		if link.LastUsed {
			page.Providers = append([]pages.ProviderLink{link}, page.Providers...)
			continue
		}
		page.Providers = append(page.Providers, link)
	}
	if what.app != nil {
		page.AppName = what.app.Client.DisplayName()
		page.Next = hostOf(what.app.RedirectURI)
	}
	s.Pages.Render(w, r, http.StatusOK, page)
	return nil
}

// toProvider sends the browser to the provider to sign in.
func (s *Service) toProvider(w http.ResponseWriter, r *http.Request, p *upstream.Provider, what purpose) error {
	location, err := s.start(w, r, p, what, s.ask(p, what))
	if err != nil {
		return err
	}
	return s.sendTo(w, r, location)
}

// google answers prompt=login with an error, so that asking which account is the
// most that can be asked of it.
const google = "https://accounts.google.com"

// ask is what the purpose of a sign-in asks of the provider.
func (s *Service) ask(p *upstream.Provider, what purpose) upstream.Request {
	var ask upstream.Request
	req := what.app
	if req != nil {
		ask.MaxAge, ask.LoginHint = req.MaxAge, req.LoginHint
		ask.ACRValues, ask.UILocales = req.kept.Get("acr_values"), req.kept.Get("ui_locales")
	}
	switch {
	case what.fresh || req != nil && req.Prompt.login:
		ask.Prompt, ask.MaxAge = "login", new(int)
		if p.Issuer() == google {
			ask.Prompt = "select_account"
		}
	case req != nil && req.Prompt.selectAccount:
		ask.Prompt = "select_account"
	}
	return ask
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

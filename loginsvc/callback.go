package loginsvc

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleCallback is where a provider sends the browser back (RFC 6749, Section
// 4.1.2), or with response_mode=form_post makes it post. Nothing is done with the
// code until the state has proved which attempt this is and that this browser
// began it at this provider.
func (s *Service) handleCallback(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := query(r)
	if r.Method == http.MethodPost {
		p, err = form(w, r)
	}
	if err != nil {
		return err
	}
	provider, ok := s.provider(r.PathValue("provider"))
	if !ok {
		return fail(pages.Failure{Kind: pages.NotFound}, errors.New("no such provider"))
	}
	if _, ok := p.repeated(); ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("a parameter is repeated"))
	}
	a, err := s.resume(ctx, r, p.get("state"), provider.ID())
	if err != nil {
		return s.flowFailure(a, err)
	}
	// The response of another provider goes no further, code and all (RFC 9207,
	// Section 2.4), and the attempt stays open for the right one.
	if err := provider.CheckIssuer(p.get("iss")); err != nil {
		return fail(pages.Failure{Kind: pages.BadRequest}, err)
	}
	if a.purpose.path == atAccount {
		if r.Method == http.MethodPost {
			return redirect(w, s.callbackURL(provider, p))
		}
		return link{s, provider, a}.finish(w, r, p)
	}
	back := signIn{s, provider, a, metric.FromContext(ctx)}
	if p.get("error") != "" || p.get("code") == "" {
		return back.refusedByProvider(p.get("error"))
	}
	who, err := provider.Exchange(ctx, responseOf(p), a.keys.Nonce, a.keys.Verifier)
	if err != nil {
		return back.exchangeFailed(w, r, err)
	}
	return back.complete(w, r, who)
}

// callbackURL is a posted callback as a link. The session cookie is Lax, so that a
// post from the provider's site does not bring it, and a link of ours does.
func (s *Service) callbackURL(provider *upstream.Provider, p params) string {
	values := url.Values{}
	for _, name := range []string{"state", "code", "iss", "error"} {
		if value := p.get(name); value != "" {
			values.Set(name, value)
		}
	}
	return s.url("/callback/" + provider.ID() + "?" + values.Encode())
}

func responseOf(p params) upstream.Response {
	return upstream.Response{Code: p.get("code"), Issuer: p.get("iss"), User: p.get("user")}
}

// flowFailure is the page for a callback that belongs to no open attempt.
func (s *Service) flowFailure(a attempt, err error) error {
	page := pages.Failure{Kind: pages.LinkExpired, RestartURL: s.url(atLogin)} // which client it was for is unknown
	switch {
	case errors.Is(err, errFlowBrowser):
		page.Kind = pages.CookiesBlocked
	case errors.Is(err, errFlowForeign):
		page.Kind = pages.BadRequest
	case !errors.Is(err, errFlowUnknown) && !errors.Is(err, errFlowUsed) && !errors.Is(err, errFlowExpired):
		return err
	}
	if a.purpose.path != "" {
		page.RestartURL = s.url(a.purpose.String())
	}
	return fail(page, err)
}

// signIn is an attempt to sign in whose browser has come back.
type signIn struct {
	s        *Service
	provider *upstream.Provider
	attempt  attempt
	counted  *metric.Recorder
}

// complete starts a session for the person whom the provider named.
func (b signIn) complete(w http.ResponseWriter, r *http.Request, who upstream.Identity) error {
	s, now := b.s, b.s.now()
	if !b.freshEnough(who.AuthTime) {
		return b.refuse(pages.ProviderFailed, "login_required", "the provider did not ask the user again", errors.New("auth_time is too old"))
	}
	if who.Ignored != "" {
		httpx.Note(r.Context(), "claim_ignored", fmt.Errorf("claim %s of provider %s has a form that does not count", who.Ignored, b.provider.ID()))
	}
	user, session, cookie, err := s.Users.SignIn(r.Context(), profileOf(who), usersvc.SignInInfo{
		UserAgent: r.UserAgent(), SourceIP: httpx.SourceIP(r), AuthTime: who.AuthTime, ACR: who.ACR, AMR: who.AMR,
	}, s.once(b.attempt))
	if errors.Is(err, errFlowUsed) {
		return b.usedBefore(w, r)
	}
	if err != nil {
		return b.signInFailed(err)
	}
	b.count(metric.SignInSuccess)
	// A value that was in the browser before the sign-in is worth nothing after
	// it, so nobody can have planted it (session fixation).
	s.setCookie(w, sessionCookie, cookie, session.ExpiresAt.Sub(now))
	s.setCookie(w, providerCookie, b.provider.ID(), 180*24*time.Hour)
	if app := b.attempt.purpose.app; app != nil && app.expected != "" && app.expected != user.ID {
		return s.tell(app, &authError{"login_required", "another person signed in than the one of id_token_hint"}, nil)
	}
	return s.finish(w, r, b.attempt.purpose, user, session)
}

// usedBefore is the response to a callback that is opened again. A person who came
// without a client and reloads the page sees it again, if they are still signed in.
func (b signIn) usedBefore(w http.ResponseWriter, r *http.Request) error {
	if b.attempt.purpose.path == atLogin {
		session, user, err := b.s.session(r.Context(), r)
		if err == nil {
			return b.s.finish(w, r, b.attempt.purpose, user, session)
		}
		if !errors.Is(err, usersvc.ErrNoSession) {
			return err
		}
	}
	return b.s.flowFailure(b.attempt, errFlowUsed)
}

// freshEnough tells whether the provider asked the user as recently as the app
// wants. A provider that does not tell is believed to have done as it was told.
func (b signIn) freshEnough(authTime time.Time) bool {
	req, fresh := b.attempt.purpose.app, b.attempt.purpose.fresh
	if !fresh && (req == nil || !req.Prompt.login && req.MaxAge == nil) {
		return true
	}
	// The person may have taken a while between the provider's answer and ours.
	oldest := b.attempt.createdAt.Add(-grant.Skew)
	if req != nil && req.MaxAge != nil && !req.Prompt.login {
		oldest = oldest.Add(-time.Duration(*req.MaxAge) * time.Second)
	}
	return !authTime.Before(oldest)
}

// refusedByProvider passes a provider's error on. Its code is translated and its
// description dropped: what another site says is not ours to repeat.
func (b signIn) refusedByProvider(code string) error {
	cause := errors.New("the provider answered with an error")
	switch code {
	case "access_denied":
		return b.refuse(pages.Cancelled, "access_denied", "the sign-in was cancelled", cause)
	case "temporarily_unavailable":
		return b.refuse(pages.ProviderFailed, "temporarily_unavailable", "the provider is out of reach", cause)
	case "login_required", "consent_required", "interaction_required", "account_selection_required": // OpenID Connect Core, Section 3.1.2.6
		return b.refuse(pages.ProviderFailed, code, "the provider wants to ask the person", cause)
	}
	return b.refuse(pages.ProviderFailed, "server_error", "the provider answered with an error", cause)
}

func (b signIn) exchangeFailed(w http.ResponseWriter, r *http.Request, err error) error {
	// The usual reason for a refused code is a callback that is opened again.
	if errors.Is(err, upstream.ErrRefused) {
		used, err := b.s.wasUsed(r.Context(), b.attempt)
		if err != nil {
			return err
		}
		if used {
			return b.usedBefore(w, r)
		}
	}
	switch {
	case errors.Is(err, upstream.ErrUnavailable):
		return b.refuse(pages.ProviderFailed, "temporarily_unavailable", "the provider is out of reach", err)
	case errors.Is(err, upstream.ErrNotAllowed):
		return b.refuse(pages.NotAllowed, "access_denied", "the account is not of the organisation that may sign in", err)
	}
	return b.refuse(pages.ProviderFailed, "access_denied", "the provider's answer cannot be trusted", err)
}

func (b signIn) signInFailed(err error) error {
	switch {
	case errors.Is(err, usersvc.ErrSuspended):
		return b.refuse(pages.Suspended, "access_denied", "this account is suspended", err)
	case errors.Is(err, usersvc.ErrEmailKnown):
		return b.refuse(pages.EmailTaken, "access_denied", "the e-mail address belongs to an account that signs in another way", err)
	case errors.Is(err, usersvc.ErrBadProfile):
		return b.refuse(pages.ProviderFailed, "access_denied", "the provider's answer cannot be trusted", err)
	}
	b.count(metric.SignInFailed)
	return err
}

// refuse ends the sign-in without a session: the app hears code and description,
// or the person sees a page, if there is no app or they can repair it themselves.
func (b signIn) refuse(kind pages.FailureKind, code, description string, cause error) error {
	b.count(outcomeOf(kind))
	page := pages.Failure{Kind: kind, Provider: b.provider.Name(), RestartURL: b.s.url(b.attempt.purpose.String())}
	if app := b.attempt.purpose.app; app != nil {
		refusal := &authError{code, description}
		if kind != pages.EmailTaken {
			return b.s.tell(app, refusal, cause)
		}
		back := b.s.refusal(app, refusal)
		page.AppName, page.BackURL, page.BackFields = app.Client.DisplayName(), back.url, back.fields
	}
	if kind == pages.EmailTaken { // there it can be added, and who is not signed in is asked to first
		page.AccountURL = b.s.path("/account")
	}
	return fail(page, cause)
}

// profileOf is what a provider's ID token says, as the users know it.
func profileOf(who upstream.Identity) usersvc.Profile {
	return usersvc.Profile{
		Issuer: who.Issuer, Subject: who.Subject, Email: who.Email, EmailVerified: who.EmailVerified,
		Name: who.Name, Picture: who.Picture, Provider: who.Provider,
	}
}

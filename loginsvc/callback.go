package loginsvc

import (
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleCallback is where a provider sends the browser back (RFC 6749, Section
// 4.1.2). Nothing is done with the code until the state has proved which sign-in
// this is, that this browser started it, at this provider, and that it was not
// finished before.
func (s *Service) handleCallback(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := query(r)
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
	f, secrets, err := s.readFlow(ctx, r, p.get("state"), provider.ID())
	if err != nil {
		return s.flowFailure(f, err)
	}
	// The answer of another provider stays here, code and all (RFC 9207, Section
	// 2.4), and the sign-in stays open for the right one.
	if err := provider.CheckIssuer(p.get("iss")); err != nil {
		return fail(pages.Failure{Kind: pages.BadRequest}, err)
	}
	if f.Purpose.link != (linking{}) {
		return link{s, provider, f, secrets}.finish(w, r, p)
	}
	if err := s.useFlow(ctx, w, secrets.state); err != nil {
		return s.flowFailure(f, err)
	}
	back := signIn{s, provider, f.Purpose, f, metric.FromContext(ctx)}
	if p.get("error") != "" || p.get("code") == "" {
		return back.refusedByProvider(p.get("error"))
	}
	who, err := provider.Exchange(ctx, upstream.Response{Code: p.get("code"), Issuer: p.get("iss")}, secrets.nonce(), secrets.verifier())
	if err != nil {
		return back.exchangeFailed(err)
	}
	return back.complete(w, r, who)
}

// flowFailure is the page for a callback that belongs to no sign-in under way.
func (s *Service) flowFailure(f flow, err error) error {
	page := pages.Failure{Kind: pages.LinkExpired, RestartURL: s.url("/login")} // which app it was for, nobody knows
	switch {
	case errors.Is(err, errFlowBrowser):
		page.Kind = pages.CookiesBlocked
	case errors.Is(err, errFlowForeign):
		page.Kind = pages.BadRequest
	case !errors.Is(err, errFlowUnknown) && !errors.Is(err, errFlowUsed) && !errors.Is(err, errFlowExpired):
		return err
	}
	if f.Purpose.path != "" {
		page.RestartURL = s.url(f.Purpose.withoutHints().String())
	}
	return fail(page, err)
}

// signIn is a flow whose browser has come back.
type signIn struct {
	s        *Service
	provider *upstream.Provider
	what     purpose
	flow     flow
	counted  *metric.Recorder
}

// complete starts a session for the person whom the provider named.
func (b signIn) complete(w http.ResponseWriter, r *http.Request, who upstream.Identity) error {
	s, now := b.s, b.s.now()
	if !b.freshEnough(who.AuthTime) {
		return b.refuse(pages.ProviderFailed, "login_required", "the provider did not ask the user again", errors.New("auth_time is too old"))
	}
	user, session, cookie, err := s.Users.SignIn(r.Context(), profileOf(who), usersvc.SignInInfo{
		UserAgent: r.UserAgent(), SourceIP: httpx.SourceIP(r), AuthTime: who.AuthTime,
	})
	if err != nil {
		return b.signInFailed(err)
	}
	b.count(metric.SignInSuccess)
	// A value that was in the browser before the sign-in is worth nothing after
	// it, so nobody can have planted it (session fixation).
	s.setCookie(w, sessionCookie, cookie, session.ExpiresAt.Sub(now))
	s.setCookie(w, providerCookie, b.provider.ID(), 180*24*time.Hour)
	return s.finish(w, r, b.what, user, session)
}

// freshEnough tells whether the provider asked the user as recently as the app
// wants. A provider that does not tell is believed to have done as it was told.
func (b signIn) freshEnough(authTime time.Time) bool {
	req := b.what.app
	if req == nil || !req.Prompt.login && req.MaxAge == nil {
		return true
	}
	// The person may have taken a while between the provider's answer and ours.
	oldest := b.flow.CreatedAt.Add(-skew)
	if req.MaxAge != nil && !req.Prompt.login {
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
	}
	return b.refuse(pages.ProviderFailed, "server_error", "the provider answered with an error", cause)
}

func (b signIn) exchangeFailed(err error) error {
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
// or the person sees a page, if there is no app or they can mend it themselves.
func (b signIn) refuse(kind pages.FailureKind, code, description string, cause error) error {
	b.count(outcomeOf(kind))
	page := pages.Failure{Kind: kind, Provider: b.provider.Name(), RestartURL: b.s.url(b.what.String())}
	if app := b.what.app; app != nil {
		refusal := &authError{code, description}
		if kind != pages.EmailTaken {
			return b.s.tell(app, refusal, cause)
		}
		page.AppName, page.BackURL = app.Client.DisplayName(), b.s.refusal(app, refusal)
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

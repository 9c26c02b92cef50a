package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleAuthorize is the authorization endpoint (OAuth 2.1, Section 4.1.1).
func (s *Service) handleAuthorize(w http.ResponseWriter, r *http.Request) error {
	p, err := query(r)
	if r.Method == http.MethodPost {
		p, err = form(w, r)
	}
	if err != nil {
		return err
	}
	req, err := s.authRequest(r.Context(), p)
	if refusal, ok := errors.AsType[*authError](err); ok {
		return s.refuseRequest(r, req, refusal)
	}
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		// A form on another site sends no SameSite=Lax cookie; the link that it
		// becomes here does, so that a session counts for both.
		return redirect(w, s.url(purpose{path: atAuthorize, app: req}.String()))
	}
	return s.authorize(w, r, req)
}

// authRequest returns the authorization request in p. Unless the error is an
// [authError], the app must not hear of it: whose redirect URI it is has not
// been proved (OAuth 2.1, Section 4.1.2.1).
func (s *Service) authRequest(ctx context.Context, p params) (*authRequest, error) {
	if p.twice("client_id") {
		return nil, fail(pages.Failure{Kind: pages.UnknownClient}, errors.New("client_id is repeated"))
	}
	c, err := s.Clients(ctx, p.get("client_id"))
	if _, bad := errors.AsType[*client.DocumentError](err); errors.Is(err, client.ErrUnknown) && !bad {
		return nil, fail(pages.Failure{Kind: pages.UnknownClient}, err)
	}
	if err != nil {
		return nil, err
	}
	if p.twice("redirect_uri") || !c.MatchRedirectURI(p.get("redirect_uri")) {
		return nil, fail(pages.Failure{Kind: pages.BadRedirect, AppName: c.DisplayName()}, errors.New("redirect_uri is not registered"))
	}
	return parseAuthRequest(p, c, s.Audience)
}

// authorize answers a valid request: with a code if the browser has a session
// that will do, else by a sign-in.
func (s *Service) authorize(w http.ResponseWriter, r *http.Request, req *authRequest) error {
	ctx := r.Context()
	session, user, err := s.session(ctx, r)
	live := err == nil
	if err != nil && !errors.Is(err, usersvc.ErrNoSession) {
		return err
	}
	what := purpose{path: atAuthorize, app: req}
	req.expected = s.expectedUser(ctx, req)
	expected := live && (req.IDTokenHint == "" || req.expected == session.UserID)
	switch {
	case expected && req.satisfiedBy(session.AuthTime, s.now()):
		return s.letIn(w, r, req, user, session)
	case req.Prompt.none:
		// "The Authorization Server MUST NOT display any authentication or
		// consent user interface pages." (OpenID Connect Core, Section 3.1.2.1)
		return s.tell(req, &authError{"login_required", "there is no session that will do"}, nil)
	}
	if p, ok := s.provider(req.IDPHint); ok {
		return s.toProvider(w, r, p, what)
	}
	if len(s.Providers) == 1 && !(live && req.Prompt.selectAccount) {
		return s.toProvider(w, r, s.Providers[0], what)
	}
	who := ""
	if chosen := *req; expected { // would it do if the person chose it?
		chosen.Prompt.selectAccount = false
		if chosen.satisfiedBy(session.AuthTime, s.now()) {
			who = displayName(user)
		}
	}
	return s.choose(w, r, what, who)
}

// refuseRequest tells the app that its request is wrong. A browser without a
// session is not sent to somebody else's app for that: a link to us would be a
// link to them (RFC 9700, Section 4.11.2).
func (s *Service) refuseRequest(r *http.Request, req *authRequest, refusal *authError) error {
	if req.Client.ThirdParty {
		if _, _, err := s.session(r.Context(), r); err != nil {
			return fail(pages.Failure{Kind: pages.BadRequest, AppName: req.Client.DisplayName()}, refusal)
		}
	}
	return s.tell(req, refusal, nil)
}

// expectedUser returns the id of the user whom the client's id_token_hint names,
// or "".
func (s *Service) expectedUser(ctx context.Context, req *authRequest) string {
	if req.IDTokenHint == "" {
		return ""
	}
	hint, err := s.verifyHint(ctx, req.IDTokenHint)
	if err != nil || hint.Audience != req.Client.ID {
		return ""
	}
	return hint.Subject
}

// verifyHint returns what an id_token_hint says. It need not be current, and its key
// may have retired.
func (s *Service) verifyHint(ctx context.Context, rawToken string) (token.ID, error) {
	return token.VerifyID(ctx, rawToken, s.hintKeyFunc(), token.Expect{
		Issuer: s.Issuer, Now: s.now(), InsecureAllowExpired: true, InsecureAnyAudience: true,
	})
}

// issueCode sends the browser back to the app with a code, which is granted under
// the user's consent with the id; "" if the app needs none.
func (s *Service) issueCode(w http.ResponseWriter, r *http.Request, req *authRequest, session usersvc.Session, consentID string) error {
	now := s.now()
	rawCode, err := s.grants.PutCode(r.Context(), grant.Code{
		Approval: grant.Approval{
			UserID: session.UserID, SessionID: session.ID, AuthTime: session.AuthTime, Scopes: req.Scopes, Audiences: s.rememberedAudiences(req.Audiences), Nonce: req.Nonce,
			Consent: consentID,
		},
		Client: req.Client.Ref(), RedirectURI: req.RedirectURI, Challenge: req.Challenge, CreatedAt: now, ExpiresAt: now.Add(s.codeTTL),
	})
	if err != nil {
		return err
	}
	return s.deliver(w, r, s.response(req, url.Values{"code": {rawCode}}))
}

// response is an authorization response. Every one carries its issuer (RFC 9207,
// Section 2), and the state as it came.
func (s *Service) response(req *authRequest, values url.Values) destination {
	values.Set("iss", s.Issuer)
	if req.State != "" {
		values.Set("state", req.State)
	}
	if !req.FormPost {
		return destination{url: addQuery(req.RedirectURI, values)}
	}
	fields := map[string]string{}
	for name := range values {
		fields[name] = values.Get(name)
	}
	return destination{url: req.RedirectURI, fields: fields}
}

// destination is where a response takes the browser.
type destination struct {
	url    string
	fields map[string]string // to post there (OAuth 2.0 Form Post Response Mode); nil: a redirect
}

// deliver sends the browser to a destination.
func (s *Service) deliver(w http.ResponseWriter, r *http.Request, to destination) error {
	if to.fields == nil {
		return s.sendTo(w, r, to.url)
	}
	s.Pages.Render(w, r, http.StatusOK, pages.Onward{URL: to.url, Fields: to.fields})
	return nil
}

// sendTo sends the browser to an address that can be another site's. After a form
// it does so by a page: browsers hold every redirect after a form against the
// form-action of the form's page, which is 'self' alone. Forms to /authorize are
// not ours: their page has a policy of its own, and programs read the redirect.
func (s *Service) sendTo(w http.ResponseWriter, r *http.Request, location string) error {
	if r.Method != http.MethodPost || r.Pattern == atAuthorize || strings.HasPrefix(location, s.url("/")) {
		return redirect(w, location)
	}
	s.Pages.Render(w, r, http.StatusOK, pages.Onward{URL: location})
	return nil
}

// redirect sends the browser on. Always with 303, so that a form is not posted
// again elsewhere (RFC 9700, Section 4.12).
func redirect(w http.ResponseWriter, location string) error {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

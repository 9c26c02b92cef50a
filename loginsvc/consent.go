package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// letIn sends the browser back to the app with a code, once its user has agreed
// where that is needed.
func (s *Service) letIn(w http.ResponseWriter, r *http.Request, req *authRequest, user usersvc.User, session usersvc.Session) error {
	asks, consentID, err := s.asksConsent(r.Context(), req, user.ID)
	switch {
	case err != nil:
		return err
	case !asks:
		return s.issueCode(w, r, req, session, consentID)
	case req.Prompt.none:
		return s.tell(req, &authError{"consent_required", "the user has not agreed to this"}, nil)
	}
	s.Pages.Render(w, r, http.StatusOK, pages.Consent{
		AppName: req.Client.DisplayName(), Host: unverifiedHost(req), Local: client.OnThisComputer(req.RedirectURI), Next: hostOf(req.RedirectURI), Who: displayName(user), Scopes: scopesOf(req.Scopes), APIs: s.resourceNames(req.Audiences),
		// The person who answers must be the one who was asked, in the same browser. It does not
		// have the session's cookie yet if they have just signed in.
		Request: purpose{path: atAuthorize, app: req}.String() + "&" + url.Values{"consent_in": {session.ID}}.Encode(), Action: s.path("/consent"),
	})
	return nil
}

// asksConsent tells whether the user has to be asked: for somebody else's app
// until they have agreed to all of it, and for any app that wants them asked. If
// they have agreed already, it returns the id of that consent.
func (s *Service) asksConsent(ctx context.Context, req *authRequest, userID string) (asks bool, consentID string, err error) {
	if req.Prompt.consent || !req.Client.ThirdParty {
		return req.Prompt.consent, "", nil
	}
	if unverifiedHost(req) != "" && !goesToOneHost(req) {
		return true, "", nil
	}
	given, err := s.Users.Consent(ctx, userID, grant.AppOf(req.Client))
	return given.GrantedAt.IsZero() || !given.Covers(req.Scopes), given.ID(), err
}

// unverifiedHost is what proves a client that nobody registered: the host of its
// metadata document, or else where its code goes, which is a scheme for an app on the
// person's device. It is "" for all others.
func unverifiedHost(req *authRequest) string {
	if !req.Client.Self {
		return req.Client.DocumentHost
	}
	if host := hostOf(req.RedirectURI); host != "" {
		return host
	}
	scheme, _, _ := strings.Cut(req.RedirectURI, ":")
	return scheme + ":"
}

// goesToOneHost tells whether the host that a person saw and trusted gets every code of
// a client that nobody registered. Any program on a device can say that it is the client
// (RFC 8252, Section 8.6), and a client that registered itself can have redirect URIs on
// other hosts than the one that it showed.
func goesToOneHost(req *authRequest) bool {
	host := hostOf(req.RedirectURI)
	if host == "" || client.OnThisComputer(req.RedirectURI) {
		return false
	}
	return !req.Client.Self || !slices.ContainsFunc(req.Client.RedirectURIs, func(uri string) bool { return hostOf(uri) != host })
}

// handleConsent carries on with what the user answered.
func (s *Service) handleConsent(w http.ResponseWriter, r *http.Request) error {
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
	if what.app == nil {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("consent to nothing"))
	}
	session, user, err := s.session(r.Context(), r)
	asked := askedIn(p.get("request"))
	switch {
	case errors.Is(err, usersvc.ErrNoSession): // it ended while the page was open
		return s.choose(w, r, what, "")
	case err != nil:
		return err
	case asked != session.ID: // another sign-in came between
		return s.letIn(w, r, what.app, user, session)
	case p.get("consent") != "allow":
		return s.tell(what.app, &authError{"access_denied", "the user refused"}, nil)
	}
	consentID := ""
	if what.app.Client.ThirdParty {
		by := usersvc.By{UserID: user.ID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}
		given, err := s.Users.GiveConsent(r.Context(), by, grant.AppOf(what.app.Client), what.app.Scopes)
		if err != nil {
			return err
		}
		consentID = given.ID()
	}
	return s.issueCode(w, r, what.app, session, consentID)
}

// askedIn returns the id of the session that the consent page asked, which
// letIn has added to the text of the request.
func askedIn(request string) string {
	_, rawQuery, _ := strings.Cut(request, "?")
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return ""
	}
	return values.Get("consent_in")
}

func scopesOf(names []string) []pages.Scope {
	var scopes []pages.Scope
	for _, name := range names {
		scopes = append(scopes, pages.Scope{Name: name})
	}
	return scopes
}

package loginsvc

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleSeedLogin starts a sign-in whose result is a token in the body of the
// answer, for people with a terminal and for first tries. A program that asks
// for JSON learns where to go; a browser goes there.
func (s *Service) handleSeedLogin(w http.ResponseWriter, r *http.Request) error {
	if !s.LegacyLogin {
		return fail(pages.Failure{Kind: pages.NotFound}, errors.New("legacy_login is not set in gatehouse.yml"))
	}
	p, err := query(r)
	if err != nil {
		return err
	}
	if len(s.Providers) == 0 {
		return fail(pages.Failure{Kind: pages.NotFound}, errors.New("no provider is configured"))
	}
	provider := s.Providers[0]
	if id := p.get("provider"); id != "" {
		known := false
		if provider, known = s.provider(id); !known || p.twice("provider") {
			return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("no such provider"))
		}
	}
	location, err := s.start(w, r, provider, purpose{path: atSeed}, upstream.Request{})
	if err != nil {
		return err
	}
	if !wantsJSON(r) {
		return redirect(w, location)
	}
	return httpx.JSON(w, struct {
		Message string `json:"message"`
		URL     string `json:"url"`
	}{fmt.Sprintf("Authorization from %s required", provider.Name()), location})
}

// answerSeed ends such a sign-in. The token stands in the body and never in a
// URL, and only the browser that started gets here. It is shown to a person and
// easily copied on, so it never has the role admin.
func (s *Service) answerSeed(w http.ResponseWriter, r *http.Request, user usersvc.User, session usersvc.Session) error {
	answer, err := s.issueInSession(r.Context(), issuance{
		client: client.Client{ID: client.HouseID}, audience: s.Audience, user: user, session: session.ID, authTime: session.AuthTime,
		shown: true, scopes: []string{scopeOpenID, scopeProfile, scopeEmail},
	})
	if errors.Is(err, usersvc.ErrNoSession) {
		return fail(pages.Failure{Kind: pages.LinkExpired, RestartURL: s.url("/users/login")}, err)
	}
	if err != nil {
		return err
	}
	return httpx.JSON(w, struct {
		Message string `json:"message"`
		JWT     string `json:"jwt"`
	}{"Authorization Success!", answer.AccessToken})
}

package loginsvc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// issueToClient gives a client a token of its own (OAuth 2.1, Section 4.2): it
// has no user, no session and no roles, and its subject is the client.
func (s *Service) issueToClient(w http.ResponseWriter, r *http.Request, c client.Client, p params) error {
	// "The client credentials grant type MUST only be used by confidential
	// clients." A client called like a user could pass for them (RFC 9068,
	// Section 5).
	if c.Public() || !c.MayUse(client.GrantClientCredentials) || strings.HasPrefix(c.ID, "u_") {
		return unauthorizedClient()
	}
	audience, err := s.audienceFor(p, c, c.AllowedAudiences(s.Audience))
	if err != nil {
		return err
	}
	scopes, err := machineScopes(p.get("scope"), c)
	if err != nil {
		return err
	}
	key, err := s.signingKey(r.Context())
	if err != nil {
		return err
	}
	now := s.now()
	answer := s.answer(c, scopes)
	answer.AccessToken, err = token.Access{
		Issuer: s.Issuer, Subject: c.ID, Audience: audience, ClientID: c.ID, Scopes: scopes, IssuedAt: now, ExpiresAt: now.Add(s.lifetimes(c).AccessToken),
	}.Sign(r.Context(), key)
	if err != nil {
		return err
	}
	return httpx.JSON(w, answer)
}

// machineScopes are the scopes that value asks for, or all that the client may
// have. None of them is about a user.
func machineScopes(value string, c client.Client) ([]string, error) {
	aboutUsers := []string{scopeOpenID, scopeProfile, scopeEmail, scopeOffline}
	allowed := slices.DeleteFunc(slices.Clone(c.AllowedScopes()), func(scope string) bool { return slices.Contains(aboutUsers, scope) })
	if value == "" {
		return allowed, nil
	}
	scopes, _, err := narrow(value, allowed)
	return scopes, err
}

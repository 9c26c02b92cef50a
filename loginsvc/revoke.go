package loginsvc

import (
	"context"
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleRevoke is the revocation endpoint (RFC 7009). Revoking a token, of either
// kind, ends what its client holds in its session: refresh tokens and access
// tokens. It ends nothing of other clients, and nothing in other sessions.
//
// A token_type_hint is not needed: the kinds of tokens look different.
func (s *Service) handleRevoke(w http.ResponseWriter, r *http.Request) error {
	p, c, err := s.clientForm(w, r)
	if err != nil {
		return err
	}
	rawToken := p.get("token")
	if rawToken == "" {
		return invalidRequest("token is missing")
	}
	if presented, ok := grant.ParseRefreshToken(rawToken); ok {
		err = s.revokeFamily(r.Context(), c, presented)
	} else {
		err = s.revokeAccess(r.Context(), c, rawToken)
	}
	if err != nil {
		return err
	}
	// JSON, because some clients throw at any other type, and read no body.
	return httpx.JSON(w, struct{}{})
}

// revokeFamily ends the family of a token of c. "invalid tokens do not cause an
// error response" (RFC 7009, Section 2.2).
func (s *Service) revokeFamily(ctx context.Context, c client.Client, presented grant.RefreshToken) error {
	f, err := s.grants.Family(ctx, presented)
	switch {
	case errors.Is(err, grant.ErrFamilyUnknown):
		return nil
	case err != nil:
		return err
	case f.Client != c.Ref():
		return foreignToken()
	}
	// Any token of the family will do, also an old one.
	return s.grants.EndClientInSession(ctx, f.UserID, f.SessionID, f.Client)
}

func (s *Service) revokeAccess(ctx context.Context, c client.Client, rawToken string) error {
	access, err := s.verifyAccess(ctx, rawToken)
	if _, refused := errors.AsType[*token.Refusal](err); refused {
		return nil
	}
	switch {
	case err != nil:
		return err
	case access.ClientID != c.ID:
		return foreignToken()
	}
	_, err = s.Users.Live(ctx, tokensOf(access), access.IssuedAt)
	if errors.Is(err, usersvc.ErrNoSession) {
		return nil // it is dead, and ends nothing more
	}
	if err != nil {
		return err
	}
	if access.SessionID == "" { // of the client itself
		return s.Users.Revoke(ctx, usersvc.Tokens{Subject: c.ID})
	}
	return s.grants.EndClientInSession(ctx, access.Subject, access.SessionID, c.Ref())
}

func foreignToken() error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_grant", Detail: "the token was not issued to this client"}
}

package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// introspection is what a client learns about a token (RFC 7662, Section 2.2). The
// zero value says that it is not active, and nothing else.
type introspection struct {
	Active    bool   `json:"active"`
	TokenType string `json:"token_type,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Scope     string `json:"scope,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"`
	ID        string `json:"jti,omitempty"`
}

// handleIntrospect tells a confidential client whether a token of its own, or an
// access token for an API that it serves, is good at this moment (RFC 7662). A
// public client could be anyone, who could try
// tokens here until one is good.
func (s *Service) handleIntrospect(w http.ResponseWriter, r *http.Request) error {
	p, c, err := s.clientForm(w, r)
	if err != nil {
		return err
	}
	if c.Public() {
		return invalidClient(w, false, errors.New("introspection by a public client"))
	}
	rawToken := p.get("token")
	if rawToken == "" {
		return invalidRequest("token is missing")
	}
	var answer introspection
	if presented, ok := grant.ParseRefreshToken(rawToken); ok {
		answer, err = s.introspectRefresh(r.Context(), c, presented)
	} else {
		answer, err = s.introspectAccess(r.Context(), c, rawToken)
	}
	if err != nil {
		return err
	}
	return httpx.JSON(w, answer)
}

func (s *Service) introspectAccess(ctx context.Context, c client.Client, rawToken string) (introspection, error) {
	access, err := s.verifyAccess(ctx, rawToken)
	if _, refused := errors.AsType[*token.Refusal](err); refused {
		return introspection{}, nil
	}
	if err != nil || access.ClientID != c.ID && !slices.Contains(c.Serves, access.Audience) {
		return introspection{}, err
	}
	if _, err := s.Users.Live(ctx, tokensOf(access), access.IssuedAt); err != nil {
		return introspection{}, unlessEnded(err)
	}
	return introspection{
		Active: true, TokenType: "Bearer", Issuer: access.Issuer, Subject: access.Subject, Audience: access.Audience, ClientID: access.ClientID,
		Scope: strings.Join(access.Scopes, " "), IssuedAt: access.IssuedAt.Unix(), ExpiresAt: access.ExpiresAt.Unix(), ID: access.ID,
	}, nil
}

func (s *Service) introspectRefresh(ctx context.Context, c client.Client, presented grant.RefreshToken) (introspection, error) {
	f, err := s.grants.Family(ctx, presented)
	if errors.Is(err, grant.ErrFamilyUnknown) {
		return introspection{}, nil
	}
	now := s.now()
	if err != nil || f.Client != c.Ref() || f.Shortened(s.lifetimes(c)).Live(now) != nil || f.Use(presented, now, c.Grace(s.refreshGrace)) > grant.Repeats {
		return introspection{}, err
	}
	if _, _, err := s.Users.SessionByID(ctx, f.UserID, f.SessionID); err != nil {
		return introspection{}, unlessEnded(err)
	}
	if c.ThirdParty {
		consent, err := s.Users.Consent(ctx, f.UserID, grant.AppOf(c))
		if err != nil || !consent.Stands(grant.AppOf(c), f.Scopes, f.Under()) {
			return introspection{}, err
		}
	}
	return introspection{
		Active: true, Issuer: s.Issuer, Subject: f.UserID, ClientID: c.ID, Scope: strings.Join(f.Scopes, " "),
		IssuedAt: f.RotatedAt.Unix(), ExpiresAt: f.Shortened(s.lifetimes(c)).IdleUntil.Unix(),
	}, nil
}

// unlessEnded is err, unless it says that the session has ended.
func unlessEnded(err error) error {
	if errors.Is(err, usersvc.ErrNoSession) {
		return nil
	}
	return err
}

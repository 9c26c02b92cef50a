package loginsvc

import (
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleToken is the token endpoint (OAuth 2.1, Section 3.2). It reads no
// cookie, and no parameter but those of the body.
func (s *Service) handleToken(w http.ResponseWriter, r *http.Request) error {
	p, err := singleForm(w, r)
	if err != nil {
		return err
	}
	c, err := s.authenticate(w, r, p)
	if err != nil {
		return err
	}
	switch p.get("grant_type") {
	case "":
		return invalidRequest("grant_type is missing")
	case client.GrantCode:
		return s.redeemCode(w, r, c, p)
	}
	return &httpx.Error{Status: http.StatusBadRequest, Code: "unsupported_grant_type", Detail: "the grant type is not supported"}
}

// redeemCode answers a code with tokens (OAuth 2.1, Section 4.1.3). The tokens
// are signed before the code is spent, so that a key out of reach costs nobody
// their sign-in, and leave only if spending it succeeds.
func (s *Service) redeemCode(w http.ResponseWriter, r *http.Request, c client.Client, p params) error {
	ctx, now := r.Context(), s.now()
	if !c.MayUse(client.GrantCode) {
		return unauthorizedClient()
	}
	rawCode, verifier := p.get("code"), p.get("code_verifier")
	if rawCode == "" || verifier == "" {
		return invalidRequest("code or code_verifier is missing")
	}
	granted, err := readCode(ctx, s.Table, rawCode)
	if err != nil {
		return invalidGrantIf(err, errCodeUnknown)
	}
	switch {
	case granted.ClientID != c.ID:
		return invalidGrant(errors.New("code of another client"))
	case p.get("redirect_uri") != "" && p.get("redirect_uri") != granted.RedirectURI:
		return invalidGrant(errors.New("redirect_uri is not that of the authorization request"))
	}
	if err := granted.live(now); err != nil {
		return invalidGrant(err)
	}
	if !isVerifier(verifier) || !same(challengeOf(verifier), granted.Challenge) {
		if err := blame(ctx, s.Table, rawCode); err != nil {
			return err
		}
		return invalidGrant(errors.New("wrong code_verifier"))
	}
	session, user, err := s.Users.SessionByID(ctx, granted.UserID, granted.SessionID)
	if err != nil {
		return invalidGrantIf(err, usersvc.ErrNoSession)
	}
	answer, err := s.issue(ctx, grant{
		client: c.ID, user: user, session: session.ID, authTime: granted.AuthTime, scopes: granted.Scopes,
		nonce: granted.Nonce, withID: true,
	}, now)
	if err != nil {
		return err
	}
	if err := s.Table.Write(ctx, spend(rawCode, "")); err != nil {
		return invalidGrantIf(err, table.ErrConditionFailed)
	}
	return httpx.JSON(w, answer)
}

// invalidGrantIf makes an invalid_grant of err if it is about the grant, and
// leaves any other trouble as it is.
func invalidGrantIf(err, target error) error {
	if errors.Is(err, target) {
		return invalidGrant(err)
	}
	return err
}

func unauthorizedClient() error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "unauthorized_client", Detail: "the client is not registered for this grant type"}
}

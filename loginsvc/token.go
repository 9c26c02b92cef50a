package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

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
	case client.GrantRefresh:
		return s.renew(w, r, c, p)
	case client.GrantClientCredentials:
		return s.issueToClient(w, r, c, p)
	}
	return &httpx.Error{Status: http.StatusBadRequest, Code: "unsupported_grant_type", Detail: "the grant type is not supported"}
}

// redeemCode answers a code with tokens (OAuth 2.1, Section 4.1.3).
func (s *Service) redeemCode(w http.ResponseWriter, r *http.Request, c client.Client, p params) error {
	ctx, now := r.Context(), s.now()
	if !c.MayUse(client.GrantCode) {
		return unauthorizedClient()
	}
	if err := s.checkResource(p); err != nil {
		return err
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
	if err := s.checkLive(ctx, granted, now); err != nil {
		return err
	}
	if !isVerifier(verifier) || !same(challengeOf(verifier), granted.Challenge) {
		if err := blame(ctx, s.Table, rawCode); err != nil {
			return err
		}
		return invalidGrant(errors.New("wrong code_verifier"))
	}
	for range attempts {
		answer, err := s.redeemOnce(ctx, c, granted, rawCode, now)
		if err == nil {
			return httpx.JSON(w, answer)
		}
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return httpx.Unavailable(errChanged)
}

// checkLive refuses a code that is not live. One that comes a second time has
// been seen by two, so that what the first got ends, too (OAuth 2.1, Section
// 4.1.3).
func (s *Service) checkLive(ctx context.Context, granted code, now time.Time) error {
	err := granted.live(now)
	if err == nil {
		return nil
	}
	if granted.Spent && granted.Family != "" {
		if err := s.endFamily(ctx, granted.UserID, granted.Family); err != nil {
			return err
		}
	}
	return invalidGrant(err)
}

// redeemOnce signs the tokens of a code before it is spent, so that a key out of
// reach costs nobody their sign-in. They leave only if spending it succeeds.
func (s *Service) redeemOnce(ctx context.Context, c client.Client, granted code, rawCode string, now time.Time) (tokenResponse, error) {
	session, user, err := s.Users.SessionByID(ctx, granted.UserID, granted.SessionID)
	if err != nil {
		return tokenResponse{}, invalidGrantIf(err, usersvc.ErrNoSession)
	}
	answer, err := s.issue(ctx, grant{
		client: c.ID, user: user, session: session.ID, authTime: granted.AuthTime, scopes: granted.Scopes,
		nonce: granted.Nonce, withID: true,
	}, now)
	if err != nil {
		return tokenResponse{}, err
	}
	writes := []table.Write{spend(rawCode, "")}
	if slices.Contains(granted.Scopes, scopeOffline) {
		f, first := s.newFamily(c, granted, user, session, now)
		answer.RefreshToken = first.text()
		writes = append([]table.Write{spend(rawCode, f.ID), table.Put(f.item()).If(table.NotExists{})},
			stillGranted(c, user.ID, session.ID, user.Version)...)
	}
	err = s.Table.Write(ctx, writes...)
	failed, conflict := errors.AsType[*table.ConditionError](err)
	switch {
	case conflict && slices.Contains(failed.Failed, 4):
		return tokenResponse{}, invalidGrant(errConsent)
	case conflict && !slices.Contains(failed.Failed, 0):
		return tokenResponse{}, errChanged // user or session, and not the code
	}
	return answer, invalidGrantIf(err, table.ErrConditionFailed)
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

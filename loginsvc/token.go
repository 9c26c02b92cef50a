package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// handleToken is the token endpoint (OAuth 2.1, Section 3.2). It reads no
// cookie, and no parameter but those of the body.
func (s *Service) handleToken(w http.ResponseWriter, r *http.Request) error {
	p, c, err := s.clientForm(w, r)
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
	case client.GrantDevice:
		return s.redeemDevice(w, r, c, p)
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
	rawCode, verifier := p.get("code"), p.get("code_verifier")
	if rawCode == "" || verifier == "" {
		return invalidRequest("code or code_verifier is missing")
	}
	granted, err := readCode(ctx, s.Table, rawCode)
	if err != nil {
		return invalidGrantIf(err, errCodeUnknown)
	}
	switch {
	case granted.Client != c.Ref():
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
	audience, err := s.audienceFor(p, c, granted.Audiences)
	if err != nil {
		return err
	}
	return s.redeem(w, r, c, granted.approval, audience, func(family string) table.Write { return spend(rawCode, family) }, now)
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

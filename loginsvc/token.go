package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
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
	if rawCode == "" || verifier == "" && c.NeedsChallenge(true) {
		return invalidRequest("code or code_verifier is missing")
	}
	granted, err := s.grants.Code(ctx, rawCode)
	if err != nil {
		return invalidGrantIf(err, grant.ErrCodeUnknown)
	}
	switch {
	case granted.Client != c.Ref():
		return invalidGrant(errors.New("code of another client"))
	case p.get("redirect_uri") != "" && p.get("redirect_uri") != granted.RedirectURI:
		return invalidGrant(errors.New("redirect_uri is not that of the authorization request"))
	}
	if err := s.checkLive(ctx, c, granted, now); err != nil {
		return err
	}
	if !proves(verifier, granted, c) {
		if err := s.grants.CountFailedVerifier(ctx, granted); err != nil {
			return err
		}
		return invalidGrant(errors.New("wrong code_verifier"))
	}
	audience, err := s.audienceFor(p, c, granted.Audiences)
	if err != nil {
		return err
	}
	if err := s.registry().Keep(r.Context(), c); err != nil {
		return invalidGrantIf(err, client.ErrUnknown)
	}
	err = s.redeem(w, r, c, granted.Approval, audience, granted.Spend, now)
	if errors.Is(err, grant.ErrSpent) { // another request was first: see checkLive
		return s.redeemCode(w, r, c, p)
	}
	return err
}

// proves tells whether the verifier is that of the code. A code without a challenge
// has none: "the authorization server MUST [...] reject" one that comes nevertheless,
// because somebody has taken the challenge out of the request (RFC 9700, Section
// 4.8.2); and its client must still be one that needs no challenge.
func proves(verifier string, granted grant.Code, c client.Client) bool {
	if granted.Challenge == "" {
		openID := granted.Nonce != "" && slices.Contains(granted.Scopes, scopeOpenID)
		return verifier == "" && !c.NeedsChallenge(openID)
	}
	return isVerifier(verifier) && grant.EqualConstantTime(challengeOf(verifier), granted.Challenge)
}

// checkLive refuses a code that cannot be redeemed now. One that comes a second
// time has been seen by two, so that what it was redeemed for ends, too (RFC 6749,
// Section 4.1.2).
func (s *Service) checkLive(ctx context.Context, c client.Client, granted grant.Code, now time.Time) error {
	err := granted.Live(now)
	if granted.Spent {
		if err := s.grants.EndCode(ctx, granted, now, s.lifetimes(c).AccessToken); err != nil {
			return err
		}
	}
	if err != nil {
		return invalidGrant(err)
	}
	return nil
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

// redeem answers with the tokens of an approval, for one of its APIs. Spend is the
// write that uses up the code or device code of the approval.
func (s *Service) redeem(w http.ResponseWriter, r *http.Request, c client.Client, a grant.Approval, audience string, spend func(family string) table.Write, now time.Time) error {
	for range grant.Attempts {
		answer, err := s.redeemOnce(r.Context(), c, a, audience, spend, now)
		if err == nil {
			return httpx.JSON(w, answer)
		}
		if !stale(err) {
			return err
		}
	}
	return httpx.Unavailable(grant.ErrChanged)
}

// redeemOnce signs the tokens before the approval is spent, so that it can be
// tried again if a key is out of reach. They leave only if the write succeeds that
// spends it, and that checks the grounds on which they were issued.
func (s *Service) redeemOnce(ctx context.Context, c client.Client, a grant.Approval, audience string, spend func(family string) table.Write, now time.Time) (tokenResponse, error) {
	session, user, err := s.Users.SessionByID(ctx, a.UserID, a.SessionID)
	if err != nil {
		return tokenResponse{}, invalidGrantIf(err, usersvc.ErrNoSession)
	}
	if now, err = s.untilAlive(ctx, user.AliveFrom(session.ID, c.ID), now); err != nil {
		return tokenResponse{}, err
	}
	answer, err := s.issue(ctx, issuance{
		client: c, audience: audience, user: user, session: session.ID, authTime: a.AuthTime, acr: session.ACR, amr: session.AMR,
		scopes: a.Scopes, nonce: a.Nonce, withID: true,
	}, now)
	if err != nil {
		return tokenResponse{}, err
	}
	writes := []table.Write{spend("")}
	if slices.Contains(a.Scopes, scopeOffline) {
		f, first := grant.NewFamily(c.Ref(), s.lifetimes(c), a, user, session, now)
		answer.RefreshToken = first.Text()
		writes = []table.Write{spend(f.ID), f.Put()}
	}
	grounds := grant.Grounds{Client: c, User: user, SessionID: session.ID, IssuedAt: now, Scopes: a.Scopes, Under: a.Under()}
	err = s.Table.Write(ctx, append(writes, grounds.Checks()...)...)
	for _, ended := range []error{grant.ErrSpent, usersvc.ErrNoConsent, client.ErrUnknown} {
		if errors.Is(err, ended) {
			return tokenResponse{}, invalidGrant(err)
		}
	}
	return answer, err
}

// issueInSession issues tokens of a user who has just signed in, without a code.
// It returns [usersvc.ErrNoSession] if the session has ended meanwhile.
func (s *Service) issueInSession(ctx context.Context, g issuance) (tokenResponse, error) {
	now := s.now()
	for range grant.Attempts {
		var err error
		if now, err = s.untilAlive(ctx, g.user.AliveFrom(g.session, g.client.ID), now); err != nil {
			return tokenResponse{}, err
		}
		answer, err := s.issue(ctx, g, now)
		if err != nil {
			return tokenResponse{}, err
		}
		err = s.Table.Write(ctx, grant.Grounds{Client: g.client, User: g.user, SessionID: g.session, IssuedAt: now}.Checks()...)
		if !stale(err) {
			return answer, err
		}
		if _, g.user, err = s.Users.SessionByID(ctx, g.user.ID, g.session); err != nil {
			return tokenResponse{}, err
		}
	}
	return tokenResponse{}, httpx.Unavailable(grant.ErrChanged)
}

// stale tells whether a write failed because user or session changed after they
// were read. The caller reads them again.
func stale(err error) bool {
	_, refused := errors.AsType[*httpx.Error](err)
	return !refused && (errors.Is(err, usersvc.ErrVersion) || errors.Is(err, usersvc.ErrNoSession))
}

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
	now, err := s.issueTime(r.Context(), c)
	if errors.Is(err, client.ErrUnknown) {
		return invalidClient(w, false, err)
	}
	if err != nil {
		return err
	}
	answer := s.answer(c, scopes)
	answer.AccessToken, err = token.Access{
		Issuer: s.Issuer, Subject: c.ID, Audience: audience, ClientID: c.ID, Scopes: scopes, IssuedAt: now, ExpiresAt: now.Add(s.lifetimes(c).AccessToken),
	}.Sign(r.Context(), key)
	if err != nil {
		return err
	}
	return httpx.JSON(w, answer)
}

// issueTime returns when a token of a client itself is issued: a time at which the
// client was registered, so that the feed covers the token if it is removed after
// that. What was read of it in the last second is good enough.
func (s *Service) issueTime(ctx context.Context, c client.Client) (time.Time, error) {
	now := s.now()
	if age := now.Sub(c.KnownAt); 0 <= age && age < time.Second {
		return c.KnownAt, nil
	}
	if checks := registry.StillRegistered(c); len(checks) > 0 {
		return now, s.Table.Write(ctx, checks...)
	}
	return now, nil
}

// machineScopes are the scopes that value asks for, or all that the client may
// have. None of them is about a user.
func machineScopes(value string, c client.Client) ([]string, error) {
	aboutUsers := []string{scopeOpenID, scopeProfile, scopeEmail, scopeOffline, client.ScopeAccount, client.ScopeAdmin}
	allowed := slices.DeleteFunc(slices.Clone(c.AllowedScopes()), func(scope string) bool { return slices.Contains(aboutUsers, scope) })
	if value == "" {
		return allowed, nil
	}
	return narrow(value, allowed)
}

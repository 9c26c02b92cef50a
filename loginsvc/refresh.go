package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// renew answers a refresh token with new tokens (OAuth 2.1, Section 4.3). In
// quiet times this is one read and one write. The access token is signed before
// the write, so that a key out of reach leaves the refresh token as it was, and
// leaves only after it, so that nobody has a token whose refresh token is not
// kept.
func (s *Service) renew(w http.ResponseWriter, r *http.Request, c client.Client, p params) error {
	if !c.MayUse(client.GrantRefresh) {
		return unauthorizedClient()
	}
	if p.get("refresh_token") == "" {
		return invalidRequest("refresh_token is missing")
	}
	presented, ok := grant.ParseRefreshToken(p.get("refresh_token"))
	if !ok {
		return invalidGrant(errors.New("refresh token is malformed"))
	}
	// What is issued counts as issued before anything was read: if user or
	// session change after that, the revocation feed covers the token.
	now := s.now()
	for attempt := range grant.Attempts {
		answer, kind, err := s.renewOnce(r.Context(), c, p, presented, now, attempt > 0)
		if errors.Is(err, grant.ErrChanged) {
			continue
		}
		countRefresh(r.Context(), kind, err)
		if err != nil {
			return err
		}
		return httpx.JSON(w, answer)
	}
	countRefresh(r.Context(), grant.Renews, grant.ErrChanged)
	return httpx.Unavailable(grant.ErrChanged)
}

// renewOnce renews by the family as it is, and returns how the token was used. If
// other requests renewed it while this one was under way, as raced says, then an old
// token lost a race; this is not reuse.
func (s *Service) renewOnce(ctx context.Context, c client.Client, p params, presented grant.RefreshToken, now time.Time, raced bool) (tokenResponse, grant.Use, error) {
	f, err := s.grants.Family(ctx, presented)
	if err != nil {
		return tokenResponse{}, grant.Renews, invalidGrantIf(err, grant.ErrFamilyUnknown)
	}
	if f.Client != c.Ref() {
		return tokenResponse{}, grant.Renews, invalidGrant(errors.New("refresh token of another client"))
	}
	f = f.Shortened(s.lifetimes(c))
	if err := f.Live(now); err != nil {
		return tokenResponse{}, grant.Renews, invalidGrant(err)
	}
	// The row may have been written after now; of the two, the later counts.
	kind := f.Use(presented, s.now(), c.Grace(s.refreshGrace))
	switch {
	case kind == grant.Overtaken, kind == grant.Reuses && raced:
		return tokenResponse{}, kind, invalidGrant(errors.New("refresh token was overtaken"))
	case kind == grant.Reuses:
		if err := s.grants.EndFamily(ctx, f); err != nil {
			return tokenResponse{}, kind, err
		}
		return tokenResponse{}, kind, invalidGrant(grant.ErrFamilyReused)
	}
	scopes, err := narrow(p.get("scope"), f.Scopes)
	if err != nil {
		return tokenResponse{}, grant.Renews, err
	}
	audience, err := s.audienceFor(p, c, f.Audiences)
	if err != nil {
		return tokenResponse{}, grant.Renews, err
	}
	g := issuance{client: c, audience: audience, user: f.User, session: f.SessionID, authTime: f.AuthTime, scopes: scopes, nonce: f.Nonce, withID: true}
	answer, err := s.commitRenewal(ctx, c, f, kind, presented, g, now)
	return answer, kind, err
}

// commitRenewal signs and writes. If the user has changed since the family knew
// them, it reads them again and does so once more.
func (s *Service) commitRenewal(ctx context.Context, c client.Client, f grant.Family, kind grant.Use, presented grant.RefreshToken, g issuance, now time.Time) (tokenResponse, error) {
	var reread *usersvc.User // nil: the user is the one that the family remembers
	from := g.user.TokensFrom
	for range grant.Attempts {
		var err error
		if now, err = s.untilAlive(ctx, from, now); err != nil {
			return tokenResponse{}, err
		}
		answer, err := s.issue(ctx, g, now)
		if err != nil {
			return tokenResponse{}, err
		}
		// A repeat gives what the first answer gave, whatever has become of it.
		write, next := f.StillThere(), f.Successor(presented)
		if kind == grant.Renews {
			var after grant.Family
			after, next = f.Renewed(presented, s.now(), s.lifetimes(c).RefreshIdle)
			write = f.Rotate(after, reread)
		}
		answer.RefreshToken = next.Text()
		grounds := grant.Grounds{Client: c, User: g.user, SessionID: f.SessionID, IssuedAt: now, Scopes: f.Scopes, Under: f.Under()}
		err = s.Table.Write(ctx, append(grounds.Checks(), write)...)
		switch {
		case err == nil:
			return answer, nil
		case errors.Is(err, grant.ErrChanged): // another renewal came first
			return tokenResponse{}, grant.ErrChanged
		case errors.Is(err, usersvc.ErrNoConsent), errors.Is(err, client.ErrUnknown):
			return tokenResponse{}, invalidGrant(err)
		case !stale(err):
			return tokenResponse{}, err
		}
		if _, g.user, err = s.Users.SessionByID(ctx, f.UserID, f.SessionID); err != nil {
			return tokenResponse{}, invalidGrantIf(err, usersvc.ErrNoSession)
		}
		from = g.user.AliveFrom(f.SessionID, c.ID)
		reread = &g.user
	}
	return tokenResponse{}, grant.ErrChanged
}

// narrow returns the scopes that a renewal asks for: those that were granted, or
// some of them. "If omitted [it] is treated as equal to the scope originally
// granted" (RFC 6749, Section 6), so that a grant with openid gives an ID token.
func narrow(value string, granted []string) ([]string, error) {
	if value == "" {
		return granted, nil
	}
	var scopes []string
	for _, scope := range splitScopes(value) {
		if !slices.Contains(granted, scope) {
			return nil, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_scope", Detail: "the scope goes beyond what was granted"}
		}
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, nil
}

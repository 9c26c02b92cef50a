package loginsvc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// The scopes with a meaning of their own (OpenID Connect Core, Sections 5.4 and
// 11). Any other is a right at the API.
const (
	scopeOpenID  = "openid"
	scopeProfile = "profile"
	scopeEmail   = "email"
	scopeOffline = "offline_access"
)

// issuance is what tokens are issued for.
type issuance struct {
	client   client.Client
	audience string
	user     usersvc.User
	session  string // its id
	authTime time.Time
	acr      string   // of the session that began at authTime; "" if it is not read
	amr      []string // the same
	scopes   []string // asked for and allowed to the client
	nonce    string
	withID   bool // an ID token too, if openid is among the scopes
	shown    bool // a person sees the token: it never has the role admin
}

// roles are those of the user that the tokens can have, perhaps none.
func (g issuance) roles() []string {
	roles := append([]string{}, g.user.Roles...)
	if g.shown {
		roles = slices.DeleteFunc(roles, func(role string) bool { return role == usersvc.Admin })
	}
	return roles
}

// tokenResponse is a successful answer (OAuth 2.1, Section 3.2.3).
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	Scope        string `json:"scope,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// issue signs the tokens of a grant, both at once. They are issued at now.
func (s *Service) issue(ctx context.Context, g issuance, now time.Time) (tokenResponse, error) {
	key, err := s.signingKey(ctx)
	if err != nil {
		return tokenResponse{}, err
	}
	scopes := s.grantedScopes(g)
	answer := s.answer(g.client, scopes)
	var (
		both  sync.WaitGroup
		idErr error
	)
	if g.withID && slices.Contains(scopes, scopeOpenID) {
		both.Go(func() { answer.IDToken, idErr = s.idToken(g, scopes, now).Sign(ctx, key) })
	}
	accessToken, err := s.accessToken(g, scopes, now).Sign(ctx, key)
	both.Wait()
	if err = errors.Join(err, idErr); err != nil {
		return tokenResponse{}, err
	}
	answer.AccessToken = accessToken
	return answer, nil
}

// maxAhead is how far the instant from which tokens are alive is ever ahead of the
// clock, when some have just been revoked.
const maxAhead = 2 * time.Second

// untilAlive returns when a token is to be issued of which those are alive that
// were issued at from or later: now or, if a revocation is that recent, from. It
// waits for that moment, so that no token is from the future: a revocation that
// comes next could not end such a token. After a wait, the caller's write checks
// the grounds again.
func (s *Service) untilAlive(ctx context.Context, from, now time.Time) (time.Time, error) {
	if !now.Before(from) {
		return now, nil
	}
	wait := from.Sub(s.now())
	if wait > maxAhead {
		return now, httpx.Unavailable(fmt.Errorf("tokens are alive only in %v: a clock is wrong", wait.Round(time.Second)))
	}
	if wait > 0 {
		if err := s.sleep(ctx, wait); err != nil {
			return now, err
		}
	}
	return from, nil
}

// answer is a token response without tokens.
func (s *Service) answer(c client.Client, scopes []string) tokenResponse {
	return tokenResponse{TokenType: "Bearer", ExpiresIn: int64(s.lifetimes(c).AccessToken / time.Second), Scope: strings.Join(scopes, " ")}
}

func (s *Service) signingKey(ctx context.Context) (keys.Signer, error) {
	set, err := s.Keys(ctx)
	if err == nil && set.Current == nil {
		err = keys.ErrUnavailable
	}
	if err != nil {
		return nil, fmt.Errorf("finding the signing key: %w", err)
	}
	return set.Current, nil
}

// grantedScopes are those of a grant that the client may have still, and that the
// user's roles allow. The scope admin is for users with the role alone.
func (s *Service) grantedScopes(g issuance) []string {
	var granted []string
	allowed := g.client.AllowedScopes()
	for _, scope := range g.scopes {
		if !slices.Contains(allowed, scope) {
			continue
		}
		needsRole, has := scope == client.ScopeAdmin, scope == client.ScopeAdmin && slices.Contains(g.roles(), usersvc.Admin)
		for role, scopes := range s.RoleScopes {
			if slices.Contains(scopes, scope) {
				needsRole = true
				has = has || slices.Contains(g.roles(), role)
			}
		}
		if !needsRole || has {
			granted = append(granted, scope)
		}
	}
	return granted
}

// accessToken is the access token of a grant (RFC 9068, Section 2.2). Name and
// address stand in it only if the app asked for them, and an address only if it
// is the user's for sure. The claim roles, perhaps empty, is in the tokens of
// first-party clients alone. The rights of a third-party client are scopes: with an
// admin's roles it would be the admin wherever a rule asks for a role.
func (s *Service) accessToken(g issuance, scopes []string, now time.Time) token.Access {
	a := token.Access{
		Issuer: s.Issuer, Subject: g.user.ID, Audience: g.audience, ClientID: g.client.ID, SessionID: g.session,
		Scopes: scopes, Roles: g.roles(), IssuedAt: now, ExpiresAt: now.Add(s.lifetimes(g.client).AccessToken), AuthTime: g.authTime,
	}
	if g.client.ThirdParty {
		a.Roles = nil // and not empty: the claim tells users of first-party clients from others
	}
	if slices.Contains(scopes, scopeProfile) {
		a.Name = g.user.Name
	}
	if slices.Contains(scopes, scopeEmail) && g.user.EmailVerified {
		a.Email = g.user.Email
	}
	return a
}

// idToken is the ID token of a grant (OpenID Connect Core, Section 2). It has no
// at_hash, which a code flow may leave out (Section 3.1.3.6): so that it need
// not wait for the access token's signature.
func (s *Service) idToken(g issuance, scopes []string, now time.Time) token.ID {
	return token.ID{
		Issuer: s.Issuer, Subject: g.user.ID, Audience: g.client.ID, Nonce: g.nonce, SessionID: g.session,
		IssuedAt: now, ExpiresAt: now.Add(s.lifetimes(g.client).AccessToken), AuthTime: g.authTime, ACR: g.acr, AMR: g.amr, Claims: userClaims(g.user, scopes),
	}
}

// userClaims are the claims about a user that scopes ask for (OpenID Connect
// Core, Section 5.4).
func userClaims(u usersvc.User, scopes []string) map[string]any {
	claims := map[string]any{}
	if slices.Contains(scopes, scopeProfile) {
		for name, value := range map[string]string{"name": u.Name, "picture": u.Picture} {
			if value != "" {
				claims[name] = value
			}
		}
	}
	if slices.Contains(scopes, scopeEmail) && u.Email != "" {
		claims["email"], claims["email_verified"] = u.Email, u.EmailVerified
	}
	return claims
}

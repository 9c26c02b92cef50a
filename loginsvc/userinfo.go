package loginsvc

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleUserInfo tells an app about the user of an access token (OpenID Connect
// Core, Section 5.3). The user's session is looked up at each request, so that
// the end of it is felt at once.
func (s *Service) handleUserInfo(w http.ResponseWriter, r *http.Request) error {
	rawToken, ok := bearer(r)
	if !ok {
		return challenge(w, http.StatusUnauthorized, "", nil)
	}
	access, user, err := s.liveAccess(r.Context(), rawToken)
	if _, refused := errors.AsType[*token.Refusal](err); refused {
		return challenge(w, http.StatusUnauthorized, "invalid_token", err)
	}
	if errors.Is(err, usersvc.ErrNoSession) {
		return challenge(w, http.StatusUnauthorized, "invalid_token", err)
	}
	if err != nil {
		return err
	}
	if !slices.Contains(access.Scopes, scopeOpenID) || user.ID == "" {
		return challenge(w, http.StatusForbidden, "insufficient_scope", nil)
	}
	claims := userClaims(user, access.Scopes)
	claims["sub"] = user.ID
	return httpx.JSON(w, claims)
}

// verifyAccess returns what an access token of ours says. The error is a
// [token.Refusal] if it is not to be trusted.
func (s *Service) verifyAccess(ctx context.Context, rawToken string) (token.Access, error) {
	access, err := token.VerifyAccess(ctx, rawToken, s.keyFunc(), token.Expect{Issuer: s.Issuer, InsecureAnyAudience: true, Now: s.now()})
	if err != nil {
		return token.Access{}, err
	}
	// A token for any API of its client is ours. That of a client that is gone is
	// good for its API until it ends, and for nothing here.
	c := client.Client{ID: client.HouseID}
	if access.ClientID != client.HouseID {
		c, err = s.Clients(ctx, access.ClientID)
	}
	if err == nil && access.IssuedAt.Before(c.RegisteredAt.Truncate(time.Second)) {
		return token.Access{}, &token.Refusal{Reason: token.ReasonAudience} // of a client that had the id before
	}
	if errors.Is(err, client.ErrUnknown) || err == nil && !slices.Contains(c.AllowedAudiences(s.Audience), access.Audience) {
		return token.Access{}, &token.Refusal{Reason: token.ReasonAudience}
	}
	return access, err
}

// bearer returns the token of the Authorization header, and looks nowhere else:
// a token in a URL is a token in a log (RFC 6750, Section 5.3).
func bearer(r *http.Request) (rawToken string, ok bool) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", false
	}
	scheme, rawToken, _ := strings.Cut(headers[0], " ")
	rawToken = strings.TrimLeft(rawToken, " ") // RFC 6750, Section 2.1: "Bearer" 1*SP b64token
	return rawToken, strings.EqualFold(scheme, "Bearer") && rawToken != ""
}

// challenge is the answer to a token that will not do (RFC 6750, Section 3). A
// request without any "SHOULD NOT include an error code".
func challenge(w http.ResponseWriter, status int, code string, cause error) error {
	header := `Bearer realm="gatehouse"`
	switch code {
	case "":
		code = "unauthorized"
	case "insufficient_scope":
		header += `, error="insufficient_scope", scope="openid"`
	default:
		header += `, error="` + code + `"`
	}
	w.Header().Set("WWW-Authenticate", header)
	return &httpx.Error{Status: status, Code: code, Err: cause}
}

// keyFunc finds the keys of our own tokens.
func (s *Service) keyFunc() token.KeyFunc {
	return func(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
		set, err := s.Keys(ctx)
		if err != nil {
			return nil, err
		}
		return token.Keys(set.Published...)(ctx, keyID)
	}
}

// hintKeyFunc finds the keys of ID tokens that come back as id_token_hint: those of
// our tokens, and those that have retired within the life of a session. It verifies
// nothing else.
func (s *Service) hintKeyFunc() token.KeyFunc {
	return func(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
		set, err := s.Keys(ctx)
		if err != nil {
			return nil, err
		}
		now, life := s.now(), s.Users.SessionLife()+keys.Margin
		found := slices.Clone(set.Published)
		for _, k := range set.Retired {
			if now.Before(k.RetiredAt.Add(life)) {
				found = append(found, k.Public)
			}
		}
		return token.Keys(found...)(ctx, keyID)
	}
}

package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

const (
	callback  = "http://127.0.0.1/callback"
	webClient = "demo-web"
	webSecret = "demo-web-secret"
)

var everyScope = []string{"openid", "profile", "email", "offline_access"}

// TestGoClients signs in with the client libraries that Go programs use.
func TestGoClients(t *testing.T) {
	h := startHouse(t)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, h.client)

	t.Run("x/oauth2 and go-oidc", func(t *testing.T) {
		provider, err := oidc.NewProvider(ctx, h.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		// The auth style is left for the library to find out: it tries the code a
		// second time if the first attempt is refused.
		app := oauth2.Config{
			ClientID: webClient, ClientSecret: webSecret, RedirectURL: callback, Scopes: everyScope,
			Endpoint: oauth2.Endpoint{AuthURL: provider.Endpoint().AuthURL, TokenURL: provider.Endpoint().TokenURL},
		}
		verifier := oauth2.GenerateVerifier()
		back := h.walk(t, app.AuthCodeURL("the state", oidc.Nonce("the nonce"), oauth2.S256ChallengeOption(verifier)))
		if back.Get("state") != "the state" || back.Get("iss") != h.Issuer {
			t.Fatalf("came back with state %q, iss %q", back.Get("state"), back.Get("iss"))
		}
		tokens, err := app.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		rawIDToken, _ := tokens.Extra("id_token").(string)
		idToken, err := provider.Verifier(&oidc.Config{ClientID: webClient}).Verify(ctx, rawIDToken)
		if err != nil || idToken.Nonce != "the nonce" {
			t.Fatal(err)
		}
		if err := idToken.VerifyAccessToken(tokens.AccessToken); err != nil && idToken.AccessTokenHash != "" {
			t.Error(err)
		}
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil || info.Subject != idToken.Subject || !info.EmailVerified {
			t.Errorf("userinfo %v: %v", info, err)
		}
		renewed, err := app.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken}).Token()
		if err != nil || renewed.RefreshToken == tokens.RefreshToken {
			t.Fatal("renewal:", err)
		}
		if got := h.call(t, renewed.AccessToken); got != http.StatusOK {
			t.Errorf("with the renewed token: %d", got)
		}
	})

	t.Run("zitadel's relying party", func(t *testing.T) {
		party, err := rp.NewRelyingPartyOIDC(ctx, h.Issuer, webClient, webSecret, callback, everyScope, rp.WithHTTPClient(h.client))
		if err != nil {
			t.Fatal(err)
		}
		verifier := oauth2.GenerateVerifier()
		back := h.walk(t, rp.AuthURL("s", party, rp.WithCodeChallenge(oauth2.S256ChallengeFromVerifier(verifier))))
		tokens, err := rp.CodeExchange[*zitadel.IDTokenClaims](ctx, back.Get("code"), party, rp.WithCodeVerifier(verifier))
		if err != nil {
			t.Fatal(err)
		}
		info, err := rp.Userinfo[*zitadel.UserInfo](ctx, tokens.AccessToken, tokens.TokenType, tokens.IDTokenClaims.Subject, party)
		if err != nil || info.Email != "lin@example.com" {
			t.Errorf("userinfo: %v", err)
		}
		// It sends every scope again, and verifies the ID token it is given.
		renewed, err := rp.RefreshTokens[*zitadel.IDTokenClaims](ctx, party, tokens.RefreshToken, "", "")
		if err != nil {
			t.Fatal("renewal:", err)
		}
		if err := rp.RevokeToken(ctx, party, renewed.RefreshToken, "refresh_token"); err != nil {
			t.Error("revocation:", err)
		}
		if _, err := rp.RefreshTokens[*zitadel.IDTokenClaims](ctx, party, renewed.RefreshToken, "", ""); err == nil {
			t.Error("a revoked token renews")
		}
		if _, err := rp.EndSession(ctx, party, tokens.IDToken, "http://127.0.0.1/", "s", "", nil); err != nil {
			t.Error("logout:", err)
		}
	})
}

// call calls the protected demo function.
func (h *house) call(t *testing.T, accessToken string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.API, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	resp, err := h.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// walk goes from an authorization URL as Lin's browser would, and returns what it
// arrives at the redirect URI with.
func (h *house) walk(t *testing.T, address string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: h.client.Transport, Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), callback+"?") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	get, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(get)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	resp, err = browser.PostForm(resp.Request.URL.String(), url.Values{"user": {"lin"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		t.Fatalf("stranded at %s with %d:\n%s", resp.Request.URL.Path, resp.StatusCode, body)
	}
	return to.Query()
}

package e2e

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
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
	h := startService(t, "--config", configWith(t, deviceClient))
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, h.client)

	t.Run("x/oauth2 and go-oidc", func(t *testing.T) {
		provider, err := oidc.NewProvider(ctx, h.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		// The auth style is left for the library to find out: it tries the code a
		// second time if the first attempt is refused.
		app := oauth2.Config{
			ClientID: webClient, ClientSecret: webSecret + h.padding, RedirectURL: callback, Scopes: everyScope,
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
		party, err := rp.NewRelyingPartyOIDC(ctx, h.Issuer, webClient, webSecret+h.padding, callback, everyScope, rp.WithHTTPClient(h.client))
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
		api, err := rs.NewResourceServerClientCredentials(ctx, h.Issuer, webClient, webSecret+h.padding, rs.WithClient(h.client))
		if err != nil {
			t.Fatal(err)
		}
		introspect := func() bool {
			t.Helper()
			told, err := rs.Introspect[*zitadel.IntrospectionResponse](ctx, api, renewed.RefreshToken)
			if err != nil {
				t.Fatal("introspection:", err)
			}
			return told.Active
		}
		if !introspect() {
			t.Error("a live token is not active")
		}
		if err := rp.RevokeToken(ctx, party, renewed.RefreshToken, "refresh_token"); err != nil {
			t.Error("revocation:", err)
		}
		if introspect() {
			t.Error("a revoked token is active")
		}
		if _, err := rp.RefreshTokens[*zitadel.IDTokenClaims](ctx, party, renewed.RefreshToken, "", ""); err == nil {
			t.Error("a revoked token renews")
		}
		if _, err := rp.EndSession(ctx, party, tokens.IDToken, "http://127.0.0.1/", "s", "", nil); err != nil {
			t.Error("logout:", err)
		}
	})

	t.Run("prompt=none, without and with a session", func(t *testing.T) {
		app := h.app(t, ctx)
		browser := h.browser(t)
		quietly := func() url.Values {
			verifier := oauth2.GenerateVerifier()
			return h.walkIn(t, browser, app.AuthCodeURL("s", oauth2.SetAuthURLParam("prompt", "none"), oauth2.S256ChallengeOption(verifier)))
		}
		if back := quietly(); back.Get("error") != "login_required" || back.Get("state") != "s" || back.Get("iss") != h.Issuer {
			t.Errorf("came back with %v", back)
		}
		h.walkIn(t, browser, app.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
		if back := quietly(); back.Get("code") == "" {
			t.Errorf("came back with %v", back)
		}
	})

	t.Run("the errors that x/oauth2 tells", func(t *testing.T) {
		app := h.app(t, ctx)
		app.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
		verifier := oauth2.GenerateVerifier()
		back := h.walk(t, app.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
		wrong := app
		wrong.ClientSecret = "wrong"
		_, err := wrong.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
		wantError(t, err, "invalid_client")
		_, err = app.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier()))
		wantError(t, err, "invalid_grant")
		_, err = app.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("resource", "https://other.example.com"))
		wantError(t, err, "invalid_target")
		if _, err = app.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier)); err != nil {
			t.Error(err) // and the code was not used up
		}
		_, err = app.TokenSource(ctx, &oauth2.Token{RefreshToken: "nonsense"}).Token()
		wantError(t, err, "invalid_grant")
	})
}

// app is a confidential client, for x/oauth2.
func (h *service) app(t *testing.T, ctx context.Context) oauth2.Config {
	t.Helper()
	provider, err := oidc.NewProvider(ctx, h.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return oauth2.Config{ClientID: webClient, ClientSecret: webSecret + h.padding, RedirectURL: callback, Scopes: everyScope, Endpoint: provider.Endpoint()}
}

func wantError(t *testing.T, err error, code string) {
	t.Helper()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != code {
		t.Errorf("want %s, got %v", code, err)
	}
}

// call calls the protected demo function.
func (h *service) call(t *testing.T, accessToken string) int {
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
func (h *service) walk(t *testing.T, address string) url.Values {
	t.Helper()
	return h.walkIn(t, h.browser(t), address)
}

// browser keeps cookies, and stops at the redirect URI.
func (h *service) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: h.client.Transport, Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), callback+"?") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// walkIn is walk in a browser that is open.
func (h *service) walkIn(t *testing.T, browser *http.Client, address string) url.Values {
	t.Helper()
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
	if to, err := resp.Location(); err == nil { // nobody was asked
		return to.Query()
	}
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

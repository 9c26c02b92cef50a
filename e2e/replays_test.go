package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// approve lets Lin approve a request, and returns what the redirect URI gets.
func approve(t *testing.T, h *service, c registered, address string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{t: t, h: h, browser: &http.Client{Transport: h.client.Transport, Jar: jar}, stops: c.Redirect}
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	end, _, err := s.visit(request)
	if err != nil || end == nil || end.Query().Get("code") == "" {
		t.Fatalf("no code: %v %v", end, err)
	}
	return end.Query()
}

// replay prepares what Go programs send with golang.org/x/oauth2.
func replay(t *testing.T, h *service, c registered, scopes ...string) (context.Context, *oidc.Provider, oauth2.Config) {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), h.client)
	provider, err := oidc.NewProvider(ctx, h.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, provider, oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: c.Redirect, Scopes: scopes, Endpoint: provider.Endpoint()}
}

// verified wants an ID token in the response, for the client.
func verified(t *testing.T, ctx context.Context, provider *oidc.Provider, c registered, tokens *oauth2.Token) *oidc.IDToken {
	t.Helper()
	raw, _ := tokens.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: c.ID}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// replayKubelogin sends what kubelogin sends: PKCE and a nonce, and a renewal whose
// ID token it hands to kubectl.
func replayKubelogin(t *testing.T, h *service, c registered) {
	ctx, provider, app := replay(t, h, c, "email", "offline_access", oidc.ScopeOpenID)
	verifier := oauth2.GenerateVerifier()
	back := approve(t, h, c, app.AuthCodeURL("the state", oauth2.AccessTypeOffline, oidc.Nonce("the nonce"), oauth2.S256ChallengeOption(verifier)))
	tokens, err := app.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if id := verified(t, ctx, provider, c, tokens); id.Nonce != "the nonce" {
		t.Errorf("nonce %q", id.Nonce)
	}
	renewed, err := app.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken, Expiry: time.Now().Add(-time.Hour)}).Token()
	if err != nil {
		t.Fatal(err)
	}
	verified(t, ctx, provider, c, renewed)
}

// replayDex sends what dex's OIDC connector sends: no PKCE and no nonce.
func replayDex(t *testing.T, h *service, c registered) {
	ctx, provider, app := replay(t, h, c, oidc.ScopeOpenID, "profile", "email", "offline_access")
	back := approve(t, h, c, app.AuthCodeURL("the state", oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent")))
	tokens, err := app.Exchange(ctx, back.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	verified(t, ctx, provider, c, tokens)
	renewed, err := app.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken, Expiry: time.Now()}).Token()
	if err != nil {
		t.Fatal(err)
	}
	id := verified(t, ctx, provider, c, renewed)
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(renewed))
	if err != nil || info.Subject != id.Subject || info.Email != "lin@example.com" || !info.EmailVerified {
		t.Errorf("%+v %v", info, err)
	}
}

// replayALB sends what the action authenticate-oidc of a load balancer sends.
func replayALB(t *testing.T, h *service, c registered) {
	for _, basic := range []bool{true, false} {
		back := approve(t, h, c, h.Issuer+"/authorize?"+url.Values{
			"client_id": {c.ID}, "redirect_uri": {c.Redirect}, "response_type": {"code"}, "scope": {"openid email"}, "state": {strings.Repeat("Ab+/=", 40)},
		}.Encode())
		form := url.Values{"grant_type": {"authorization_code"}, "code": {back.Get("code")}, "redirect_uri": {c.Redirect}}
		if !basic {
			form.Set("client_id", c.ID)
			form.Set("client_secret", c.Secret)
		}
		request, err := http.NewRequest(http.MethodPost, h.Issuer+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if basic {
			request.SetBasicAuth(c.ID, url.QueryEscape(c.Secret))
		}
		var tokens struct {
			AccessToken string `json:"access_token"`
			IDToken     string `json:"id_token"`
		}
		call(t, h, request, &tokens)
		request, err = http.NewRequest(http.MethodGet, h.Issuer+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
		var info map[string]any
		if call(t, h, request, &info); info["email"] != "lin@example.com" || tokens.IDToken == "" {
			t.Errorf("basic %v: %v", basic, info)
		}
	}
}

// call sends a request that must succeed, and decodes the response.
func call(t *testing.T, h *service, request *http.Request, into any) {
	t.Helper()
	response, err := h.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", request.URL.Path, response.StatusCode, err)
	}
}

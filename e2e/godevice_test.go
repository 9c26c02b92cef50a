package e2e

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"golang.org/x/oauth2"
)

// TestGoDevices signs devices in with the client libraries that Go programs use.
func TestGoDevices(t *testing.T) {
	t.Parallel()
	h := startService(t, "--config", configWith(t, deviceClient))
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, h.client)
	provider, err := oidc.NewProvider(ctx, h.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	app := oauth2.Config{ClientID: "tv", Scopes: everyScope, Endpoint: provider.Endpoint()}
	app.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	start := func(t *testing.T) *oauth2.DeviceAuthResponse {
		t.Helper()
		waiting, err := app.DeviceAuth(ctx)
		if err != nil {
			t.Fatal(err)
		}
		waiting.Interval = 1 // and so it is told to slow down
		return waiting
	}

	t.Run("x/oauth2 waits, slows down and is let in", func(t *testing.T) {
		t.Parallel()
		waiting := start(t)
		answered := time.AfterFunc(2500*time.Millisecond, func() { h.answerDevice(t, waiting.VerificationURIComplete, "allow") })
		defer answered.Stop()
		tokens, err := app.DeviceAccessToken(ctx, waiting)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.call(t, tokens.AccessToken); got != http.StatusOK {
			t.Errorf("with the device's token: %d", got)
		}
		rawIDToken, _ := tokens.Extra("id_token").(string)
		if _, err := provider.Verifier(&oidc.Config{ClientID: "tv"}).Verify(ctx, rawIDToken); err != nil {
			t.Error(err)
		}
		renewed, err := app.TokenSource(ctx, &oauth2.Token{RefreshToken: tokens.RefreshToken}).Token()
		if err != nil || h.call(t, renewed.AccessToken) != http.StatusOK {
			t.Errorf("renewal: %v", err)
		}
		again := *waiting
		_, err = app.DeviceAccessToken(ctx, &again)
		wantError(t, err, "invalid_grant")
	})
	t.Run("x/oauth2 is refused", func(t *testing.T) {
		t.Parallel()
		waiting := start(t)
		h.answerDevice(t, waiting.VerificationURIComplete, "deny")
		_, err := app.DeviceAccessToken(ctx, waiting)
		wantError(t, err, "access_denied")
	})
	t.Run("zitadel's relying party", func(t *testing.T) {
		t.Parallel()
		party, err := rp.NewRelyingPartyOIDC(ctx, h.Issuer, "tv", "", "", everyScope, rp.WithHTTPClient(h.client))
		if err != nil {
			t.Fatal(err)
		}
		waiting, err := rp.DeviceAuthorization(ctx, everyScope, party, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.answerDevice(t, waiting.VerificationURIComplete, "allow")
		tokens, err := rp.DeviceAccessToken(ctx, waiting.DeviceCode, time.Second, party)
		if err != nil || h.call(t, tokens.AccessToken) != http.StatusOK {
			t.Errorf("%v", err)
		}
	})
}

// field finds the fields of our forms.
var field = regexp.MustCompile(`type="hidden" name="(\w+)" value="([^"]*)"`)

// answerDevice opens the link of a device as Lin, and answers.
func (h *service) answerDevice(t *testing.T, link, consent string) {
	t.Helper()
	browser := h.browser(t)
	resp, err := browser.Get(link)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
	resp, err = browser.PostForm(resp.Request.URL.String(), url.Values{"user": {"lin"}})
	if err != nil {
		t.Error(err)
		return
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	form := url.Values{"consent": {consent}}
	for _, m := range field.FindAllStringSubmatch(string(page), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	to := *resp.Request.URL
	to.RawQuery = ""
	resp, err = browser.PostForm(to.String(), form)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !form.Has("shown_to") {
		t.Errorf("the answer to %s was not taken: %d", resp.Request.URL.Path, resp.StatusCode)
	}
}

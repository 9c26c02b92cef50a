package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table/memtable"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

const redirectURI = "https://app.test/cb"

// serveHouse is the process of the login service, over a table in memory. Its key is that of the signer, or without one its own.
func serveHouse(ctx context.Context, o options) error {
	key, err := openKey(o.signer)
	if err != nil {
		return err
	}
	tab := &memtable.Table{}
	look, err := pages.New(pages.Brand{})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	clients := client.List{{
		ID: "spa", RedirectURIs: []string{redirectURI}, Scopes: []string{"openid", "offline_access"},
		Grants: []string{client.GrantCode, client.GrantRefresh},
	}}
	c := loginsvc.Config{
		Issuer: "http://" + listener.Addr().String(), Audience: "https://api.test", Clients: clients.Lookup, Origins: clients.AllowsOrigin,
		Users: &usersvc.Users{Table: tab}, Table: tab, Keys: keys.Static(key), Pages: look,
		Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}
	service, err := loginsvc.New(c)
	if err != nil {
		return err
	}
	me := child{URL: c.Issuer}
	for i := range o.connections {
		token, err := signIn(ctx, service, c, fmt.Sprintf("user-%d", i))
		if err != nil {
			return fmt.Errorf("signing in: %w", err)
		}
		me.Tokens = append(me.Tokens, token)
	}
	if err := ready(me); err != nil {
		return err
	}
	return http.Serve(listener, service)
}

func openKey(signer string) (keys.Signer, error) {
	if signer == "" {
		return localkey.Generate()
	}
	return dialKey(signer)
}

// signIn returns the refresh token of a new sign-in at the app.
func signIn(ctx context.Context, service http.Handler, c loginsvc.Config, name string) (string, error) {
	_, _, cookie, err := c.Users.SignIn(ctx, usersvc.Profile{
		Issuer: "https://upstream.test", Subject: name, Provider: "demo", Email: name + "@example.com", EmailVerified: true, Name: name,
	}, usersvc.SignInInfo{UserAgent: "bench", AuthTime: time.Now()})
	if err != nil {
		return "", err
	}
	verifier := strings.Repeat("v", 43)
	challenge := sha256.Sum256([]byte(verifier))
	r := httptest.NewRequest(http.MethodGet, c.Issuer+"/authorize?"+url.Values{
		"client_id": {"spa"}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid offline_access"}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), nil)
	r.AddCookie(&http.Cookie{Name: "gatehouse_session", Value: cookie})
	asked := httptest.NewRecorder()
	service.ServeHTTP(asked, r)
	back, err := asked.Result().Location()
	if err != nil {
		return "", fmt.Errorf("/authorize: %d %s: %w", asked.Code, asked.Body, err)
	}
	r = httptest.NewRequest(http.MethodPost, c.Issuer+"/token", strings.NewReader(url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"spa"}, "redirect_uri": {redirectURI},
		"code": {back.Query().Get("code")}, "code_verifier": {verifier},
	}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answered := httptest.NewRecorder()
	service.ServeHTTP(answered, r)
	var answer struct {
		RefreshToken string `json:"refresh_token"`
		Error        string `json:"error"`
	}
	if err := json.Unmarshal(answered.Body.Bytes(), &answer); err != nil || answer.RefreshToken == "" {
		return "", fmt.Errorf("/token: %d %s", answered.Code, cmp.Or(answer.Error, back.String()))
	}
	return answer.RefreshToken, nil
}

// signForever is a process that does nothing but sign, with a key of its own,
// for as long as each line of its input says, and tells how often it has.
func signForever(ctx context.Context) error {
	key, err := localkey.Generate()
	if err != nil {
		return err
	}
	// One file for all: to forget an os.File is to close it.
	out := json.NewEncoder(os.NewFile(3, "counts"))
	if err := out.Encode(child{URL: "-"}); err != nil {
		return err
	}
	for {
		var turn time.Duration
		if _, err := fmt.Scanln((*int64)(&turn)); err != nil {
			return nil // nobody asks any more
		}
		count := 0
		for end := time.Now().Add(turn); time.Now().Before(end); count++ {
			if _, err := key.SignDigest(ctx, [sha256.Size]byte{}); err != nil {
				return err
			}
		}
		if err := out.Encode(child{Count: count}); err != nil {
			return err
		}
	}
}

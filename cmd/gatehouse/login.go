package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// cliScopes are what gatehouse login asks for.
var cliScopes = []string{"openid", "profile", "email", "offline_access", "account", "admin"}

type loginCommand struct {
	URL    string `arg:"" help:"The issuer of the deployment, such as https://auth.example.com."`
	Client string `default:"gatehouse-cli" placeholder:"ID" help:"The client of gatehouse.yml that this program is (${default})."`
	outputFlag
}

// clientForCLI is what gatehouse.yml needs for gatehouse login.
const clientForCLI = `clients:
  - id: gatehouse-cli
    name: Gatehouse command line
    grants: ['urn:ietf:params:oauth:grant-type:device_code', refresh_token]
    scopes: [openid, profile, email, offline_access, account, admin]`

// Run signs a person in by the device grant (RFC 8628), and keeps the refresh token.
func (c *loginCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	at := strings.TrimRight(strings.TrimSpace(c.URL), "/")
	if err := env.CheckURL(at); err != nil {
		return err
	}
	if !strings.HasPrefix(at, "https://") && !onThisMachine(at) {
		return fmt.Errorf("%s: want https, unless it is on this machine", at)
	}
	kept, err := openLogins(w.getenv)
	if err != nil {
		return err
	}
	server, err := discover(ctx, at)
	if err != nil {
		return err
	}
	config := server.config(c.Client)
	ctx = context.WithValue(ctx, oauth2.HTTPClient, noRedirects)
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		return explainLogin(at, c.Client, err)
	}
	fmt.Fprintf(w.stderr, "Open %s and enter the code %s\n", printable(device.VerificationURI), printable(device.UserCode))
	tokens, err := config.DeviceAccessToken(ctx, device)
	if err != nil {
		return explainLogin(at, c.Client, err)
	}
	login := cliLogin{c.Client, tokens.RefreshToken}
	if err := usable(tokens); err != nil {
		return errors.Join(err, server.end(ctx, login))
	}
	s := &service{url: at, rawToken: tokens.AccessToken}
	var me usersvc.User
	if err := s.get(ctx, "/me", &me); err != nil {
		return errors.Join(err, server.end(ctx, login))
	}
	if before, ok := kept.Sessions[at]; ok { // it would live on, and nothing would know it
		if err := server.end(ctx, before); err != nil {
			fmt.Fprintf(w.stderr, "note: the session of the login before could not be ended: %v\n", err)
		}
	}
	kept.Sessions[at], kept.Current = login, at
	if err := kept.save(); err != nil {
		return errors.Join(err, server.end(ctx, login))
	}
	if c.json() {
		return w.printJSON(map[string]string{"url": at, "user": me.ID, "email": me.Email})
	}
	_, err = fmt.Fprintf(w.stdout, "signed in at %s as %s\n", at, printable(cmp.Or(me.Email, me.Name, me.ID)))
	return err
}

// usable tells whether tokens are what the other commands need.
func usable(tokens *oauth2.Token) error {
	granted, _ := tokens.Extra("scope").(string)
	switch {
	case tokens.RefreshToken == "":
		return errors.New("the service gave no refresh token: the client needs the grant refresh_token and the scope offline_access")
	case !slices.Contains(strings.Fields(granted), "admin"):
		return errors.New("you got no access to the admin API: it takes the role admin, and a client with the scope admin")
	}
	return nil
}

// explainLogin says what to do where the service does not know this program.
func explainLogin(at, client string, err error) error {
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return fmt.Errorf("signing in at %s: %w", at, err)
	}
	switch code := errorCode(refusal); code {
	case "invalid_client", "unauthorized_client", "invalid_scope":
		return fmt.Errorf("%s does not let the client %q sign in by device (%s): add it to its gatehouse.yml and deploy\n\n%s", at, client, code, clientForCLI)
	case "access_denied":
		return errors.New("you refused this program, so nothing has changed")
	case "expired_token":
		return errors.New("the code has expired: run gatehouse login again")
	default:
		return fmt.Errorf("%s refuses: %s", at, printable(cmp.Or(code, refusal.Response.Status)))
	}
}

// errorCode is the error of a response (RFC 6749, Section 5.2); "" if it has none.
func errorCode(refusal *oauth2.RetrieveError) string {
	var body struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(refusal.Body, &body) // "" if it is no JSON
	return cmp.Or(refusal.ErrorCode, body.Error)
}

// resume refreshes the tokens of a login, and keeps the new refresh token before it is
// used.
func resume(ctx context.Context, w *process, kept *logins, at string) (*service, error) {
	server, err := discover(ctx, at)
	if err != nil {
		return nil, err
	}
	login := kept.Sessions[at]
	config := server.config(login.ClientID)
	source := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, noRedirects), &oauth2.Token{RefreshToken: login.RefreshToken})
	tokens, err := source.Token()
	if refusal, ok := errors.AsType[*oauth2.RetrieveError](err); ok && slices.Contains([]string{"invalid_grant", "invalid_client"}, errorCode(refusal)) {
		return nil, fmt.Errorf("your login at %s has ended: run %s login %s", at, w.self, at)
	}
	if err != nil {
		return nil, fmt.Errorf("refreshing the login at %s: %w", at, err)
	}
	if tokens.RefreshToken != login.RefreshToken {
		kept.Sessions[at] = cliLogin{login.ClientID, tokens.RefreshToken}
		if err := kept.save(); err != nil {
			return nil, fmt.Errorf("keeping the new refresh token: %w", err)
		}
	}
	return &service{url: at, rawToken: tokens.AccessToken}, nil
}

type logoutCommand struct {
	URL string `arg:"" optional:"" help:"The issuer (that of the last login)."`
	outputFlag
}

// Run ends the session of a login at the service, and then forgets it.
func (c *logoutCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	kept, err := openLogins(w.getenv)
	if err != nil {
		return err
	}
	at := strings.TrimRight(cmp.Or(c.URL, kept.Current), "/")
	login, ok := kept.Sessions[at]
	switch {
	case at == "" && len(kept.Sessions) > 0:
		return errors.New("where? Say the issuer")
	case at == "":
		return errors.New("you are not signed in")
	case !ok:
		return fmt.Errorf("you are not signed in at %s", at)
	}
	if err := w.target("%s", at); err != nil {
		return err
	}
	server, err := discover(ctx, at)
	if err == nil {
		err = server.end(ctx, login)
	}
	if err != nil {
		return fmt.Errorf("the session has not ended, and is kept in %s: %w", kept.path, err)
	}
	if err := kept.forget(at); err != nil {
		return err
	}
	if c.json() {
		return w.printJSON(map[string]string{"url": at})
	}
	_, err = fmt.Fprintf(w.stdout, "signed out at %s\n", at)
	return err
}

// metadata is what of RFC 8414, Section 2 a login needs.
type metadata struct {
	Issuer string `json:"issuer"`
	Token  string `json:"token_endpoint"`
	Device string `json:"device_authorization_endpoint"`
	Revoke string `json:"revocation_endpoint"`
}

// discover reads the metadata of an issuer. Every endpoint must be below it: tokens go
// nowhere else.
func discover(ctx context.Context, at string) (metadata, error) {
	var m metadata
	if err := (&service{url: at}).get(ctx, "/.well-known/oauth-authorization-server", &m); err != nil {
		return m, fmt.Errorf("is Gatehouse at %s? %w", at, err)
	}
	if m.Issuer != at { // RFC 8414, Section 3.3
		return m, fmt.Errorf("what answers at %s is another issuer: %s", at, printable(m.Issuer))
	}
	for _, endpoint := range []string{m.Token, m.Device, m.Revoke} {
		if !strings.HasPrefix(endpoint, at+"/") {
			return m, fmt.Errorf("what answers at %s is not Gatehouse", at)
		}
	}
	return m, nil
}

func (m metadata) config(client string) *oauth2.Config {
	return &oauth2.Config{ClientID: client, Scopes: cliScopes, Endpoint: oauth2.Endpoint{
		TokenURL: m.Token, DeviceAuthURL: m.Device, AuthStyle: oauth2.AuthStyleInParams,
	}}
}

// end revokes what a login holds: refresh tokens and access tokens (RFC 7009).
func (m metadata) end(ctx context.Context, login cliLogin) error {
	if login.RefreshToken == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	form := url.Values{"token": {login.RefreshToken}, "token_type_hint": {"refresh_token"}, "client_id": {login.ClientID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Revoke, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := noRedirects.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", m.Issuer, resp.Status)
	}
	return nil
}

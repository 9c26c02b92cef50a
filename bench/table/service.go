package main

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

const (
	issuer   = "https://login.bench"
	audience = "https://api.bench"
	demo     = "http://127.0.0.1:8788"
	appURI   = "https://app.bench/cb"
)

var verifier = strings.Repeat("v", 43)

// service is the login service, the authorizer and a provider, in one process on
// one table.
type service struct {
	users      *usersvc.Users
	login      http.Handler
	provider   http.Handler
	authorizer *authorizer.Authorizer
	browser    *http.Client
}

func newService(t table.Table) (*service, error) {
	key, err := localkey.Generate()
	if err != nil {
		return nil, err
	}
	look, err := pages.New(pages.Brand{})
	if err != nil {
		return nil, err
	}
	h := &service{users: &usersvc.Users{Table: t, TrustedProviders: []string{"demo"}}}
	h.forget()
	if h.provider, err = demoidp.New(demoidp.Config{
		Issuer: demo, ClientID: "gatehouse", ClientSecret: "secret", SignaturesPerKey: -1, RedirectURIs: []string{issuer + "/callback/demo"},
	}); err != nil {
		return nil, err
	}
	p, err := upstream.New(upstream.Config{
		ID: "demo", Name: "Demo", Issuer: demo, ClientID: "gatehouse", ClientSecret: "secret",
		CallbackURL: issuer + "/callback/demo", HTTPClient: &http.Client{Transport: h},
	})
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	clients := client.List{{ID: "spa", RedirectURIs: []string{appURI}, Scopes: []string{"openid", "profile", "email", "offline_access"},
		Grants: []string{client.GrantCode, client.GrantRefresh}}}
	if h.login, err = loginsvc.New(loginsvc.Config{
		Issuer: issuer, Audience: audience, Providers: []*upstream.Provider{p}, Clients: clients.Lookup,
		Users: h.users, Table: t, Keys: keys.Static(key), Pages: look, Log: quiet,
	}); err != nil {
		return nil, err
	}
	h.authorizer, err = authorizer.New(authorizer.Config{
		Issuer: issuer, Audience: audience, Log: quiet,
		Keys: func(context.Context, string) (*rsa.PublicKey, error) { return key.Public(), nil },
	})
	return h, err
}

// forget gives the browser an empty cookie jar.
func (h *service) forget() {
	jar, _ := cookiejar.New(nil) // it has no options that could be wrong
	h.browser = &http.Client{Transport: h, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// RoundTrip answers a request as the host of its URL would, in memory.
func (h *service) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r = r.Clone(r.Context())
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "192.0.2.7:4711"
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	answer := httptest.NewRecorder()
	switch r.URL.Host {
	case "login.bench":
		h.login.ServeHTTP(answer, r)
	case "127.0.0.1:8788":
		h.provider.ServeHTTP(answer, r)
	default:
		http.NotFound(answer, r)
	}
	return answer.Result(), nil
}

// follow follows redirects until they leave, and chooses lin at the provider. It
// returns where they lead, or nil if they end with a page.
func (h *service) follow(res *http.Response, err error) (*url.URL, error) {
	for range 10 {
		if err != nil {
			return nil, err
		}
		res.Body.Close()
		to, none := res.Location()
		switch {
		case none != nil && res.StatusCode == http.StatusOK:
			return nil, nil
		case none != nil:
			return nil, fmt.Errorf("%s: %s", res.Request.URL.Path, res.Status)
		case to.Host == "127.0.0.1:8788":
			res, err = h.browser.PostForm(to.String(), url.Values{"user": {"lin"}})
		case to.Host == "login.bench":
			res, err = h.browser.Get(to.String())
		default:
			return to, nil
		}
	}
	return nil, errors.New("too many redirects")
}

// signIn signs in without an app: it ends with the session.
func (h *service) signIn() error {
	h.forget()
	_, err := h.follow(h.browser.Get(issuer + "/login?idp_hint=demo"))
	return err
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// signInAtApp goes all the way from an app's link to its tokens.
func (h *service) signInAtApp() (tokens, error) {
	h.forget()
	sum := sha256.Sum256([]byte(verifier))
	back, err := h.follow(h.browser.Get(issuer + "/authorize?" + url.Values{
		"client_id": {"spa"}, "redirect_uri": {appURI}, "response_type": {"code"}, "scope": {"openid profile email offline_access"},
		"state": {"s"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode()))
	if err != nil {
		return tokens{}, err
	}
	return h.token(url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {back.Query().Get("code")}, "redirect_uri": {appURI}, "code_verifier": {verifier},
	})
}

func (h *service) refresh(t tokens) (tokens, error) {
	return h.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {t.Refresh}})
}

func (h *service) token(form url.Values) (t tokens, err error) {
	res, err := h.browser.PostForm(issuer+"/token", form)
	if err != nil {
		return t, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return t, fmt.Errorf("/token: %s: %s %w", res.Status, text, err)
	}
	return t, json.Unmarshal(text, &t)
}

// decide asks the authorizer about a call.
func (h *service) decide(t tokens) error {
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "type": "REQUEST", "routeKey": "GET /me", "routeArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef/$default/GET/me", "identitySource": []string{"Bearer " + t.Access, "GET /me"},
		"headers": map[string]string{"authorization": "Bearer " + t.Access}, "requestContext": map[string]any{"routeKey": "GET /me"},
	})
	if err != nil {
		return err
	}
	answer, err := h.authorizer.Handle(context.Background(), event)
	if err != nil || !strings.Contains(string(answer), `"isAuthorized":true`) {
		return fmt.Errorf("authorizer: %s %w", answer, err)
	}
	return nil
}

// feed reads the list of revocations; a fresh one is never taken from memory.
func (h *service) feed(fresh bool) error {
	r, err := http.NewRequest(http.MethodGet, issuer+"/revocations", nil)
	if err != nil {
		return err
	}
	if fresh {
		r.Header.Set("Cache-Control", "no-cache")
	}
	res, err := h.browser.Do(r)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("/revocations: %s", res.Status)
	}
	return nil
}

// list wants a page of as many users.
func (h *service) list(search string, want int) error {
	page, err := h.users.List(context.Background(), usersvc.Filter{Search: search, Limit: 50})
	if err != nil || len(page.Items) != want {
		return fmt.Errorf("a page of %d users, want %d: %w", len(page.Items), want, err)
	}
	return nil
}

// clean deletes lin, so that the next sign-in is the first one.
func (h *service) clean() error {
	ctx := context.Background()
	page, err := h.users.List(ctx, usersvc.Filter{Search: "lin@example.com"})
	if err != nil {
		return err
	}
	for _, user := range page.Items {
		if err := h.users.Delete(ctx, usersvc.By{Operator: "bench"}, user.ID); err != nil {
			return err
		}
	}
	return nil
}

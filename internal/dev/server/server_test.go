package server_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
)

// running starts a server for one test.
func running(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func tokens(t *testing.T, s *server.Server, user string) *signin.Tokens {
	t.Helper()
	got, err := signin.Do(t.Context(), signin.Request{URL: s.Issuer, User: user, ClientID: "demo-spa"})
	if err != nil {
		t.Fatalf("signing in as %s: %v", user, err)
	}
	return got
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return m
}

func ask(t *testing.T, method, address, rawToken string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(header) > 1 && header[0] == "Host" {
		r.Host, header = header[1], header[2:]
	}
	if rawToken != "" {
		r.Header.Set("Authorization", "Bearer "+rawToken)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header[header[i]] = []string{header[i+1]} // as it is spelt
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// claims reads what a token says, and believes it.
func claims(t *testing.T, rawToken string) map[string]any {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(rawToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return answer{body: string(payload)}.json(t)
}

// TestNewcomer is what somebody does in the first five minutes.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log []gateway.Exchange
	s := running(t, server.Options{Observe: func(x gateway.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, x)
	}})
	lin, ada := tokens(t, s, "lin").AccessToken, tokens(t, s, "ada").AccessToken

	t.Run("a call without a token is refused by the gateway", func(t *testing.T) {
		got := ask(t, "GET", s.Issuer+"/demo/hello", "")
		if got.status != 401 || got.body != `{"message":"Unauthorized"}` {
			t.Errorf("%+v", got)
		}
		mu.Lock()
		defer mu.Unlock()
		if last := log[len(log)-1]; last.By != "gateway" {
			t.Errorf("answered by %s", last.By)
		}
	})
	t.Run("Lin is greeted", func(t *testing.T) {
		got := ask(t, "GET", s.Issuer+"/demo/hello", lin).json(t)
		if got["hello"] != "Lin" || !strings.HasPrefix(got["sub"].(string), "u_") || got["roles"].([]any)[0] != "user" {
			t.Errorf("%v", got)
		}
	})
	for _, row := range []struct {
		path, who, rawToken string
		status              int
	}{
		{"/demo/admin", "Lin", lin, 403}, {"/demo/admin", "Ada", ada, 200},
		{"/users", "Lin", lin, 403}, {"/users", "Ada", ada, 200},
		{"/me", "Lin", lin, 200}, {"/notes", "Lin", lin, 200}, {"/nowhere", "Lin", lin, 404},
	} {
		t.Run(row.path+" as "+row.who, func(t *testing.T) {
			if got := ask(t, "GET", s.Issuer+row.path, row.rawToken); got.status != row.status {
				t.Errorf("%d %s, want %d", got.status, got.body, row.status)
			}
		})
	}
	t.Run("Sam is suspended", func(t *testing.T) {
		_, err := signin.Do(t.Context(), signin.Request{URL: s.Issuer, User: "sam", ClientID: "demo-spa"})
		if !errors.Is(err, signin.ErrRefused) || !strings.Contains(err.Error(), "suspended") {
			t.Errorf("%v", err)
		}
	})
	t.Run("a confidential client signs in too", func(t *testing.T) {
		_, err := signin.Do(t.Context(), signin.Request{URL: s.Issuer, User: "lin", ClientID: server.WebClientID, ClientSecret: server.WebClientSecret})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("and not with another secret", func(t *testing.T) {
		_, err := signin.Do(t.Context(), signin.Request{URL: s.Issuer, User: "lin", ClientID: server.WebClientID, ClientSecret: "guess"})
		if err == nil || !strings.Contains(err.Error(), "invalid_client") {
			t.Errorf("%v", err)
		}
	})
}

// TestRefused is the lower half of the tour: what the authorizer refuses, and
// that only the developer hears why.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := running(t, server.Options{})
	mine := tokens(t, s, "lin")
	forged := func(kind string) string {
		return ask(t, "POST", s.Issuer+"/demo/forge/"+kind, mine.AccessToken).json(t)["access_token"].(string)
	}
	tampered := func() string {
		at := strings.LastIndex(mine.AccessToken, ".") + 20
		other := "A"
		if mine.AccessToken[at] == 'A' {
			other = "B"
		}
		return mine.AccessToken[:at] + other + mine.AccessToken[at+1:]
	}
	for _, row := range []struct{ name, rawToken, reason string }{
		{"one byte changed", tampered(), "signature"},
		{"expired", forged("expired"), "expired"},
		{"for another audience", forged("audience"), "audience"},
		{"an ID token", mine.IDToken, "typ"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := ask(t, "GET", s.Issuer+"/demo/hello", row.rawToken)
			if got.status != 403 || got.body != `{"message":"Forbidden"}` {
				t.Errorf("%+v", got)
			}
			if why := got.header.Get("X-Gatehouse-Reason"); !strings.Contains(why, "reason="+row.reason) {
				t.Errorf("reason %q, want %s", why, row.reason)
			}
		})
	}
}

// A session that was ended opens nothing any more where a route is fresh; and
// another session of the same person is none the wiser.
func TestRevoked(t *testing.T) {
	t.Parallel()
	s := running(t, server.Options{})
	mine, other := tokens(t, s, "lin").AccessToken, tokens(t, s, "lin").AccessToken
	if got := ask(t, "GET", s.Issuer+"/demo/fresh", mine); got.status != 200 {
		t.Fatalf("before: %+v", got)
	}
	if got := ask(t, "DELETE", s.Issuer+"/me/sessions/"+claims(t, mine)["sid"].(string), mine); got.status >= 300 {
		t.Fatalf("ending the session: %+v", got)
	}
	got := ask(t, "GET", s.Issuer+"/demo/fresh", mine)
	if why := got.header.Get("X-Gatehouse-Reason"); got.status != 403 || !strings.Contains(why, "reason=revoked") {
		t.Errorf("after: %d %s", got.status, why)
	}
	if got := ask(t, "GET", s.Issuer+"/demo/fresh", other); got.status != 200 {
		t.Errorf("the other session: %+v", got)
	}
}

// TestSeedFlow asks for a token without an app.
func TestSeedFlow(t *testing.T) {
	t.Parallel()
	s := running(t, server.Options{})
	asked := ask(t, "GET", s.Issuer+"/users/login", "", "Accept", "application/json")
	begun := asked.json(t)
	if begun["message"] != "Authorization from Demo required" {
		t.Fatalf("%v", begun)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := url.Parse(s.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(issuer, (&http.Response{Header: asked.header}).Cookies())
	browser := &http.Client{Jar: jar}
	resp, err := browser.PostForm(begun["url"].(string), url.Values{"user": {"lin"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var done struct{ Message, JWT string }
	if err := json.NewDecoder(resp.Body).Decode(&done); err != nil {
		t.Fatal(err)
	}
	if done.Message != "Authorization Success!" || resp.Header.Get("Cache-Control") != "no-store" || resp.Request.URL.Query().Get("jwt") != "" {
		t.Errorf("%+v %v", done, resp.Header)
	}
	if got := ask(t, "GET", s.Issuer+"/demo/hello", done.JWT); got.status != 200 {
		t.Errorf("%+v", got)
	}
}

// A name that leads to this machine is not this machine.
func TestRebinding(t *testing.T) {
	t.Parallel()
	s := running(t, server.Options{})
	for host, status := range map[string]int{"evil.example:8788": 421, "evil.example": 421, "127.0.0.1": 200, "localhost:8788": 200, "[::1]:8788": 200} {
		if got := ask(t, "GET", s.DemoURL+"/", "", "Host", host); got.status != status {
			t.Errorf("%s: %d, want %d", host, got.status, status)
		}
	}
}

// The audience of a token is not the issuer, nor a client, nor what a
// deployment's variables say.
func TestAudience(t *testing.T) {
	t.Parallel()
	s := running(t, server.Options{Getenv: func(name string) string {
		return map[string]string{"GATEHOUSE_AUDIENCE": "another", "GATEHOUSE_ISSUER": "https://another.example"}[name]
	}})
	claims := claims(t, tokens(t, s, "lin").AccessToken)
	if claims["iss"] != s.Issuer || claims["aud"] != s.Audience || s.Audience != s.Issuer+"/api" {
		t.Errorf("%+v", claims)
	}
}

package upstream_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

const callback = "http://localhost:8787/callback/demo"

// house is a demo provider with Gatehouse as its client.
type house struct {
	t        *testing.T
	demo     *demoidp.Provider
	upstream *upstream.Provider
	issuer   string

	clock fake.Clock

	mu    sync.Mutex
	calls []string // paths the provider was asked for
}

// called tells how often a path was asked for since the last time.
func (h *house) called(path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, c := range h.calls {
		if c == path {
			n++
		}
	}
	h.calls = nil
	return n
}

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

var (
	demoKey    = sync.OnceValue(newKey)
	foreignKey = sync.OnceValue(newKey) // of nobody the provider knows
)

// open starts a house; change may alter the configuration.
func open(t *testing.T, change func(*upstream.Config)) *house {
	t.Helper()
	h := &house{t: t}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.calls = append(h.calls, r.URL.Path)
		h.mu.Unlock()
		h.demo.ServeHTTP(w, r)
	}))
	h.issuer = "http://" + server.Listener.Addr().String()
	var err error
	h.demo, err = demoidp.New(demoidp.Config{
		Issuer: h.issuer, ClientID: "gatehouse", ClientSecret: "s3cret", RedirectURIs: []string{callback},
		SignaturesPerKey: -1, FirstKey: demoKey(), SlowFor: 30 * time.Second, Now: h.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	c := upstream.Config{
		ID: "demo", Name: "Demo", Issuer: h.issuer, ClientID: "gatehouse", ClientSecret: "s3cret",
		CallbackURL: callback, Timeout: 2 * time.Second, Now: h.clock.Now, HTTPClient: server.Client(),
	}
	if change != nil {
		change(&c)
	}
	if h.upstream, err = upstream.New(c); err != nil {
		t.Fatal(err)
	}
	return h
}

const (
	nonce    = "nonce-of-this-sign-in"
	verifier = "verifier-of-this-sign-in-which-is-long-enough"
)

// authorize goes to the provider and chooses a person there; it returns what the
// provider sends back through the browser.
func (h *house) authorize(form url.Values) upstream.Response {
	h.t.Helper()
	to, err := h.upstream.AuthURL(h.t.Context(), upstream.Request{State: "state", Nonce: nonce, Verifier: verifier})
	if err != nil {
		h.t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.PostForm(to, form)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil || !strings.HasPrefix(back.String(), callback) {
		body, _ := io.ReadAll(res.Body)
		h.t.Fatalf("the provider answered %d: %v %s", res.StatusCode, err, body)
	}
	return upstream.Response{Code: back.Query().Get("code"), Issuer: back.Query().Get("iss")}
}

// signIn is a whole sign-in of somebody.
func (h *house) signIn(form url.Values) (upstream.Identity, error) {
	h.t.Helper()
	return h.upstream.Exchange(h.t.Context(), h.authorize(form), nonce, verifier)
}

var lin = url.Values{"user": {"lin"}}

func TestSignIn(t *testing.T) {
	for name, change := range map[string]func(*upstream.Config){
		"as configured": nil,
		"scopes without openid": func(c *upstream.Config) {
			c.Scopes = []string{"email", "profile"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, change)
			for range 2 { // the audience is a string, then a list
				who, err := h.signIn(lin)
				if err != nil {
					t.Fatal(err)
				}
				want := upstream.Identity{
					Issuer: h.issuer, Subject: "demo-lin", Provider: "demo", Email: "lin@example.com", EmailVerified: true,
					Name: "Lin", AuthTime: who.AuthTime,
				}
				if !reflect.DeepEqual(who, want) {
					t.Errorf("%+v, want %+v", who, want)
				}
				if age := h.clock.Now().Sub(who.AuthTime); age < 0 || age > 2*time.Second {
					t.Errorf("signed in %s ago", age)
				}
			}
		})
	}
}

func TestRequest(t *testing.T) {
	h := open(t, func(c *upstream.Config) { c.HostedDomain = "example.com" })
	age := 0
	to, err := h.upstream.AuthURL(t.Context(), upstream.Request{
		State: "a state&=", Nonce: nonce, Verifier: verifier, Prompt: "login", MaxAge: &age, LoginHint: "lin@example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("S34 state, nonce and PKCE S256 are sent, the verifier is not", func(t *testing.T) {
		for name, want := range map[string]string{
			"state": "a state&=", "nonce": nonce, "code_challenge_method": "S256", "response_type": "code",
			"client_id": "gatehouse", "redirect_uri": callback, "scope": "openid profile email",
			"prompt": "login", "max_age": "0", "login_hint": "lin@example.com", "hd": "example.com",
		} {
			if got := u.Query()[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if len(u.Query().Get("code_challenge")) != 43 || strings.Contains(to, verifier) || strings.Contains(to, "s3cret") {
			t.Error(to)
		}
	})
	t.Run("S34 nothing is sent without state, nonce or verifier", func(t *testing.T) {
		for _, r := range []upstream.Request{{Nonce: "n", Verifier: "v"}, {State: "s", Verifier: "v"}, {State: "s", Nonce: "n"}} {
			if to, err := h.upstream.AuthURL(t.Context(), r); err == nil {
				t.Error(to)
			}
		}
	})
}

func TestNew(t *testing.T) {
	good := upstream.Config{ID: "g", Issuer: "https://accounts.google.com", ClientID: "c", CallbackURL: callback}
	if p, err := upstream.New(good); err != nil || p.ID() != "g" || p.Name() != "g" {
		t.Fatal(p, err)
	}
	for name, change := range map[string]func(*upstream.Config){
		"no id":             func(c *upstream.Config) { c.ID = "" },
		"no client id":      func(c *upstream.Config) { c.ClientID = "" },
		"no callback":       func(c *upstream.Config) { c.CallbackURL = "" },
		"no issuer":         func(c *upstream.Config) { c.Issuer = "" },
		"issuer in clear":   func(c *upstream.Config) { c.Issuer = "http://accounts.google.com" },
		"issuer with query": func(c *upstream.Config) { c.Issuer += "?a=b" },
		"issuer with user":  func(c *upstream.Config) { c.Issuer = "https://a@accounts.google.com" },
		"issuer of no host": func(c *upstream.Config) { c.Issuer = "https:///x" },
	} {
		c := good
		change(&c)
		if _, err := upstream.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	h := open(t, func(c *upstream.Config) { c.ClientSecret = client.Secret("s3cret") })
	for _, s := range []string{h.upstream.String(), h.upstream.GoString()} {
		if strings.Contains(s, "s3cret") {
			t.Error(s)
		}
	}
}

// within fails the test if f takes longer than a person waits.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	started := time.Now()
	f()
	if took := time.Since(started); took > limit {
		t.Errorf("took %s, want at most %s", took, limit)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func TestCancelled(t *testing.T) {
	h := open(t, nil)
	r := h.authorize(lin)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.upstream.Exchange(ctx, r, nonce, verifier)
	wantErr(t, err, upstream.ErrUnavailable)
}

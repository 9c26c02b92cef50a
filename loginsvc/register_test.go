package loginsvc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

// selfRegistering is a world in which clients register themselves.
func selfRegistering(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(c *loginsvc.Config) {
		c.Self = &client.Client{ThirdParty: true, Scopes: []string{"openid", "offline_access"}}
	})
	finder := registry.NewFinder(defaultClients, w.config.Table, w.now)
	finder.Self = w.config.Self
	w.config.Clients = finder.Lookup
	w.rebuild()
	w.onTheHour(t)
	return w
}

// register posts a registration.
func (w *world) register(body, source string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, issuer+"/register", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if source != "" {
		r.Header.Set("X-Test-Source", source)
	}
	return w.program().send(r)
}

func TestRegister(t *testing.T) {
	t.Parallel()
	t.Run("a client registers itself, a person allows it, and it renews", func(t *testing.T) {
		t.Parallel()
		w := selfRegistering(t)
		a := w.register(`{"client_name":"Tool","redirect_uris":["http://localhost/cb","cursor://tool/cb","https://tool.test/cb"],"grant_types":["authorization_code","refresh_token"],
			"token_endpoint_auth_method":"client_secret_basic","scope":"openid offline_access admin","logo_uri":"javascript:1","application_type":"native"}`, "")
		var got struct {
			ID           string   `json:"client_id"`
			AuthMethod   string   `json:"token_endpoint_auth_method"`
			Scope        string   `json:"scope"`
			RedirectURIs []string `json:"redirect_uris"`
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.StatusCode != http.StatusCreated || got.AuthMethod != "none" || got.Scope != "openid offline_access" || len(got.RedirectURIs) != 3 {
			t.Fatalf("%d %s %v", a.StatusCode, a.body, err)
		}
		b := w.browser()
		at := "https://tool.test/cb"
		page := b.authorizeAs("lin", authorize("client_id", got.ID, "redirect_uri", at, "scope", "openid offline_access"))
		page.page(t, http.StatusOK, "Tool ("+got.ID+")")
		if !strings.Contains(page.body, `<p class="code">tool.test</p>`) {
			t.Errorf("the page does not show where the code goes: %s", page.body)
		}
		code := b.answerConsent(page, "allow").location().Query().Get("code")
		tokens := w.tokens(code, "client_id", got.ID, "redirect_uri", at)
		if len(w.access(tokens["access_token"]).Roles) != 0 {
			t.Error("its tokens have roles")
		}
		w.jump(t, 2*24*time.Hour)
		w.renew(tokens["refresh_token"], "client_id", got.ID) // the row stays: a person signed in
		w.jump(t, 91*24*time.Hour)
		if a := w.program().get("/authorize?" + authorize("client_id", got.ID, "redirect_uri", at).Encode()); a.StatusCode != http.StatusBadRequest {
			t.Errorf("after 91 days: %d", a.StatusCode)
		}
	})
	t.Run("a registration without a sign-in ends after a day", func(t *testing.T) {
		t.Parallel()
		w := selfRegistering(t)
		var got struct {
			ID string `json:"client_id"`
		}
		if err := json.Unmarshal([]byte(w.register(`{"client_name":"Tool","redirect_uris":["https://tool.test/cb"]}`, "").body), &got); err != nil {
			t.Fatal(err)
		}
		ask := "/authorize?" + authorize("client_id", got.ID, "redirect_uri", "https://tool.test/cb", "scope", "openid").Encode()
		w.jump(t, 24*time.Hour-time.Second)
		if to := w.browser().get(ask).location(); to == nil {
			t.Error("refused before the day is over")
		}
		w.jump(t, 10*time.Second)
		w.browser().get(ask).page(t, http.StatusBadRequest, "We do not know this app")
	})
	t.Run("consent to one host is none to another, nor to an app on the device", func(t *testing.T) {
		t.Parallel()
		w := selfRegistering(t)
		for _, test := range []struct {
			uris, shown, again string
			asks               bool
		}{
			{`"https://claude.test/cb"`, "https://claude.test/cb", "https://claude.test/cb", false},
			{`"https://claude.test/cb","https://claude.test/b"`, "https://claude.test/cb", "https://claude.test/b", false},
			{`"https://claude.test/cb","https://evil.test/cb"`, "https://claude.test/cb", "https://evil.test/cb", true},
			{`"http://127.0.0.1/cb","https://evil.test/cb"`, "http://127.0.0.1/cb", "https://evil.test/cb", true},
			{`"cursor://tool/cb"`, "cursor://tool/cb", "cursor://tool/cb", true},
		} {
			var got struct {
				ID string `json:"client_id"`
			}
			if err := json.Unmarshal([]byte(w.register(`{"client_name":"Claude","redirect_uris":[`+test.uris+`]}`, "").body), &got); err != nil {
				t.Fatal(err)
			}
			b := w.browser()
			page := b.authorizeAs("lin", authorize("client_id", got.ID, "redirect_uri", test.shown, "scope", "openid"))
			page.page(t, http.StatusOK, "Nobody here checked this app")
			b.answerConsent(page, "allow")
			again := b.get("/authorize?" + authorize("client_id", got.ID, "redirect_uri", test.again, "scope", "openid").Encode())
			if asks := again.StatusCode == http.StatusOK && strings.Contains(again.body, "Nobody here checked this app"); asks != test.asks {
				t.Errorf("%s: consent for %s, then %s: %d %s", test.uris, test.shown, test.again, again.StatusCode, again.Header.Get("Location"))
			}
		}
	})
	t.Run("it has no more than gatehouse.yml gives today", func(t *testing.T) {
		t.Parallel()
		w := selfRegistering(t)
		var got struct {
			ID string `json:"client_id"`
		}
		if err := json.Unmarshal([]byte(w.register(`{"client_name":"Tool","redirect_uris":["https://tool.test/cb"]}`, "").body), &got); err != nil {
			t.Fatal(err)
		}
		finder := registry.NewFinder(defaultClients, w.config.Table, w.now)
		for _, test := range []struct {
			terms  *client.Client
			scopes string // "": unknown
		}{
			{w.config.Self, "openid offline_access"},
			{&client.Client{ThirdParty: true, Scopes: []string{"openid"}, Audiences: []string{"https://api.test/mcp"}}, "openid"},
			{&client.Client{ThirdParty: true, Scopes: []string{"other"}}, ""}, {nil, ""},
		} {
			w.jump(t, registry.MaxAge)
			finder.Self = test.terms
			app, err := finder.Lookup(t.Context(), got.ID)
			if strings.Join(app.Scopes, " ") != test.scopes || errors.Is(err, client.ErrUnknown) != (test.scopes == "") || err == nil && len(app.Audiences) != len(test.terms.Audiences) {
				t.Errorf("%+v: %+v, %v", test.terms, app, err)
			}
		}
	})
	t.Run("what is wrong is named", func(t *testing.T) {
		t.Parallel()
		w := selfRegistering(t)
		for body, want := range map[string]string{
			`{"client_name":"Tool"}`: "invalid_redirect_uri", `{"client_name":"Tool","redirect_uris":["http://evil.test/cb"]}`: "invalid_redirect_uri",
			`{"client_name":"Tool","redirect_uris":["javascript:alert(1)"]}`: "invalid_redirect_uri", `{"client_name":"Tool","redirect_uris":["ftp://x/cb"]}`: "invalid_redirect_uri",
			`{"redirect_uris":["https://tool.test/cb"]}`: "invalid_client_metadata", `[]`: "invalid_client_metadata", ``: "invalid_client_metadata",
			`{"client_name":"A","client_name":"B","redirect_uris":["https://tool.test/cb"]}`:                        "invalid_client_metadata",
			`{"client_name":"A","client_secret":"x","redirect_uris":["https://tool.test/cb"]}`:                      "invalid_client_metadata",
			`{"client_name":"A\u202eB","redirect_uris":["https://tool.test/cb"]}`:                                   "invalid_client_metadata",
			`{"client_name":"A","grant_types":["client_credentials"],"redirect_uris":["https://tool.test/cb"]}`:     "invalid_client_metadata",
			`{"client_name":"A","redirect_uris":["https://tool.test/cb"],"scope":"admin"}`:                          "invalid_client_metadata",
			`{"client_name":"A","redirect_uris":["https://tool.test/cb"],"x":"` + strings.Repeat("a", 17000) + `"}`: "invalid_client_metadata",
		} {
			w.jump(t, time.Minute)
			a := w.register(body, "")
			if a.StatusCode != http.StatusBadRequest && a.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(a.body, want) {
				t.Errorf("%.80s: %d %s", body, a.StatusCode, a.body)
			}
		}
		if rows, err := (&registry.Clients{Table: w.config.Table}).List(t.Context()); err != nil || len(rows) != 0 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
		if a := newWorld(t).register(`{"client_name":"A","redirect_uris":["https://tool.test/cb"]}`, ""); a.StatusCode != http.StatusNotFound {
			t.Errorf("off: %d", a.StatusCode)
		}
	})
}

// TestRegistrationFlood: a flood fills a bounded number of rows.
func TestRegistrationFlood(t *testing.T) {
	t.Parallel()
	w := selfRegistering(t)
	status := map[int]int{}
	for range 30 {
		status[w.register(`{"client_name":"Tool","redirect_uris":["https://tool.test/cb"]}`, "").StatusCode]++
	}
	if status[http.StatusCreated] != 10 || status[http.StatusTooManyRequests] != 20 {
		t.Errorf("from one source: %v", status)
	}
	clear(status)
	for i := range 30 { // one subscriber has all of them
		source := fmt.Sprintf("2001:db8::%x", i+1)
		status[w.register(`{"client_name":"Tool","redirect_uris":["https://tool.test/cb"]}`, source).StatusCode]++
	}
	if status[http.StatusCreated] != 10 {
		t.Errorf("from one network: %v", status)
	}
	clients := &registry.Clients{Table: w.config.Table, Now: w.now, Limits: client.Limits{Scopes: []string{"openid"}}}
	app := client.Client{Name: "Tool", ThirdParty: true, RedirectURIs: []string{"https://tool.test/cb"}, Scopes: []string{"openid"}}
	full := 0
	for range 2500 {
		if _, err := clients.AddSelf(t.Context(), app); err == registry.ErrFull {
			full++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	all, err := clients.List(t.Context())
	if err != nil || len(all) > 1000 || full < 1000 {
		t.Errorf("%d rows, %d refused, %v", len(all), full, err)
	}
	w.jump(t, 25*time.Hour)
	if _, err := clients.AddSelf(t.Context(), app); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

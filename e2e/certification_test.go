package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TestCertification makes a real exchange for each module of three plans of the
// OpenID Foundation's conformance suite, with requests as the suite sends them. The
// modules are data: certification/modules.json.
func TestCertification(t *testing.T) {
	text, err := os.ReadFile("certification/modules.json")
	if err != nil {
		t.Fatal(err)
	}
	var plans struct {
		About                 string
		Basic, Logout, Config []module
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	h := startService(t, "--config", configWith(t, fmt.Sprintf(`
  - {id: suite, secret: %[1]q, pkce: off, redirect_uris: ["%[2]s"], post_logout_redirect_uris: ["%[3]s"], grants: [authorization_code, refresh_token], scopes: [openid, profile, email, offline_access]}
  - {id: suite2, secret: %[1]q, pkce: off, redirect_uris: ["%[2]s"], grants: [authorization_code, refresh_token], scopes: [openid, profile, email, offline_access]}
`, suiteSecret, callback, suiteBye)))
	provider, err := oidc.NewProvider(oidc.ClientContext(t.Context(), h.client), h.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range []struct {
		name    string
		modules []module
		want    int // modules of the plan, as the suite has it
	}{{"basic", plans.Basic, 38}, {"logout", plans.Logout, 11}, {"config", plans.Config, 1}} {
		if len(plan.modules) != plan.want {
			t.Errorf("plan %s has %d modules, want %d", plan.name, len(plan.modules), plan.want)
		}
		for _, m := range plan.modules {
			t.Run(plan.name+"/"+m.Module, func(t *testing.T) {
				t.Parallel()
				s := &suite{t: t, h: h, provider: provider, browser: h.browser(t), verifier: oauth2.GenerateVerifier(), stops: callback}
				for i, step := range m.Steps {
					if err := s.run(step); err != nil {
						t.Fatalf("step %d, %s: %v", i+1, step.Do, err)
					}
				}
			})
		}
	}
}

const (
	suiteSecret = "secret of the conformance suite."
	suiteBye    = "http://127.0.0.1/bye"
)

// module is a module of a plan.
type module struct {
	Module string
	Steps  []step
}

// step is a request, and what is asserted about its response.
type step struct {
	Do      string            // authorize, token, renew, userinfo, logout, discovery or wait
	As      string            // how it is sent
	With    map[string]string // changes of parameters; "" takes one out
	Want    []string          // the results that the module accepts; none: success
	Asks    *bool             // whether the person has to be asked
	ID      []string          // assertions about the ID token
	Claims  []string          // what userinfo must have
	Has     []string          // members that the discovery document must have
	Says    map[string]any    // its members with their values
	Lacks   map[string]string // values that a list of it must not have
	Seconds int
}

// suite is one run of a module.
type suite struct {
	t        *testing.T
	h        *service
	provider *oidc.Provider
	browser  *http.Client
	verifier string
	stops    string // the redirect URI

	n           int // of requests so far
	nonce       string
	code        string
	tokens      map[string]any
	last        *oidc.IDToken
	lastAuth    int64
	lastIDToken string
}

func (s *suite) run(step step) error {
	switch step.Do {
	case "wait":
		time.Sleep(time.Duration(step.Seconds) * time.Second)
		return nil
	case "discovery":
		return s.discovery(step)
	case "authorize":
		return s.authorize(step)
	case "token":
		return s.token(step, url.Values{"grant_type": {"authorization_code"}, "code": {s.code}, "redirect_uri": {callback}})
	case "renew":
		refresh, _ := s.tokens["refresh_token"].(string)
		return s.token(step, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	case "userinfo":
		return s.userinfo(step)
	case "logout":
		return s.logout(step)
	}
	return fmt.Errorf("unknown step")
}

// change makes the changes of the step to the parameters.
func (s *suite) change(v url.Values, step step) {
	payload := func(claims map[string]any) string {
		text, _ := json.Marshal(claims)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
	}
	modified := s.lastIDToken
	if parts := strings.Split(modified, "."); len(parts) == 3 {
		modified = parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2]))
	}
	known := strings.NewReplacer(
		"{redirect_uri}", callback, "{post_logout_redirect_uri}", suiteBye, "{id_token}", s.lastIDToken, "{modified_id_token}", modified,
		"{foreign_id_token}", payload(map[string]any{"iss": "https://other.example", "aud": "suite", "sub": "1"}),
		"{request_object}", payload(map[string]any{"client_id": "suite", "redirect_uri": callback, "response_type": "code", "scope": "openid"}),
		"{verifier}", s.verifier, "{challenge}", oauth2.S256ChallengeFromVerifier(s.verifier))
	for name, value := range step.With {
		if value == "" {
			v.Del(name)
			continue
		}
		v.Set(name, known.Replace(value))
	}
}

func (s *suite) discovery(step step) error {
	var document map[string]any
	if err := s.provider.Claims(&document); err != nil {
		return err
	}
	for _, name := range step.Has {
		if document[name] == nil {
			return fmt.Errorf("no %s", name)
		}
	}
	for name, want := range step.Says {
		if document[name] != want {
			return fmt.Errorf("%s is %v, want %v", name, document[name], want)
		}
	}
	for name, word := range step.Lacks {
		if list, _ := document[name].([]any); slices.Contains(list, any(word)) {
			return fmt.Errorf("%s has %s", name, word)
		}
	}
	return nil
}

// client is who sends a request of the step.
func (s step) client() string {
	if strings.HasPrefix(s.As, "client 2") {
		return "suite2"
	}
	return "suite"
}

func (s *suite) authorize(step step) error {
	s.n++
	s.nonce = fmt.Sprintf("nonce-%d", s.n)
	state := strings.Repeat(fmt.Sprintf("state-%d.", s.n), 16)[:128]
	v := url.Values{"client_id": {step.client()}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {state}, "nonce": {s.nonce}}
	s.change(v, step)
	s.nonce = v.Get("nonce")
	request, err := http.NewRequest(http.MethodGet, s.h.Issuer+"/authorize?"+v.Encode(), nil)
	if step.As == "post" {
		request, err = http.NewRequest(http.MethodPost, s.h.Issuer+"/authorize", strings.NewReader(v.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err != nil {
		return err
	}
	end, asked, err := s.visit(request)
	if err != nil {
		return err
	}
	if step.Asks != nil && *step.Asks != asked {
		return fmt.Errorf("the person was asked: %v, want %v", asked, *step.Asks)
	}
	got := "page"
	if end != nil {
		q := end.Query()
		if q.Get("state") != state || q.Get("iss") != s.h.Issuer {
			return fmt.Errorf("came back with state %q and iss %q", q.Get("state"), q.Get("iss"))
		}
		got, s.code = q.Get("error"), q.Get("code")
		if s.code != "" {
			got = "code"
		}
	}
	return oneOf(got, step.Want, "code")
}

// visit goes where the request leads, signs in as Lin and consents where a page
// asks for that, and returns the address at the client at which it ends: nil if
// it ends at a page.
func (s *suite) visit(request *http.Request) (end *url.URL, asked bool, err error) {
	browser := *s.browser
	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), s.stops) || strings.HasPrefix(r.URL.String(), suiteBye) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	for range 6 {
		response, err := browser.Do(request)
		if err != nil {
			return nil, asked, err
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, asked, err
		}
		page := string(text)
		if to, err := response.Location(); err == nil {
			return to, asked, nil
		}
		if onward := between(page, `<meta http-equiv="refresh" content="0;url=`, `"`); onward != "" {
			to, err := url.Parse(html.UnescapeString(onward))
			return to, asked, err
		}
		form := url.Values{}
		address := response.Request.URL
		switch {
		case strings.HasPrefix(address.String(), s.h.Demo):
			form.Set("user", "lin")
		case strings.Contains(page, `name="consent"`):
			form.Set("request", html.UnescapeString(between(page, `name="request" value="`, `"`)))
			form.Set("consent", "allow")
			address = address.ResolveReference(&url.URL{Path: strings.TrimPrefix(between(page, `action="`, `"`), s.h.Issuer)})
		case strings.Contains(page, `name="sign_out"`):
			for part := range strings.SplitSeq(page, `<input type="hidden" name="`) {
				if name, rest, ok := strings.Cut(part, `" value="`); ok && !strings.Contains(name, "<") {
					value, _, _ := strings.Cut(rest, `"`)
					form.Set(name, html.UnescapeString(value))
				}
			}
			form.Set("sign_out", "here")
			address = address.ResolveReference(&url.URL{Path: "/logout"})
		default:
			return nil, asked, nil
		}
		asked = true
		request, err = http.NewRequest(http.MethodPost, address.String(), strings.NewReader(form.Encode()))
		if err != nil {
			return nil, asked, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return nil, asked, fmt.Errorf("too many pages")
}

// between returns the text between two others, or "".
func between(text, before, after string) string {
	_, rest, ok := strings.Cut(text, before)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, after)
	return value
}

func (s *suite) token(step step, v url.Values) error {
	s.change(v, step)
	secret := suiteSecret + s.h.padding
	if strings.HasSuffix(step.As, "post") {
		v.Set("client_id", step.client())
		v.Set("client_secret", secret)
	}
	request, err := http.NewRequest(http.MethodPost, s.h.Issuer+"/token", strings.NewReader(v.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !v.Has("client_id") {
		request.SetBasicAuth(url.QueryEscape(step.client()), url.QueryEscape(secret))
	}
	status, body, err := s.json(request)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return oneOf(fmt.Sprint(body["error"]), step.Want, "tokens")
	}
	s.tokens = body
	if err := oneOf("tokens", step.Want, "tokens"); err != nil {
		return err
	}
	return s.idToken(step)
}

// idToken verifies the ID token as the suite does, and makes the step's assertions.
func (s *suite) idToken(step step) error {
	raw, _ := s.tokens["id_token"].(string)
	id, err := s.provider.Verifier(&oidc.Config{ClientID: step.client()}).Verify(oidc.ClientContext(s.t.Context(), s.h.client), raw)
	if err != nil {
		return err
	}
	var claims struct {
		AuthTime int64 `json:"auth_time"`
	}
	if err := id.Claims(&claims); err != nil {
		return err
	}
	holds := map[string]bool{
		"nonce": id.Nonce == s.nonce && s.nonce != "", "no nonce": id.Nonce == "",
		"signed":   strings.Contains(decoded(raw), `"alg":"RS256"`) && strings.Contains(decoded(raw), `"kid":"`),
		"same sub": s.last != nil && s.last.Subject == id.Subject, "later auth_time": claims.AuthTime > s.lastAuth, "same auth_time": claims.AuthTime == s.lastAuth,
	}
	for _, assertion := range step.ID {
		if ok, known := holds[assertion]; !ok || !known {
			return fmt.Errorf("ID token: %s does not hold (known: %v)", assertion, slices.Sorted(maps.Keys(holds)))
		}
	}
	s.last, s.lastAuth, s.lastIDToken = id, claims.AuthTime, raw
	return nil
}

// decoded is the header of a JWT.
func decoded(raw string) string {
	header, _, _ := strings.Cut(raw, ".")
	text, _ := base64.RawURLEncoding.DecodeString(header)
	return string(text)
}

func (s *suite) userinfo(step step) error {
	access, _ := s.tokens["access_token"].(string)
	request, err := http.NewRequest(http.MethodGet, s.h.Issuer+"/userinfo", nil)
	switch step.As {
	case "post header":
		request, err = http.NewRequest(http.MethodPost, s.h.Issuer+"/userinfo", nil)
	case "post body":
		request, err = http.NewRequest(http.MethodPost, s.h.Issuer+"/userinfo", strings.NewReader(url.Values{"access_token": {access}}.Encode()))
	}
	if err != nil {
		return err
	}
	if step.As == "post body" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		request.Header.Set("Authorization", "Bearer "+access)
	}
	status, body, err := s.json(request)
	if err != nil && status == http.StatusOK {
		return err
	}
	if err := oneOf(fmt.Sprint(status), step.Want, "200"); err != nil || status != http.StatusOK {
		return err
	}
	if body["sub"] != s.last.Subject {
		return fmt.Errorf("another sub than in the ID token")
	}
	for _, name := range step.Claims {
		if body[name] == nil {
			return fmt.Errorf("no %s", name)
		}
	}
	return nil
}

func (s *suite) logout(step step) error {
	v := url.Values{"id_token_hint": {s.lastIDToken}, "post_logout_redirect_uri": {suiteBye}, "state": {strings.Repeat("bye.", 32)}}
	s.change(v, step)
	request, err := http.NewRequest(http.MethodGet, s.h.Issuer+"/logout?"+v.Encode(), nil)
	if err != nil {
		return err
	}
	end, _, err := s.visit(request)
	if err != nil {
		return err
	}
	got := "page"
	if end != nil {
		got = "back"
		if end.Query().Get("state") != v.Get("state") || end.Path != "/bye" {
			return fmt.Errorf("came back at %v", end)
		}
	}
	return oneOf(got, step.Want, "back")
}

func (s *suite) json(request *http.Request) (int, map[string]any, error) {
	response, err := s.h.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	var body map[string]any
	err = json.NewDecoder(response.Body).Decode(&body)
	return response.StatusCode, body, err
}

// oneOf wants a result among those that the module accepts.
func oneOf(got string, want []string, otherwise string) error {
	if want == nil {
		want = []string{otherwise}
	}
	if !slices.Contains(want, got) {
		return fmt.Errorf("%q, want one of %q", got, want)
	}
	return nil
}

package stacktest_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// racer is a user who gets tokens while an admin revokes them.
type racer struct {
	s     *world
	email string
	id    string
	admin string // an admin's access token

	v       *visitor // of the newest session
	access  string   // the client's tokens in this session
	refresh string
}

const raceURI = "http://127.0.0.1/callback"

var raceVerifier = oauth2.GenerateVerifier()

// racer returns a new user with roles to lose and tokens that are alive.
func (s *world) racer(t *testing.T, email string) *racer {
	t.Helper()
	u := &racer{s: s, email: email, admin: s.tokens(t, "ada").AccessToken}
	u.signIn(t)
	u.id = claimsOf(t, u.access).Subject
	u.act(t, "PUT", "/roles", `{"roles":["user","editor","reviewer"]}`)
	u.signIn(t)
	if allowed, err := s.authorized(t, u.access); !allowed {
		t.Fatalf("a token that is alive is refused: %v\n%s", err, s.Log)
	}
	return u
}

// act sends a request of the admin about the user, and returns the response. On a
// busy machine the authorizer sometimes has no answer in time, and lets no request
// through: the admin tries again.
func (u *racer) act(t *testing.T, method, path, body string) string {
	t.Helper()
	status, text := u.s.ask(t, method, "/users/"+u.id+path, u.admin, body)
	for tries := 1; status == http.StatusInternalServerError && tries < 5; tries++ {
		status, text = u.s.ask(t, method, "/users/"+u.id+path, u.admin, body)
	}
	if status >= 300 {
		t.Fatalf("%s %s: %d %s\n%s", method, path, status, text, u.s.Log)
	}
	return text
}

// signIn begins a session, and gets tokens of the client in it.
func (u *racer) signIn(t *testing.T) {
	t.Helper()
	u.v = u.s.visitor(t)
	chosen := u.choose(t, u.v.next(t, u.v.open(t, u.authorize("openid offline_access"), nil)))
	a := u.s.redeem(t, u.redemption(t, u.v.next(t, chosen)))()
	u.access, u.refresh = a.token, a.refresh
	if a.refresh == "" {
		t.Fatalf("signing in: %d, %v\n%s", a.status, a.err, u.s.Log)
	}
}

// choose answers the demo provider's question who the user is.
func (u *racer) choose(t *testing.T, cards page) page {
	t.Helper()
	return u.v.open(t, cards.Request.URL.String(), url.Values{"user": {"other"}, "email": {u.email}, "email_verified": {"yes"}, "name": {"Racer"}})
}

func (u *racer) authorize(scope string) string {
	return u.s.Issuer + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"race"}, "redirect_uri": {raceURI}, "scope": {scope}, "state": {"s"}, "idp_hint": {"demo"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(raceVerifier)}, "code_challenge_method": {"S256"},
	}.Encode()
}

// redemption redeems the code that a page sends to the client.
func (u *racer) redemption(t *testing.T, sent page) url.Values {
	t.Helper()
	to, err := sent.Location()
	if err != nil || to.Query().Get("code") == "" {
		t.Fatalf("no code: %d %v\n%s\n%s", sent.StatusCode, to, sent.text, u.s.Log)
	}
	return url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {raceURI}, "code_verifier": {raceVerifier}}
}

// grant prepares a way to get a token, and returns the request that gets it.
func (u *racer) grant(t *testing.T, way string) func() redeemed {
	t.Helper()
	switch way {
	case "code":
		return u.s.redeem(t, u.redemption(t, u.v.open(t, u.authorize("openid"), nil)))
	case "refresh token":
		return u.s.redeem(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {u.refresh}})
	case "device code":
		return u.s.redeem(t, u.device(t))
	}
	u.v = u.s.visitor(t)
	started := u.v.open(t, u.s.Issuer+"/users/login", nil)
	back, err := u.choose(t, u.v.next(t, started)).Location()
	if err != nil {
		t.Fatal(err)
	}
	return request(u.v.client, newRequest(t, http.MethodGet, back.String(), nil))
}

// device has the user approve a device.
func (u *racer) device(t *testing.T) url.Values {
	t.Helper()
	var device struct {
		Code     string `json:"device_code"`
		UserCode string `json:"user_code"`
	}
	started := u.v.open(t, u.s.Issuer+"/device_authorization", url.Values{"client_id": {"race"}, "scope": {"openid"}})
	if err := json.Unmarshal([]byte(started.text), &device); err != nil || device.Code == "" {
		t.Fatalf("%d %s", started.StatusCode, started.text)
	}
	form := u.v.open(t, u.s.Issuer+"/device", url.Values{"user_code": {device.UserCode}}).hidden()
	form.Set("consent", "allow")
	if done := u.v.open(t, u.s.Issuer+"/device", form); done.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", done.StatusCode, done.text)
	}
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {device.Code}}
}

// revokeBefore revokes older tokens, so that the login service waits before it
// issues another: up to 1.5 seconds, and nearly as long at the moment that is
// chosen here. A sign-in has a session of its own, and a revoked family takes its
// refresh token along: there, all tokens of the user are revoked, by a demotion.
func (u *racer) revokeBefore(t *testing.T, way string) {
	t.Helper()
	now := time.Now()
	moment := now.Truncate(time.Second).Add(510 * time.Millisecond)
	if moment.Before(now) {
		moment = moment.Add(time.Second)
	}
	time.Sleep(time.Until(moment))
	if way == "refresh token" || way == "/users/login" {
		u.act(t, "PUT", "/roles", `{"roles":["user","editor"]}`)
		return
	}
	if a := u.s.post(t, "/revoke", url.Values{"client_id": {"race"}, "token": {u.access}}); a.status != http.StatusOK {
		t.Fatalf("revocation: %d", a.status)
	}
}

// redeemed is the response to a request for a token.
type redeemed struct {
	status         int
	token, refresh string
	at             time.Time
	err            error
}

// redeem prepares a request of the client to the token endpoint.
func (s *world) redeem(t *testing.T, form url.Values) func() redeemed {
	t.Helper()
	form.Set("client_id", "race")
	return request(s.client, newRequest(t, http.MethodPost, s.Issuer+"/token", form))
}

func newRequest(t *testing.T, method, address string, form url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func request(client *http.Client, r *http.Request) func() redeemed {
	return func() (a redeemed) {
		resp, err := client.Do(r)
		if err != nil {
			return redeemed{err: err}
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		var got struct {
			Access  string `json:"access_token"`
			JWT     string `json:"jwt"` // of /users/login
			Refresh string `json:"refresh_token"`
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			err = json.Unmarshal(body, &got)
		}
		return redeemed{resp.StatusCode, cmp.Or(got.Access, got.JWT), got.Refresh, time.Now(), err}
	}
}

// raceClaims are claims of an access token. They are not verified.
type raceClaims struct {
	Subject   string   `json:"sub"`
	SessionID string   `json:"sid"`
	Roles     []string `json:"roles"`
}

func claimsOf(t *testing.T, token string) (c raceClaims) {
	t.Helper()
	if token == "" {
		return c
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

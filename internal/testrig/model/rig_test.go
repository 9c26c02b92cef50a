package model_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/model"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/api"
)

const (
	issuer      = "https://login.test"
	audience    = "https://api.test"
	redirectURI = "https://app.test/cb"
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, Appendix B
	challenge   = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// clientIDs are the ids of model.First and model.Third.
var clientIDs = [...]string{"first", "third"}

func lookUp(_ context.Context, id string) (client.Client, error) {
	for i, known := range clientIDs {
		if id == known {
			return client.Client{
				ID: id, RedirectURIs: []string{redirectURI}, Scopes: []string{"notes", "offline_access"}, ThirdParty: int8(i) == model.Third,
				Grants: []string{client.GrantCode, client.GrantRefresh, client.GrantDevice},
			}, nil
		}
	}
	return client.Client{}, client.ErrUnknown
}

// rig is the real service in the small world: handlers, a table, and one clock.
type rig struct {
	t     *testing.T
	clock *fake.Clock
	table table.Table
	users *usersvc.Users
	api   http.Handler
	admin identity.Identity

	service  http.Handler
	rotator  *keyring.Keyring
	guard    map[bool]http.Handler // the authorizer, by whether the route is fresh
	down     bool
	began    time.Time
	user     string
	sessions []usersvc.Session
	cookies  []string
	identity string // the one of session 0

	codes    [2]issuedCode
	refresh  [2][]string // of each family, in their order
	tokens   [3]string
	requests [2]*call
	known    []string // key ids that the gateway has
	fetched  time.Time
}

type issuedCode struct {
	text   string
	device bool
}

var silent = slog.New(slog.DiscardHandler)

// newRig returns a rig on a table, with an admin.
func newRig(t *testing.T, on table.Table) *rig {
	r := &rig{t: t, clock: new(fake.Clock), table: gated{on}}
	r.users = &usersvc.Users{Table: r.table, Now: r.clock.Now, TrustedProviders: []string{"demo"}}
	admin, _, _, err := r.users.SignIn(t.Context(), profile("admin", "demo"), usersvc.SignInInfo{})
	r.must(err)
	_, err = r.users.SetRoles(t.Context(), usersvc.By{Operator: "test"}, admin.ID, []string{usersvc.Admin}, 0)
	r.must(err)
	r.admin = identity.Identity{Subject: admin.ID, Roles: []string{usersvc.Admin}, Scopes: []string{client.ScopeAdmin}}
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func profile(name, provider string) usersvc.Profile {
	return usersvc.Profile{Issuer: "https://" + provider + ".test", Subject: name, Provider: provider, Email: name + "@example.com", EmailVerified: true}
}

// begin starts the world of a scope with a user of its own, and processes that
// remember nothing.
func (r *rig) begin(s *model.Scope, name string) {
	operator, ctx := usersvc.By{Operator: "test"}, r.t.Context()
	*r = rig{t: r.t, clock: r.clock, table: r.table, users: r.users, admin: r.admin}
	r.clock.Pass(2 * time.Hour)
	r.users.AccessTTL = seconds(s.Life)
	r.api = api.NewHandler(r.users, httpx.CORS{}, silent)
	r.startProcesses(s)

	one, other := profile(name, "demo"), profile(name, "other")
	user, first, cookie, err := r.users.SignIn(ctx, one, usersvc.SignInInfo{})
	r.must(err)
	_, err = r.users.Link(ctx, usersvc.By{UserID: user.ID}, first.ID, other)
	r.must(err)
	_, second, otherCookie, err := r.users.SignIn(ctx, other, usersvc.SignInInfo{})
	r.must(err)
	r.user, r.sessions, r.cookies = user.ID, []usersvc.Session{first, second}, []string{cookie, otherCookie}
	_, err = r.users.SetRoles(ctx, operator, user.ID, []string{usersvc.Admin, "user"}, 0)
	r.must(err)
	identities, err := r.users.Identities(ctx, user.ID)
	r.must(err)
	for _, i := range identities {
		if i.Provider == "demo" {
			r.identity = i.ID
		}
	}
	r.clock.Pass(time.Hour) // what was revoked so far is forgotten
	r.began = r.clock.Now()
	if s.Keys {
		_, err := r.rotator.Export(ctx) // the ring adopts key 0
		r.must(err)
	}
	for i, f := range s.Begin.Families {
		if f.Made {
			r.codes[0] = r.approve(model.Action{Client: f.Client, X: f.Session, Offline: true})
			got := r.redeem(ctx, f.Client, 0)
			r.refresh[i] = []string{got.RefreshToken}
		}
	}
}

func seconds[N int8 | int16](n N) time.Duration { return time.Duration(n) * time.Second }

// pool holds the signing keys of all worlds: they are slow to make.
var pool = sync.OnceValue(func() []keys.Signer {
	var all []keys.Signer
	for range 3 {
		key, err := localkey.Generate()
		if err != nil {
			panic(err)
		}
		all = append(all, key)
	}
	return all
})

// startProcesses starts a login service, an authorizer and a rotator.
func (r *rig) startProcesses(s *model.Scope) {
	look, err := pages.New(pages.Brand{})
	r.must(err)
	config := loginsvc.Config{
		Issuer: issuer, Audience: audience, Clients: lookUp, Users: r.users, Table: r.table, Pages: look, Now: r.clock.Now, Log: silent,
		Keys: keys.Static(pool()[0]), AccessTTL: seconds(s.Life), CodeTTL: seconds(s.CodeLife), RefreshGrace: seconds(s.Grace), Sleep: sleep,
	}
	source := authorizer.KeySourceConfig{
		URL: issuer + "/.well-known/jwks.json", Client: &http.Client{Transport: r}, Now: r.authorizerNow(s), Log: silent,
		MaxAge: seconds(s.SourceAge), Pause: seconds(s.SourcePause),
	}
	guard := authorizer.Config{Issuer: issuer, Audience: audience, Now: r.authorizerNow(s), Leeway: seconds(s.Leeway), Log: silent}
	rules := []policy.Rule{{Route: "GET /data", Scopes: []string{"notes"}}, {Route: "GET /fresh", Scopes: []string{"notes"}, Fresh: !s.Keys}}
	if s.Keys {
		ring := keyring.Config{
			Table: r.table, Now: r.clock.Now, Log: silent, Adopt: "0", Staleness: seconds(s.Staleness),
			Rules: keys.Rules{Lead: seconds(s.Lead), MaxAge: seconds(s.ShortLead) - keys.Margin, TokenTTL: seconds(s.Life), Leeway: time.Minute},
			Open:  func(_ context.Context, reference string) (keys.Signer, error) { return pool()[reference[0]-'0'], nil },
		}
		r.must(r.table.Write(r.t.Context(), table.Delete(schema.KeyRing())))
		service, err := keyring.New(ring)
		r.must(err)
		made := 0
		ring.Create = func(context.Context) (string, keys.Signer, error) {
			made++
			return fmt.Sprint(made), pool()[made], nil
		}
		r.rotator, err = keyring.New(ring)
		r.must(err)
		config.Keys, config.Published = service.Set, service.Fresh
		guard.Keys = r.keySource(source).Key
	} else {
		guard.Revocations, err = authorizer.NewFeed(authorizer.FeedConfig{
			URL: issuer + "/revocations", Client: &http.Client{Transport: r}, Now: r.authorizerNow(s), Log: silent,
			Interval: seconds(s.Interval), MaxStale: seconds(s.MaxStale), Timeout: time.Minute,
		})
		r.must(err)
		guard.Keys = r.keySource(source).Key
	}
	r.service, err = loginsvc.New(config)
	r.must(err)
	guard.Policy, err = policy.Compile(rules)
	r.must(err)
	a, err := authorizer.New(guard)
	r.must(err)
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	r.guard = map[bool]http.Handler{false: a.Guard("GET /data", ok), true: a.Guard("GET /fresh", ok)}
}

func (r *rig) keySource(c authorizer.KeySourceConfig) *authorizer.KeySource {
	source, err := authorizer.NewKeySource(c)
	r.must(err)
	return source
}

func (r *rig) authorizerNow(s *model.Scope) func() time.Time {
	return func() time.Time { return r.clock.Now().Add(-seconds(s.Behind)) }
}

// RoundTrip lets the authorizer reach the login service.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.down && strings.HasSuffix(req.URL.Path, "/revocations") {
		return nil, errors.New("out of reach")
	}
	rec := httptest.NewRecorder()
	req = req.Clone(req.Context())
	req.RequestURI, req.RemoteAddr, req.Host = req.URL.RequestURI(), "192.0.2.7:1", req.URL.Host
	if req.Body == nil {
		req.Body = http.NoBody
	}
	r.service.ServeHTTP(rec, req)
	return rec.Result(), nil
}

// send sends a request to the login service, and returns status, body and where it
// leads.
func (r *rig) send(ctx context.Context, method, path string, form url.Values, session int8) (status int, body, location string) {
	var content io.Reader = http.NoBody
	if form != nil {
		content = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, issuer+path, content)
	r.must(err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if session >= 0 {
		req.AddCookie(&http.Cookie{Name: "__Host-gatehouse_session", Value: r.cookies[session]})
	}
	res, err := r.RoundTrip(req)
	r.must(err)
	text, err := io.ReadAll(res.Body)
	r.must(err)
	location = res.Header.Get("Location")
	if _, rest, found := strings.Cut(string(text), `<meta http-equiv="refresh" content="0;url=`); found {
		location, _, _ = strings.Cut(rest, `">`)
		location = html.UnescapeString(location)
	}
	return res.StatusCode, string(text), location
}

// approve lets a client in, by the pages that a person sees.
func (r *rig) approve(a model.Action) issuedCode {
	r.t.Helper()
	ctx, scope := r.t.Context(), "notes"
	if a.Offline {
		scope += " offline_access"
	}
	if a.Y == 1 {
		return issuedCode{r.approveDevice(a, scope), true}
	}
	query := url.Values{
		"client_id": {clientIDs[a.Client]}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {scope},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	_, body, location := r.send(ctx, "GET", "/authorize?"+query.Encode(), nil, a.X)
	if location == "" {
		_, body, location = r.send(ctx, "POST", "/consent", url.Values{"request": {hidden(body, "request")}, "consent": {"allow"}}, a.X)
	}
	to, err := url.Parse(location)
	r.must(err)
	if to.Query().Get("code") == "" {
		r.t.Fatalf("no code: %s %s", location, body)
	}
	return issuedCode{to.Query().Get("code"), false}
}

func (r *rig) approveDevice(a model.Action, scope string) string {
	r.t.Helper()
	ctx := r.t.Context()
	var got struct {
		Device string `json:"device_code"`
		User   string `json:"user_code"`
	}
	_, body, _ := r.send(ctx, "POST", "/device_authorization", url.Values{"client_id": {clientIDs[a.Client]}, "scope": {scope}}, -1)
	r.must(json.Unmarshal([]byte(body), &got))
	_, body, _ = r.send(ctx, "POST", "/device", url.Values{"user_code": {got.User}}, a.X)
	form := url.Values{"user_code": {hidden(body, "user_code")}, "shown_to": {hidden(body, "shown_to")}, "consent": {"allow"}}
	if status, body, _ := r.send(ctx, "POST", "/device", form, a.X); status != http.StatusOK {
		r.t.Fatalf("device: %d %s", status, body)
	}
	return got.Device
}

// hidden returns the value of a hidden field of a page.
func hidden(body, name string) string {
	_, rest, _ := strings.Cut(body, `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}

// answered is what the token endpoint answers.
type answered struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
	status       int
}

func (r *rig) token(ctx context.Context, form url.Values) (got answered) {
	status, body, _ := r.send(ctx, "POST", "/token", form, -1)
	r.must(json.Unmarshal([]byte(body), &got))
	got.status = status
	return got
}

func (r *rig) redeem(ctx context.Context, by int8, code int8) answered {
	form := url.Values{
		"grant_type": {client.GrantCode}, "client_id": {clientIDs[by]}, "code": {r.codes[code].text}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	}
	if r.codes[code].device {
		form = url.Values{"grant_type": {client.GrantDevice}, "client_id": {clientIDs[by]}, "device_code": {r.codes[code].text}}
	}
	return r.token(ctx, form)
}

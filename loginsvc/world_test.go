package loginsvc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

const (
	issuer   = "https://login.test"
	audience = "https://api.test"
	demo     = "http://127.0.0.1:8788"
	appURI   = "https://app.test/cb"
	nonce    = "n-0S6_WzA2Mj"
)

var (
	verifier  = strings.Repeat("v", 43)
	challenge = challengeOf(verifier)
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// One signing key for the package, and one for its demo providers: making RSA
// keys is slow.
var (
	signer = sync.OnceValue(func() keys.Signer {
		key, err := localkey.Generate()
		if err != nil {
			panic(err)
		}
		return key
	})
	demoKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
)

// world is the login service among the others: people's browsers, a provider,
// apps. Requests travel in memory, by the host of their URL.
type world struct {
	t       *testing.T
	config  loginsvc.Config
	service http.Handler
	table   *faultyTable
	key     *faultySigner
	log     *strings.Builder
	clock   fake.Clock // of everyone; only the test moves it, and the service when it waits
	demo    *demoidp.Provider

	mu   sync.Mutex
	hits map[string]int // requests by host and path
}

var defaultClients = client.List{
	{ID: "spa", Name: "Shop", RedirectURIs: []string{appURI, "http://127.0.0.1/cb", "com.example.app:/cb"}, PostLogoutRedirectURIs: []string{"https://app.test/bye"},
		Origins: []string{"https://app.test"}, Scopes: []string{"openid", "profile", "email", "offline_access", "notes:read", "notes:write"},
		Grants: []string{client.GrantCode, client.GrantRefresh}},
	{ID: "web", Secret: "web: secret+1", Grants: []string{client.GrantCode, client.GrantRefresh}, Scopes: []string{"openid", "profile", "email", "offline_access"}, RedirectURIs: []string{appURI + "2"}, PostLogoutRedirectURIs: []string{"https://web.test/bye"}},
	{ID: "other", RedirectURIs: []string{appURI}, Grants: []string{client.GrantCode, client.GrantRefresh}},
	{ID: "ext", Name: "Elsewhere", ThirdParty: true, RedirectURIs: []string{"https://ext.test/cb"},
		Scopes: []string{"openid", "profile", "email", "offline_access"}, Grants: []string{client.GrantCode, client.GrantRefresh}},
	{ID: "tv", Name: "Telly", Grants: []string{client.GrantDevice, client.GrantRefresh}, Scopes: []string{"openid", "profile", "offline_access"}},
	{ID: "robot", Secret: "robot-secret", Grants: []string{client.GrantClientCredentials}, Scopes: []string{"openid", "offline_access", "notes:read", "notes:write"}},
	{ID: "odd id:+", Secret: "odd:+ secret"},
}

func newWorld(t *testing.T, change ...func(*loginsvc.Config)) *world {
	t.Helper()
	bolt, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bolt.Close() })
	look, err := pages.New(pages.Brand{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, table: &faultyTable{Table: bolt}, key: &faultySigner{Signer: signer()}, hits: map[string]int{}, log: &strings.Builder{}}
	w.demo, err = demoidp.New(demoidp.Config{
		Issuer: demo, ClientID: "gatehouse", ClientSecret: "upstream-secret", SignaturesPerKey: -1, FirstKey: demoKey(), Now: w.now,
		RedirectURIs: []string{issuer + "/callback/demo", issuer + "/callback/other", "https://login.test/auth/callback/demo", "http://localhost:8787/callback/demo"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.config = loginsvc.Config{
		Issuer: issuer, Audience: audience, Clients: defaultClients.Lookup, Origins: defaultClients.AllowsOrigin,
		Users: &usersvc.Users{Table: w.table, Admins: []string{"ada@example.com"}, Now: w.now},
		Table: w.table, Keys: keys.Static(w.key), Pages: look, Now: w.now, Sleep: w.sleep,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), LegacyLogin: true,
	}
	w.config.Providers = []*upstream.Provider{w.provider("demo", issuer)}
	for _, c := range change {
		c(&w.config)
	}
	if w.service, err = loginsvc.New(w.config); err != nil {
		t.Fatal(err)
	}
	return w
}

// now is what every clock of the world shows.
func (w *world) now() time.Time { return w.clock.Now() }

// at sets the clock to this long after the world began.
func (w *world) at(d time.Duration) { w.clock.Set(fake.Start.Add(d)) }

// jump moves the clock until the test t ends, which sets it to the beginning.
func (w *world) jump(t *testing.T, d time.Duration) {
	t.Helper()
	w.clock.Pass(d)
	t.Cleanup(func() { w.at(0) })
}

// sleep is how the service waits: time passes at once.
func (w *world) sleep(ctx context.Context, d time.Duration) error {
	w.clock.Pass(d)
	return ctx.Err()
}

// provider returns a provider that stands for the demo provider, reached through
// the world.
func (w *world) provider(id, at string) *upstream.Provider {
	p, err := upstream.New(upstream.Config{
		ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Issuer: demo, ClientID: "gatehouse", ClientSecret: "upstream-secret",
		CallbackURL: at + "/callback/" + id, HTTPClient: &http.Client{Transport: w}, Now: w.now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// RoundTrip answers a request as the host of its URL would.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.hits[r.URL.Host+r.URL.Path]++
	w.mu.Unlock()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r = r.Clone(r.Context())
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "192.0.2.7:4711"
	if other := r.Header.Get("X-Test-Source"); other != "" {
		r.RemoteAddr = other + ":4711"
	}
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	rec := httptest.NewRecorder()
	switch r.URL.Host {
	case "login.test", "localhost:8787":
		w.service.ServeHTTP(rec, r)
	case "127.0.0.1:8788":
		w.demo.ServeHTTP(rec, r)
	default:
		http.NotFound(rec, r)
	}
	if r.Method == http.MethodHead {
		rec.Body.Reset()
	}
	return rec.Result(), nil
}

func (w *world) hit(hostAndPath string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hits[hostAndPath]
}

// faultyTable is a table that fails when told to.
type faultyTable struct {
	table.Table
	failWrite func(writes []table.Write) error
	failRead  error
	failAfter error // the write is done, and its answer lost
	requests  atomic.Int64
}

func (f *faultyTable) Get(ctx context.Context, key table.Key) (table.Item, error) {
	f.requests.Add(1)
	if f.failRead != nil {
		return nil, f.failRead
	}
	return f.Table.Get(ctx, key)
}

func (f *faultyTable) Write(ctx context.Context, writes ...table.Write) error {
	f.requests.Add(1)
	if f.failWrite != nil {
		if err := f.failWrite(writes); err != nil {
			return err
		}
	}
	if err := f.Table.Write(ctx, writes...); err != nil {
		return err
	}
	return f.failAfter
}

// meeting holds back the first n calls of Write until all of them are there.
func meeting(n int) func([]table.Write) error {
	var arrived atomic.Int64
	all := make(chan struct{})
	return func([]table.Write) error {
		switch i := arrived.Add(1); {
		case i == int64(n):
			close(all)
		case i < int64(n):
			<-all
		}
		return nil
	}
}

var errDown = fmt.Errorf("%w: switched off by the test", table.ErrUnavailable)

// faultySigner is a key that fails when told to.
type faultySigner struct {
	keys.Signer
	fail   error
	signed atomic.Int64
}

func (f *faultySigner) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	f.signed.Add(1)
	if f.fail != nil {
		return nil, f.fail
	}
	return f.Signer.SignDigest(ctx, digest)
}

// browser is one person's browser, or with no jar a program.
type browser struct {
	w      *world
	jar    http.CookieJar
	header http.Header // sent with every request
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w: w, jar: jar, header: http.Header{"Accept": {"text/html"}, "User-Agent": {"test"}}}
}

func (w *world) program() *browser { return &browser{w: w, header: http.Header{}} }

// answer is an answer, read to its end.
type answer struct {
	*http.Response
	body string
}

// do sends a request and follows nothing.
func (b *browser) do(method, target string, form url.Values, header ...string) answer {
	b.w.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = issuer + target
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, target, body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	return b.send(r)
}

func (b *browser) send(r *http.Request) answer {
	b.w.t.Helper()
	c := http.Client{Transport: b.w, Jar: b.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{res, string(text)}
}

func (b *browser) get(target string, header ...string) answer {
	b.w.t.Helper()
	return b.do(http.MethodGet, target, nil, header...)
}

func (b *browser) post(target string, form url.Values, header ...string) answer {
	b.w.t.Helper()
	return b.do(http.MethodPost, target, form, header...)
}

// location is where the answer sends the browser, by a redirect or by a page that
// goes on; nil if nowhere.
func (a answer) location() *url.URL {
	if u, err := a.Response.Location(); err == nil {
		return u
	}
	_, rest, found := strings.Cut(a.body, `<meta http-equiv="refresh" content="0;url=`)
	address, _, _ := strings.Cut(rest, `">`)
	u, err := url.Parse(html.UnescapeString(address))
	if !found || err != nil {
		return nil
	}
	return u
}

// json decodes the body.
func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%d %s: not JSON: %q", a.StatusCode, a.Header.Get("Content-Type"), a.body)
	}
	return v
}

// authorize are the parameters of a good request by the client spa, changed by
// pairs of name and value; a value of "" leaves the parameter out.
func authorize(change ...string) url.Values {
	v := url.Values{
		"client_id": {"spa"}, "redirect_uri": {appURI}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"s-1"}, "nonce": {nonce}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(change); i += 2 {
		if change[i+1] == "" {
			v.Del(change[i])
			continue
		}
		v.Set(change[i], change[i+1])
	}
	return v
}

// authorizeAs asks for authorization and signs in at the provider if that is
// asked for. It returns the answer that leads back to the app, or the last.
func (b *browser) authorizeAs(user string, v url.Values) answer {
	b.w.t.Helper()
	return b.follow(user, b.get("/authorize?"+v.Encode()))
}

// follow follows an answer until it leaves login and provider.
func (b *browser) follow(user string, a answer) answer {
	b.w.t.Helper()
	for range 10 {
		to := a.location()
		switch {
		case to == nil:
			return a
		case to.Host == "127.0.0.1:8788" && to.Path == "/authorize":
			a = b.post(to.String(), url.Values{"user": {user}})
		case to.Host == "login.test" && to.Path != "/cb":
			a = b.get(to.String())
		default:
			return a
		}
	}
	b.w.t.Fatal("too many redirects")
	return answer{}
}

// code signs in and returns a fresh code for the client spa.
func (b *browser) code(user string, change ...string) string {
	b.w.t.Helper()
	a := b.authorizeAs(user, authorize(change...))
	to := a.location()
	if to == nil || to.Query().Get("code") == "" {
		b.w.t.Fatalf("no code: %d %v %s", a.StatusCode, to, a.body)
	}
	return to.Query().Get("code")
}

// redemption are the parameters with which spa redeems a code.
func redemption(code string, change ...string) url.Values {
	v := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {code}, "redirect_uri": {appURI}, "code_verifier": {verifier},
	}
	for i := 0; i < len(change); i += 2 {
		if change[i+1] == "" {
			v.Del(change[i])
			continue
		}
		v.Set(change[i], change[i+1])
	}
	return v
}

// tokens redeems a code and returns the answer.
func (w *world) tokens(code string, change ...string) map[string]any {
	w.t.Helper()
	a := w.program().post("/token", redemption(code, change...))
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("/token: %d %s", a.StatusCode, a.body)
	}
	return a.json(w.t)
}

// access verifies an access token as the API would.
func (w *world) access(rawToken any) token.Access {
	w.t.Helper()
	text, _ := rawToken.(string)
	a, err := token.VerifyAccess(w.t.Context(), text, w.published(), token.Expect{Issuer: w.config.Issuer, Audience: audience, Now: w.now()})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// published finds keys in the JWK Set that the service publishes.
func (w *world) published() token.KeyFunc {
	return func(_ context.Context, keyID string) (*rsa.PublicKey, error) {
		var set struct{ Keys []struct{ Kid, N, E string } }
		if err := json.Unmarshal([]byte(w.program().get("/.well-known/jwks.json").body), &set); err != nil {
			return nil, err
		}
		for _, k := range set.Keys {
			if k.Kid == keyID {
				return rsaKey(k.N, k.E), nil
			}
		}
		return nil, token.ErrKeyUnknown
	}
}

// refused asserts that the app hears of an error.
func (a answer) refused(t *testing.T, code string) {
	t.Helper()
	to := a.location()
	switch {
	case to == nil:
		t.Errorf("%d without a redirect, want error=%s: %s", a.StatusCode, code, a.body)
	case to.Query().Get("error") != code || to.Query().Get("code") != "" || to.Fragment != "":
		t.Errorf("sent to %v, want error=%s", to, code)
	}
}

// page asserts that the person sees a page and is sent nowhere.
func (a answer) page(t *testing.T, status int, text string) {
	t.Helper()
	if a.StatusCode != status || a.Header.Get("Location") != "" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %s, Location %q, want a page with %d", a.StatusCode, a.Header.Get("Content-Type"), a.Header.Get("Location"), status)
	}
	if !strings.Contains(a.body, text) {
		t.Errorf("the page does not say %q: %s", text, a.body)
	}
}

// oauthError asserts a JSON error of a token or userinfo request.
func (a answer) oauthError(t *testing.T, status int, code string) {
	t.Helper()
	if got := a.json(t)["error"]; a.StatusCode != status || got != code {
		t.Errorf("%d %v, want %d %s", a.StatusCode, got, status, code)
	}
	if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Content-Type %q, Cache-Control %q", a.Header.Get("Content-Type"), a.Header.Get("Cache-Control"))
	}
}

// users counts who has ever signed in.
func (w *world) users() int {
	w.t.Helper()
	page, err := w.config.Users.List(w.t.Context(), usersvc.Filter{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(page.Items)
}

type tableWrite = table.Write

// claims changes the ID tokens of the provider.
func (w *world) claims(change func(map[string]any)) {
	w.demo.Behave(demoidp.Behaviour{Claims: change})
	w.t.Cleanup(func() { w.demo.Behave(demoidp.Behaviour{}) })
}

// idToken verifies an ID token as the app would.
func (w *world) idToken(rawToken any, app string) token.ID {
	w.t.Helper()
	text, _ := rawToken.(string)
	id, err := token.VerifyID(w.t.Context(), text, w.published(), token.Expect{Issuer: w.config.Issuer, Audience: app, Now: w.now()})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func rsaKey(n, e string) *rsa.PublicKey {
	modulus, err := base64.RawURLEncoding.DecodeString(n)
	if err != nil {
		return nil
	}
	exponent, err := base64.RawURLEncoding.DecodeString(e)
	if err != nil {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}
}

// hidden returns the value of a hidden field of a page.
func hidden(t *testing.T, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `name="`+name+`" value="`)
	value, _, end := strings.Cut(rest, `"`)
	if !ok || !end {
		t.Fatalf("no field %s in %s", name, body)
	}
	return html.UnescapeString(value)
}

// option returns the link of a page that begins a sign-in at the provider.
func option(t *testing.T, body, provider string) string {
	t.Helper()
	for part := range strings.SplitSeq(body, `href="`) {
		link, _, _ := strings.Cut(part, `"`)
		if u, err := url.Parse(html.UnescapeString(link)); err == nil && u.Query().Get("idp_hint") == provider {
			return u.String()
		}
	}
	t.Fatalf("no link to %s in %s", provider, body)
	return ""
}

// goOn returns the link of a page with the text.
func goOn(t *testing.T, body, text string) string {
	t.Helper()
	before, _, ok := strings.Cut(body, text)
	i := strings.LastIndex(before, `href="`)
	if !ok || i < 0 {
		t.Fatalf("no link %q in %s", text, body)
	}
	link, _, _ := strings.Cut(before[i+len(`href="`):], `"`)
	return html.UnescapeString(link)
}

func nobodyKnown(context.Context, string) (client.Client, error) {
	return client.Client{}, client.ErrUnknown
}

// rebuild makes the service anew of the configuration.
func (w *world) rebuild() {
	w.t.Helper()
	s, err := loginsvc.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.service = s
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

type clientClient = client.Client

// later does something in the next second, so that what the feed says of this
// one does not reach it.
func (w *world) later(do func() map[string]any) map[string]any {
	w.clock.Pass(time.Second)
	return do()
}

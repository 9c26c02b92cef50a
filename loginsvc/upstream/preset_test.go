package upstream_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

// site is a provider that is strict about what we send: each request has to hold
// just what the provider takes, and a code is good once.
type site struct {
	t      *testing.T
	url    string
	clock  fake.Clock
	config upstream.Config

	// authorize are the parameters that the provider wants besides those of every
	// request.
	authorize map[string]string
	// token answers the token request, after client and PKCE were checked.
	token func(w http.ResponseWriter, nonce string)
	// secret judges the client secret in the form; nil: "s3cret".
	secret func(secret string) bool
	pages  map[string]http.HandlerFunc // by path
	noPKCE bool                        // the provider ignores PKCE

	asked url.Values // the last authorization request
}

func newSite(t *testing.T, config upstream.Config) *site {
	t.Helper()
	s := &site{t: t, config: config, pages: map[string]http.HandlerFunc{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := s.pages[r.URL.Path]
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// open makes the provider of the site. Its id is "p".
func (s *site) open() *upstream.Provider {
	s.t.Helper()
	c := s.config
	c.ID, c.ClientID, c.CallbackURL, c.Now = "p", "gatehouse", "https://login.test/callback/p", s.clock.Now
	if c.ClientSecret == "" && c.Preset != "apple" {
		c.ClientSecret = "s3cret"
	}
	p, err := upstream.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

const siteVerifier = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"

// signIn goes to the provider and back.
func (s *site) signIn(p *upstream.Provider, response upstream.Response) (upstream.Identity, error) {
	s.t.Helper()
	at, err := p.AuthURL(s.t.Context(), upstream.Request{State: "s", Nonce: "n", Verifier: siteVerifier})
	if err != nil {
		return upstream.Identity{}, err
	}
	u, err := url.Parse(at)
	if err != nil {
		s.t.Fatal(err)
	}
	s.asked = u.Query()
	for name, want := range s.authorize {
		if got := s.asked.Get(name); got != want {
			s.t.Errorf("the request has %s=%q, want %q", name, got, want)
		}
	}
	response.Code = "the code"
	return p.Exchange(s.t.Context(), response, "n", siteVerifier)
}

// tokens is the token endpoint.
func (s *site) tokens(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		s.t.Errorf("a token request by %s with %s", r.Method, r.Header.Get("Content-Type"))
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if wantBasic := s.config.ClientAuth == "basic" || s.config.Preset == "microsoft"; wantBasic != basic {
		s.t.Errorf("client authentication by header: %v", basic)
	}
	good := secret == "s3cret"
	if s.secret != nil {
		good = s.secret(secret)
	}
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if id != "gatehouse" || !good || r.PostForm.Get("code") != "the code" || r.PostForm.Get("redirect_uri") != "https://login.test/callback/p" ||
		!s.noPKCE && base64.RawURLEncoding.EncodeToString(sum[:]) != s.asked.Get("code_challenge") {
		s.t.Errorf("the provider refuses %v", r.PostForm)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.token(w, s.asked.Get("nonce"))
}

func reply(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write([]byte(body))
	}
}

// oidc makes the site an OpenID provider whose documents lie under path, and whose
// ID tokens hold the claims.
func (s *site) oidc(path, documentIssuer string, claims map[string]any) {
	key := demoKey()
	s.pages[path+"/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": documentIssuer, "authorization_endpoint": s.url + "/authorize", "token_endpoint": s.url + "/token", "jwks_uri": s.url + "/keys",
			"userinfo_endpoint": s.url + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	}
	s.pages["/keys"] = func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{ // Entra's have no alg
			"kty": "RSA", "kid": "1", "use": "sig", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	}
	s.pages["/token"] = s.tokens
	s.token = func(w http.ResponseWriter, nonce string) {
		c := jwt.MapClaims{"aud": "gatehouse", "exp": s.clock.Now().Add(time.Hour).Unix(), "iat": s.clock.Now().Unix(), "nonce": nonce}
		maps.Copy(c, claims)
		for name, value := range c {
			if value == nil {
				delete(c, name)
			}
		}
		t := jwt.NewWithClaims(jwt.SigningMethodRS256, c)
		t.Header["kid"] = "1"
		raw, err := t.SignedString(key)
		if err != nil {
			s.t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 3600, "id_token": raw})
	}
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) *site {
		s := newSite(t, upstream.Config{Preset: "github"})
		s.config.Issuer = s.url // as GitHub Enterprise Server is reached
		s.authorize = map[string]string{"scope": "read:user user:email", "code_challenge_method": "S256", "nonce": "", "response_mode": ""}
		s.pages["/login/oauth/access_token"] = func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept") != "application/json" {
				t.Error("GitHub would answer with a form")
			}
			s.tokens(w, r)
		}
		s.token = func(w http.ResponseWriter, _ string) {
			reply("application/json; charset=utf-8", `{"access_token":"at","token_type":"bearer","scope":"read:user,user:email"}`)(w, nil)
		}
		s.pages["/api/v3/user"] = func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer at" || r.Header.Get("User-Agent") == "" {
				t.Errorf("%v", r.Header)
			}
			reply("application/json", `{"login":"octo","id":40000000001,"name":"Octo Cat","email":"public@example.com","email_verified":true,"avatar_url":"https://a.test/1"}`)(w, r)
		}
		s.pages["/api/v3/user/emails"] = reply("application/json",
			`[{"email":"old@example.com","primary":false,"verified":true,"visibility":null},{"email":"octo@example.com","primary":true,"verified":true,"visibility":"private"}]`)
		return s
	}
	t.Run("the primary verified address and the numeric id", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		who, err := s.signIn(s.open(), upstream.Response{})
		want := upstream.Identity{
			Issuer: s.url, Subject: "40000000001", Provider: "p", Email: "octo@example.com", EmailVerified: true, Name: "Octo Cat", Picture: "https://a.test/1", AuthTime: s.clock.Now(),
		}
		if err != nil || !reflect.DeepEqual(who, want) {
			t.Errorf("%+v, %v", who, err)
		}
	})
	t.Run("an address that is not verified, or not primary, is none", func(t *testing.T) {
		t.Parallel()
		for _, list := range []string{`[]`, `[{"email":"a@example.com","primary":true,"verified":false}]`, `[{"email":"a@example.com","primary":false,"verified":true}]`} {
			s := open(t)
			s.pages["/api/v3/user/emails"] = reply("application/json", list)
			if who, err := s.signIn(s.open(), upstream.Response{}); err != nil || who.Email != "" || who.EmailVerified {
				t.Errorf("%s: %+v, %v", list, who, err)
			}
		}
	})
	t.Run("without a name, the login is one", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.pages["/api/v3/user"] = reply("application/json", `{"login":"octo","id":7,"name":null}`)
		if who, err := s.signIn(s.open(), upstream.Response{}); err != nil || who.Name != "octo" || who.Subject != "7" {
			t.Errorf("%+v, %v", who, err)
		}
	})
	t.Run("an error with status 200, and a person without an id", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.token = func(w http.ResponseWriter, _ string) {
			reply("application/json", `{"error":"bad_verification_code","error_description":"x"}`)(w, nil)
		}
		if _, err := s.signIn(s.open(), upstream.Response{}); err == nil {
			t.Error("accepted")
		}
		for _, person := range []string{`{"login":"octo"}`, `{"id":null}`, `{"id":""}`, `{"id":{}}`, `[]`} {
			s := open(t)
			s.pages["/api/v3/user"] = reply("application/json", person)
			_, err := s.signIn(s.open(), upstream.Response{})
			wantErr(t, err, upstream.ErrRefused)
		}
	})
	t.Run("token answers as text and as forms", func(t *testing.T) {
		t.Parallel()
		for contentType, body := range map[string]string{
			"application/x-www-form-urlencoded": "access_token=at&token_type=bearer", "text/plain": `{"access_token":"at","token_type":"bearer"}`,
			"text/plain; charset=utf-8": "access_token=at&token_type=bearer",
		} {
			s := open(t)
			s.token = func(w http.ResponseWriter, _ string) { reply(contentType, body)(w, nil) }
			if _, err := s.signIn(s.open(), upstream.Response{}); err != nil {
				t.Errorf("%s: %v", contentType, err)
			}
		}
	})
}

func TestOAuth2(t *testing.T) {
	t.Parallel()
	s := newSite(t, upstream.Config{
		Preset: "oauth2", Scopes: []string{"identify", "email"}, ClientAuth: "basic", Prompt: "consent", Parameters: map[string]string{"audience": "x"},
		Claims: map[string]string{"sub": "id", "name": "global_name", "email_verified": "verified"},
	})
	s.config.Issuer, s.config.AuthURL, s.config.TokenURL, s.config.UserInfoURL = s.url, s.url+"/a", s.url+"/token", s.url+"/users/@me"
	s.authorize = map[string]string{"scope": "identify email", "prompt": "consent", "audience": "x"}
	s.pages["/token"] = s.tokens
	s.token = func(w http.ResponseWriter, _ string) {
		reply("application/json", `{"access_token":"at","token_type":"Bearer"}`)(w, nil)
	}
	s.pages["/users/@me"] = reply("application/json", `{"id":"1234567890123456789","global_name":"Disco","email":"d@example.com","verified":true}`)
	who, err := s.signIn(s.open(), upstream.Response{})
	if err != nil || who.Subject != "1234567890123456789" || who.Name != "Disco" || who.Email != "d@example.com" || !who.EmailVerified {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestMicrosoft(t *testing.T) {
	t.Parallel()
	const tenant, other, personal = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555", "9188040d-6c67-4c5b-b112-36a304b66dad"
	sign := func(t *testing.T, at string, change map[string]any, config upstream.Config) (upstream.Identity, error) {
		config.Preset = "microsoft"
		s := newSite(t, config)
		s.config.Issuer = s.url + "/" + at + "/v2.0"
		documentIssuer := s.config.Issuer
		if at == "common" || at == "organizations" || at == "consumers" {
			documentIssuer = s.url + "/{tenantid}/v2.0"
		}
		claims := map[string]any{"iss": s.url + "/" + tenant + "/v2.0", "tid": tenant, "sub": "pairwise", "email": "ann@example.com", "name": "Ann", "picture": "https://a.test/"}
		for name, value := range change {
			if text, ok := value.(string); ok {
				value = strings.ReplaceAll(text, "SITE", s.url)
			}
			claims[name] = value
		}
		s.oidc("/"+at+"/v2.0", documentIssuer, claims)
		who, err := s.signIn(s.open(), upstream.Response{})
		who.Issuer = strings.TrimPrefix(who.Issuer, s.url)
		return who, err
	}
	for _, at := range []string{tenant, "common", "organizations"} {
		who, err := sign(t, at, nil, upstream.Config{})
		if err != nil || who.Issuer != "/"+tenant+"/v2.0" || who.Subject != "pairwise" || who.Email != "ann@example.com" || who.EmailVerified {
			t.Errorf("%s: %+v, %v", at, who, err)
		}
	}
	for name, test := range map[string]struct {
		at     string
		change map[string]any
		want   error
	}{
		"a token of another issuer":                  {"common", map[string]any{"iss": "https://evil.test/" + tenant + "/v2.0"}, upstream.ErrRefused},
		"a token whose tenant is another":            {"common", map[string]any{"tid": other}, upstream.ErrRefused},
		"a token without a tenant":                   {"common", map[string]any{"tid": nil}, upstream.ErrRefused},
		"the template itself":                        {"common", map[string]any{"tid": "{tenantid}", "iss": "SITE/{tenantid}/v2.0"}, upstream.ErrRefused},
		"a tenant that is a path":                    {"common", map[string]any{"tid": "x/../" + tenant, "iss": "SITE/x/../" + tenant + "/v2.0"}, upstream.ErrRefused},
		"a tenant in capitals":                       {"common", map[string]any{"tid": strings.ToUpper("abcdef00-2222-3333-4444-555555555555"), "iss": "SITE/ABCDEF00-2222-3333-4444-555555555555/v2.0"}, upstream.ErrRefused},
		"another tenant where one is configured":     {tenant, map[string]any{"tid": other, "iss": "SITE/" + other + "/v2.0"}, upstream.ErrRefused},
		"a personal account among organizations":     {"organizations", map[string]any{"tid": personal, "iss": "SITE/" + personal + "/v2.0"}, upstream.ErrNotAllowed},
		"a work account where personal ones sign in": {"consumers", nil, upstream.ErrNotAllowed},
	} {
		_, err := sign(t, test.at, test.change, upstream.Config{})
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		wantErr(t, err, test.want)
	}
	if who, err := sign(t, "common", map[string]any{"tid": personal, "iss": "SITE/" + personal + "/v2.0"}, upstream.Config{}); err != nil {
		t.Errorf("a personal account: %+v, %v", who, err)
	}
	for value, want := range map[any]bool{true: true, "1": true, "true": true, 1: true, false: false, "0": false, "yes": false} {
		if who, err := sign(t, tenant, map[string]any{"xms_edov": value}, upstream.Config{}); err != nil || who.EmailVerified != want {
			t.Errorf("xms_edov %v: %+v, %v", value, who, err)
		}
	}
	if who, err := sign(t, tenant, nil, upstream.Config{EmailVerified: "always"}); err != nil || !who.EmailVerified {
		t.Errorf("always: %+v, %v", who, err)
	}
	if _, err := sign(t, "common", nil, upstream.Config{Require: map[string]string{"tid": tenant}}); err != nil {
		t.Errorf("the required tenant: %v", err)
	}
	for _, required := range []map[string]string{{"tid": other}, {"absent": "x"}, {"tid": tenant, "name": "Bob"}} {
		_, err := sign(t, "common", nil, upstream.Config{Require: required})
		wantErr(t, err, upstream.ErrNotAllowed)
	}
}

func TestApple(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	open := func(t *testing.T, file string, claims map[string]any) *site {
		s := newSite(t, upstream.Config{Preset: "apple", Apple: upstream.AppleKey{TeamID: "TEAM123456", KeyID: "KEY1234567", PrivateKey: client.Secret(file)}})
		s.config.Issuer = s.url
		s.authorize = map[string]string{"scope": "openid name email", "response_mode": "form_post"}
		s.secret = func(secret string) bool {
			c := jwt.MapClaims{}
			token, err := jwt.ParseWithClaims(secret, c, func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
				jwt.WithValidMethods([]string{"ES256"}), jwt.WithTimeFunc(s.clock.Now), jwt.WithExpirationRequired())
			return err == nil && token.Header["kid"] == "KEY1234567" && c["iss"] == "TEAM123456" && c["sub"] == "gatehouse" && c["aud"] == s.url
		}
		all := map[string]any{"iss": s.url, "sub": "001122.abc.1234", "email": "x@privaterelay.appleid.com", "email_verified": "true"}
		maps.Copy(all, claims)
		s.oidc("", s.url, all)
		return s
	}
	const user = `{"name":{"firstName":"Ann","lastName":"Lee"},"email":"evil@example.com"}`
	for name, text := range map[string]string{"as a file": file, "in one line": strings.ReplaceAll(file, "\n", `\n`)} {
		s := open(t, text, nil)
		who, err := s.signIn(s.open(), upstream.Response{User: user})
		if err != nil || who.Name != "Ann Lee" || who.Email != "x@privaterelay.appleid.com" || !who.EmailVerified || who.Subject != "001122.abc.1234" {
			t.Errorf("the key %s: %+v, %v", name, who, err)
		}
	}
	for value, want := range map[any]bool{true: true, "true": true, false: false, "false": false, "TRUE": false} {
		s := open(t, file, map[string]any{"email_verified": value})
		if who, err := s.signIn(s.open(), upstream.Response{}); err != nil || who.EmailVerified != want || who.Name != "" {
			t.Errorf("email_verified %v: %+v, %v", value, who, err)
		}
	}
	s := open(t, file, map[string]any{"nonce": "another"})
	_, err = s.signIn(s.open(), upstream.Response{})
	wantErr(t, err, upstream.ErrRefused)
	for _, bad := range []string{"", "x", strings.Replace(file, "PRIVATE", "PUBLIC", 1)[:60]} {
		if _, err := upstream.New(upstream.Config{ID: "apple", Preset: "apple", ClientID: "c", CallbackURL: "x", Apple: upstream.AppleKey{TeamID: "T", KeyID: "K", PrivateKey: client.Secret(bad)}}); err == nil {
			t.Errorf("the key %q is taken", bad)
		}
	}
}

func TestLinkedIn(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, nonce any) *site {
		s := newSite(t, upstream.Config{Preset: "linkedin"})
		s.config.Issuer = s.url + "/oauth"
		s.noPKCE = true
		s.authorize = map[string]string{"scope": "openid profile email"}
		s.oidc("/oauth", s.config.Issuer, map[string]any{
			"iss": s.config.Issuer, "sub": "aB3", "email": "li@example.com", "email_verified": "true", "name": "Li", "picture": "https://a.test/", "nonce": nonce,
		})
		return s
	}
	s := open(t, nil)
	if who, err := s.signIn(s.open(), upstream.Response{}); err != nil || who.Email != "li@example.com" || !who.EmailVerified {
		t.Errorf("%+v, %v", who, err)
	}
	s = open(t, "another") // one that is there has to be ours
	_, err := s.signIn(s.open(), upstream.Response{})
	wantErr(t, err, upstream.ErrRefused)
}

// TestMergedClaims has the ID token and UserInfo say different parts of a person.
func TestMergedClaims(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		preset          string
		token, userinfo map[string]any
		want            upstream.Identity
	}{
		"name and picture from UserInfo": {"oidc", map[string]any{"email": "a@example.com", "email_verified": true}, map[string]any{"name": "Ann", "picture": "https://a.test/"},
			upstream.Identity{Email: "a@example.com", EmailVerified: true, Name: "Ann", Picture: "https://a.test/"}},
		"empty claims are missing ones": {"oidc", map[string]any{"email": "", "name": "", "picture": ""}, map[string]any{"email": "a@example.com", "email_verified": true, "name": "Ann"},
			upstream.Identity{Email: "a@example.com", EmailVerified: true, Name: "Ann"}},
		"given and family name": {"oidc", map[string]any{"given_name": "Ann", "family_name": "Lee", "preferred_username": "al"}, nil, upstream.Identity{Name: "Ann Lee"}},
		"family name alone":     {"oidc", map[string]any{"family_name": "Lee"}, nil, upstream.Identity{Name: "Lee"}},
		"preferred username":    {"oidc", map[string]any{"preferred_username": "al"}, nil, upstream.Identity{Name: "al"}},
		"a name in UserInfo before a user name in the token": {"oidc", map[string]any{"preferred_username": "al"}, map[string]any{"name": "Ann"}, upstream.Identity{Name: "Ann"}},
		"an address with its own word about it": {"oidc", map[string]any{"email_verified": true}, map[string]any{"email": "a@example.com", "email_verified": false},
			upstream.Identity{Email: "a@example.com"}},
		"text is no truth":            {"oidc", map[string]any{"email": "a@example.com", "email_verified": "true"}, nil, upstream.Identity{Email: "a@example.com", Ignored: "email_verified"}},
		"but at Cognito":              {"cognito", nil, map[string]any{"email": "a@example.com", "email_verified": "true"}, upstream.Identity{Email: "a@example.com", EmailVerified: true}},
		"names that differ by case":   {"oidc", map[string]any{"Name": "x", "name": "Ann", "Email": "evil@example.com"}, nil, upstream.Identity{Name: "Ann"}},
		"UserInfo of another subject": {"oidc", map[string]any{"email": "a@example.com"}, map[string]any{"sub": "other", "name": "Bob"}, upstream.Identity{Email: "a@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, upstream.Config{Preset: test.preset, ClientAuth: "post"})
			s.config.Issuer = s.url
			token := map[string]any{"iss": s.url, "sub": "1"}
			maps.Copy(token, test.token)
			s.oidc("", s.url, token)
			s.pages["/userinfo"] = func(w http.ResponseWriter, _ *http.Request) {
				c := map[string]any{"sub": "1"}
				maps.Copy(c, test.userinfo)
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(c)
			}
			who, err := s.signIn(s.open(), upstream.Response{})
			if test.want.Email == "" && strings.HasPrefix(name, "UserInfo") {
				wantErr(t, err, upstream.ErrRefused)
				return
			}
			want := test.want
			want.Issuer, want.Subject, want.Provider, want.AuthTime = s.url, "1", "p", s.clock.Now()
			if err != nil || !reflect.DeepEqual(who, want) {
				t.Errorf("%+v, want %+v, %v", who, want, err)
			}
		})
	}
}

func TestParametersAreOurs(t *testing.T) {
	t.Parallel()
	s := newSite(t, upstream.Config{ClientAuth: "post", Parameters: map[string]string{"acr_values": "mfa"}, Prompt: "select_account", ResponseMode: "form_post"})
	s.config.Issuer = s.url
	s.oidc("", s.url, map[string]any{"iss": s.url, "sub": "1", "email": "a@example.com", "name": "A", "picture": "https://a.test/"})
	s.authorize = map[string]string{"acr_values": "mfa", "prompt": "select_account", "response_mode": "form_post", "nonce": "n", "state": "s"}
	if _, err := s.signIn(s.open(), upstream.Response{}); err != nil {
		t.Error(err)
	}
	if names := slices.Sorted(maps.Keys(s.asked)); len(names) != 11 {
		t.Errorf("%q", names)
	}
}
